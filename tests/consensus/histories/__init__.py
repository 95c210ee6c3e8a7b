"""Random histories of a mesh, and what must be true of all of them (`make histories`).

`generate.py` makes one from a seed: who plays, votes, pays, vouches and cheats, on which side of which split.
`check.py` delivers it to the real ledger in many orders and compares with tests/consensus/reference/; `shrink.py`
takes entries out of one that fails for as long as it still fails.
"""
