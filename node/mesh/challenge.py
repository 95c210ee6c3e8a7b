"""Who is at the other end of a WebSocket: both sides sign what both have said. Without I/O.

Each side first sends a Challenge, then, having seen the other's, a Proof: its signature over the domain, the network,
the role it has, both nonces and both players. So a proof is good for one connection, one direction and one pair only.
It proves who spoke at the beginning; there is no encryption, and whoever sits on the wire could speak afterwards. What
counts, entries, is signed by itself.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crdt.canonical import Canonical, encode
from crdt.errors import Reason, Violation
from crdt.keys import Identity, verify
from crdt.types import NetworkId, NetworkIdField, PlayerId, PlayerIdField

DOMAIN: Final = "symjam/websocket/1"
VERSION: Final = 1
NONCE_BYTES: Final = 32
MESSAGE_MAX_BYTES: Final = 256


class Challenge(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=1):
    """Who says to be there."""

    version: Annotated[int, Meta(ge=1, le=65_535)]
    network: NetworkIdField
    player: PlayerIdField
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]


class Proof(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=2):
    """And that it is so."""

    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


_challenges: Final[Canonical[Challenge]] = Canonical(Challenge, MESSAGE_MAX_BYTES)
_proofs: Final[Canonical[Proof]] = Canonical(Proof, MESSAGE_MAX_BYTES)


class Handshake:
    """One side of it: `challenge`, then `answer`, then `finish`.

    `dialled`: whether this side dialled; `nonce`: 32 fresh random bytes; `expected`: whom one wanted to reach.
    """

    def __init__(
        self, identity: Identity, network: NetworkId, nonce: bytes, *, dialled: bool, expected: PlayerId | None = None
    ) -> None:
        self._identity = identity
        self._dialled = dialled
        self._expected = expected
        self._ours = Challenge(VERSION, network, identity.player, nonce)
        self._theirs: Challenge | None = None

    def challenge(self) -> bytes:
        """The first message."""
        return encode(self._ours)

    def answer(self, raw: bytes) -> bytes:
        """The second message, given the other's first. Violation when there is nothing to talk about."""
        theirs = _challenges.decode(raw)
        if theirs.network != self._ours.network or theirs.version != VERSION:
            raise Violation(Reason.WRONG_NETWORK, theirs.network.hex()[:8])
        if theirs.player == self._ours.player or theirs.nonce == self._ours.nonce:
            raise Violation(Reason.UNEXPECTED, "this player itself, or an echo")
        if self._expected is not None and theirs.player != self._expected:
            raise Violation(Reason.BAD_KEY, "another player than the one that was dialled")
        self._theirs = theirs
        return encode(Proof(self._identity.sign(self._signed(theirs, by_dialler=self._dialled))))

    def finish(self, raw: bytes) -> PlayerId:
        """Who is there, given the other's second message. Violation when it is not proved."""
        theirs = self._theirs
        if theirs is None:
            raise Violation(Reason.UNEXPECTED, "a proof before the challenge")
        proof = _proofs.decode(raw)
        if not verify(PlayerId(theirs.player), self._signed(theirs, by_dialler=not self._dialled), proof.signature):
            raise Violation(Reason.BAD_SIGNATURE, "the proof does not fit the challenge")
        return PlayerId(theirs.player)

    def _signed(self, theirs: Challenge, *, by_dialler: bool) -> bytes:
        dialler, listener = (self._ours, theirs) if self._dialled else (theirs, self._ours)
        role = "dialler" if by_dialler else "listener"
        return encode((DOMAIN, dialler.network, role, dialler.nonce, listener.nonce, dialler.player, listener.player))
