"""Proofs of having been drawn, each verified once.

The votes of a window come mixed, and a slot is counted again with every vote that comes for it. Verifying one proof
costs half a millisecond, all else about a vote a tenth of that; so what was found is remembered, by a hash of all
that it rests on. The bound is more than a window of ten thousand blocks
brings: were it less, every count would verify anew.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from consensus import vrf
from crdt.canonical import digest
from crdt.limits import VRF_PROOFS_KNOWN_MAX

KEY_BYTES: Final = 32


class Proofs:
    """The outputs that proofs show, as far as a draw needs them. Forgets what was not asked for the longest."""

    def __init__(self, most: int = VRF_PROOFS_KNOWN_MAX) -> None:
        self._most = most
        self._known: OrderedDict[bytes, bytes | None] = OrderedDict()

    def output(self, key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        """The first 8 bytes of the VRF output, or None when the proof shows nothing."""
        if len(key) != KEY_BYTES or len(proof) != vrf.PROOF_BYTES:
            return None
        at = digest(b"symjam-proof", key, proof, alpha)  # only the last one is of any length
        if at in self._known:
            self._known.move_to_end(at)
            return self._known[at]
        whole = vrf.verify(key, alpha, proof)
        output = None if whole is None else whole[:8]
        self._known[at] = output
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return output

    def __len__(self) -> int:
        return len(self._known)
