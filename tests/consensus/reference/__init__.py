"""The ledger's fold a second time, as plainly as docs/rules.md says it, to compare consensus/ with.

The whole set of entries at once, epoch by epoch, in dicts and loops; nothing is remembered, nothing incremental. It
is written from docs/rules.md and docs/protocol.md, and takes from consensus/ only the structs of the operations, the
parameters and the VRF. Where the two disagree, the text decides.
"""
