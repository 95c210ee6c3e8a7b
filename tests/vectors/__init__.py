"""The rules as vectors: `make vectors` writes tests/vectors/*.json, to hold another one against.

Each module here makes the cases of some files; `form.py` says how they are written. Expected outputs come from the
rules themselves, so a changed rule shows as a changed file.
"""
