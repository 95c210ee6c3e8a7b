"""Keeping what is in a data directory: backup, restore, verification (docs/store.md)."""
