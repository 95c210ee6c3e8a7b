"""Stores damaged in every way that a disk knows, on a scale for `make soak-store`, and in short for `make test`."""
