"""Signatures in a simulated world: real, real but checked once for all nodes of the process, or stand-ins.

    real      every node verifies everything, as the daemon does
    shared    the same functions, and what one node has verified the others need not: the answers are the same.
              An entry that was opened once is one object for all nodes
    cheap     a keyed hash for Ed25519 and for the VRF. It is only ever made from a seed, so nobody can sign what they
              do not hold the seed of, one key and one input have one output, and what is forged is refused

The functions are exchanged in this process while the context lasts, and put back after it; the daemon knows nothing of
it. What was signed with one kind is refused under the other. Whatever is shown of a run says which kind it was.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import crdt.entry
import crdt.keys
import crdt.replica
import crdt.store.carve
import crdt.store.walk
import node.engine.documents
from consensus import vrf
from crdt.entry import Body, Entry
from crdt.errors import Misuse, Violation
from crdt.keys import Identity
from crdt.types import NetworkId, PlayerId, Signature

Kind = Literal["real", "shared", "cheap"]
KINDS: Final[tuple[Kind, ...]] = ("real", "shared", "cheap")
KNOWN_MAX: Final = 65_536  # of each: signatures, proofs, opened entries; the least recently asked for goes first

_OPENERS: Final = (crdt.entry, crdt.replica, crdt.store.carve, crdt.store.walk, node.engine.documents)
_TAG_BYTES: Final = vrf.PROOF_BYTES - vrf.OUTPUT_BYTES


@dataclass
class Tally:
    """What was signed and verified while a context lasted. With `shared` and `cheap`, an entry or a proof that is
    known to the process is not verified again, and not counted again."""

    signed: int = 0
    verified: int = 0
    refused: int = 0  # of them
    proved: int = 0
    drawn: int = 0  # VRF outputs worked out by their owner
    proofs_verified: int = 0

    def figures(self) -> dict[str, int]:
        """For a run's result."""
        return {
            "signatures_made": self.signed,
            "signatures_verified": self.verified,
            "signatures_refused": self.refused,
            "vrf_outputs": self.drawn,
            "vrf_proofs_made": self.proved,
            "vrf_proofs_verified": self.proofs_verified,
        }


@dataclass(frozen=True)
class _Scheme:
    """The functions of one kind."""

    sign: Callable[[Identity, bytes], Signature]
    verify: Callable[[PlayerId, bytes, bytes], bool]
    public_key: Callable[[bytes], bytes]
    prove: Callable[[bytes, bytes], bytes]
    evaluate: Callable[[bytes, bytes], bytes]
    verify_proof: Callable[[bytes, bytes, bytes], bytes | None]


def using(kind: str) -> AbstractContextManager[Tally]:
    """The context of a kind by name; Misuse for an unknown one."""
    contexts = {"real": real, "shared": shared, "cheap": cheap}
    if kind not in contexts:
        raise Misuse(f"no signatures {kind!r}; there are {', '.join(KINDS)}")
    return contexts[kind]()


@contextmanager
def real() -> Iterator[Tally]:
    """As the daemon does it; only counted."""
    tally, scheme = Tally(), _present()
    with _exchanged(_functions(_counted(scheme, tally), scheme)):
        yield tally


@contextmanager
def shared() -> Iterator[Tally]:
    """Each signature and each proof verified once for all nodes."""
    tally, scheme = Tally(), _present()
    counted = _remembered(_counted(scheme, tally))
    with _exchanged(_functions(counted, _remembered(scheme))), _exchanged(_openers()):
        yield tally


@contextmanager
def cheap() -> Iterator[Tally]:
    """Keyed hashes instead."""
    tally, scheme = Tally(), _stand_in()
    with _exchanged(_functions(_counted(scheme, tally), scheme)), _exchanged(_openers()):
        yield tally


def _present() -> _Scheme:
    return _Scheme(Identity.sign, crdt.keys.verify, vrf.public_key, vrf.prove, vrf.evaluate, vrf.verify)


