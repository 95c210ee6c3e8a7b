"""The simulator: the same engine in a virtual world."""
