"""The API tried by what it says of itself."""
