"""A row for a benchmark of peers: see node.py."""
