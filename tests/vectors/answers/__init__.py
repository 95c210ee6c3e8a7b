"""The rules as they answer to stored vectors, by file and rule."""
