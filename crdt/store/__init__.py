"""The store: what a node has promised to remember, on disk or in memory.

The only room of `crdt` that touches files. `recover.open_verified` is the way in for a daemon, `MemoryStore` for the
simulator, `FaultyStore` for tests of what is left after a crash. docs/store.md tells the whole.
"""
