"""The mesh shell: opaque bounded frames between authenticated peers, over libp2p.

It knows nothing of entries, ledgers or the engine. `mesh` is the whole; `peerid`, `address` and `port` are plain values
that cost nothing to import, everything else imports libp2p (about a second).
"""

from node.mesh.lean import leave_out

leave_out()
