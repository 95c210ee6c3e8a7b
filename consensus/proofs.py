"""Proofs of having been drawn, each verified once.

The votes of a window come mixed, and a slot is counted again with every vote that comes for it. Verifying one proof
costs half a millisecond, all else about a vote a tenth of that; so what was found is remembered, by a hash of all
that it rests on. The bound is more than a window of ten thousand blocks
brings: were it less, every count would verify anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from consensus import vrf
from crdt.canonical import digest
from crdt.limits import VRF_PROOFS_KNOWN_MAX

KEY_BYTES: Final = 32
HASH_BYTES: Final = 32
SHORT_BYTES: Final = 8  # of an output: all that a draw looks at


class Proofs:
    """The outputs that proofs show, as far as a draw needs them. Forgets what was not asked for the longest."""

    def __init__(self, most: int = VRF_PROOFS_KNOWN_MAX) -> None:
        self._most = most
        self._known: OrderedDict[bytes, bytes | None] = OrderedDict()
        self._found: dict[bytes, bytes] = {}

    def remember(self, known: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over what `take_found` gave before, oldest first: it is not verified again."""
        self._known.update(known)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def take_found(self) -> list[tuple[bytes, bytes]]:
        """What was found to be valid since this was last asked: hashes of what it rests on, and outputs."""
        found, self._found = list(self._found.items()), {}
        return found

    def output(self, key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        """The first 8 bytes of the VRF output, or None when the proof shows nothing."""
        if len(key) != KEY_BYTES or len(proof) != vrf.PROOF_BYTES:
            return None
        at = digest(b"symjam-proof", key, proof, alpha)  # only the last one is of any length
        if at in self._known:
            self._known.move_to_end(at)
            return self._known[at]
        whole = vrf.verify(key, alpha, proof)
        output = None if whole is None else whole[:SHORT_BYTES]
        self._known[at] = output
        if output is not None and len(self._found) < self._most:
            self._found[at] = output
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return output

    def __len__(self) -> int:
        return len(self._known)