def _counted(scheme: _Scheme, tally: Tally) -> _Scheme:
    def sign(identity: Identity, message: bytes) -> Signature:
        tally.signed += 1
        return scheme.sign(identity, message)

    def verify(player: PlayerId, message: bytes, signature: bytes) -> bool:
        tally.verified += 1
        held = scheme.verify(player, message, signature)
        tally.refused += not held
        return held

    def prove(seed: bytes, alpha: bytes) -> bytes:
        tally.proved += 1
        return scheme.prove(seed, alpha)

    def evaluate(seed: bytes, alpha: bytes) -> bytes:
        tally.drawn += 1
        return scheme.evaluate(seed, alpha)

    def verify_proof(public: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        tally.proofs_verified += 1
        return scheme.verify_proof(public, alpha, proof)

    return _Scheme(sign, verify, scheme.public_key, prove, evaluate, verify_proof)


def _remembered(scheme: _Scheme) -> _Scheme:
    once: Callable[[Any], Any] = functools.lru_cache(maxsize=KNOWN_MAX)
    return _Scheme(
        scheme.sign, once(scheme.verify), scheme.public_key, scheme.prove, scheme.evaluate, once(scheme.verify_proof)
    )


def _stand_in() -> _Scheme:
    """Whoever signs shows its seed to this function alone, which then can tell what only that seed makes."""
    seeds: dict[bytes, bytes] = {}  # by public key, of either kind; one of each for every player of the world
    public_key_of = vrf.public_key

    def sign(identity: Identity, message: bytes) -> Signature:
        seed = seeds.setdefault(identity.player, identity.seed())
        return Signature(_hash(b"sim-signature", seed, message, 64))

    def verify(player: PlayerId, message: bytes, signature: bytes) -> bool:
        seed = seeds.get(player)
        return seed is not None and _hash(b"sim-signature", seed, message, 64) == signature

    def public_key(seed: bytes) -> bytes:
        public = public_key_of(seed)
        seeds[public] = seed
        return public

    def evaluate(seed: bytes, alpha: bytes) -> bytes:
        return _hash(b"sim-vrf-output", seed, alpha, vrf.OUTPUT_BYTES)

    def prove(seed: bytes, alpha: bytes) -> bytes:
        return evaluate(seed, alpha) + _hash(b"sim-vrf-proof", seed, alpha, _TAG_BYTES)

    def verify_proof(public: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        seed = seeds.get(public)
        return proof[: vrf.OUTPUT_BYTES] if seed is not None and prove(seed, alpha) == proof else None

    return _Scheme(sign, verify, public_key, prove, evaluate, verify_proof)


def _hash(person: bytes, seed: bytes, message: bytes, size: int) -> bytes:
    return hashlib.blake2b(message, key=seed, person=person, digest_size=size).digest()


_Place = tuple[Any, str, Any]  # holder, name, what it holds there


def _functions(scheme: _Scheme, uncounted: _Scheme) -> list[_Place]:
    """Where a scheme's functions are looked up. Those who check a run ask `crdt.keys`, which is not counted."""
    return [
        (crdt.keys, "verify", uncounted.verify),
        (Identity, "sign", scheme.sign),
        (crdt.entry, "verify", scheme.verify),
        (vrf, "public_key", scheme.public_key),
        (vrf, "prove", scheme.prove),
        (vrf, "evaluate", scheme.evaluate),
        (vrf, "verify", scheme.verify_proof),
    ]


def _openers() -> list[_Place]:
    """`open_entry`, wherever it was imported, so that the same bytes are opened once."""
    open_it = crdt.entry.open_entry

    @functools.lru_cache(maxsize=KNOWN_MAX)
    def opened(network: NetworkId, raw: bytes) -> Entry:
        return open_it(network, raw)

    def open_entry(network: NetworkId, raw: bytes, held: Callable[[Body], Entry | None] | None = None) -> Entry:
        try:
            entry = opened(network, raw)
        except Violation:
            return open_it(network, raw, held)  # which says what is wrong with it first
        known = held(entry.body) if held else None
        return known if known is not None and known.raw == raw else entry

    return [(module, "open_entry", open_entry) for module in _OPENERS]


@contextmanager
def _exchanged(places: list[_Place]) -> Iterator[None]:
    before = [(holder, name, getattr(holder, name)) for holder, name, _ in places]
    try:
        for holder, name, function in places:
            setattr(holder, name, function)
        yield
    finally:
        for holder, name, function in before:
            setattr(holder, name, function)
