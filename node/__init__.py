"""The engine, a protocol core without I/O, and its shell."""
