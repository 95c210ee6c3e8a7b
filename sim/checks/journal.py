"""What every node signs, saves, syncs, lets go and says of others, followed event by event.

It is told by the hosts (sim/host.py) at the moment something happens, so these laws hold after every step and cost
nothing in between. Bytes are looked at anew here: an entry is decoded and its signature checked by other code than the
node's own, because what is to be found is a node that does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Final, Protocol

import msgspec

from consensus.ops import AnyOp, Attest, Block, Checkpoint, Pulse, block_id, decode_ops
from crdt import entry, keys
from crdt.canonical import encode
from crdt.entry import SIGNING_DOMAIN
from crdt.keys import Identity
from crdt.store.base import Store
from crdt.store.keys import ENTRY, PROOF, parse_entry_key
from crdt.types import NetworkId, PlayerId, ledger_epoch, short
from node.engine.budget import TAG_ENTRIES, tag_of
from node.engine.effects import Effect, Heard, Persist, Refuse
from node.engine.engine import Engine
from sim.checks.laws import Findings, Law

_LOG_BYTES: Final = 40  # author and nonce at the end of a proof's key


class Watched(Protocol):
    """What is asked of a host."""

    @property
    def player(self) -> PlayerId:
        """Whose node it is."""

    @property
    def awake(self) -> bool:
        """Whether its process does anything."""

    @property
    def now_us(self) -> int:
        """The time by its clock."""

    @property
    def store(self) -> Store:
        """What is on its disk."""

    @property
    def engine(self) -> Engine:
        """The protocol core of its present life."""


class Journal:
    """Everything that honest nodes did, as far as a law asks for it."""

    def __init__(self, network: NetworkId, honest: Collection[PlayerId], findings: Findings) -> None:
        self.network, self.honest, self._findings = network, frozenset(honest), findings
        self._entries: dict[bytes, bytes] = {}  # of honest authors, by their key in a store
        self._others: set[bytes] = set()  # other authors' entries that bear their signature
        self._synced: dict[PlayerId, set[bytes]] = defaultdict(set)  # own ledger entries that may leave
        self._said: dict[tuple[object, ...], object] = {}
        self._told: dict[PlayerId, set[bytes]] = defaultdict(set)  # keys of what was acknowledged and not yet synced
        self._safe: dict[PlayerId, set[bytes]] = defaultdict(set)  # and synced
        self._lost_power: set[PlayerId] = set()
        self._verify = _verifier()

    # what happens

    def saved(self, host: Watched, persist: Persist) -> None:
        """A batch is in a node's store; what was to follow that, follows."""
        player = host.player
        for key, value in persist.batch:
            if key[:1] == PROOF and value is not None:
                self._proven(player, PlayerId(key[-_LOG_BYTES:-8]))
            elif key[:1] == ENTRY and value is None:
                self._told[player].discard(key)
                self._safe[player].discard(key)
            elif key[:1] == ENTRY and value is not None and self._entries.get(key) != value:
                self._took(player, key, value)
        if persist.sync:
            self._synced[player].update(value for _, value in persist.batch if value is not None)
            self._safe[player] |= self._told.pop(player, set())
        if any(isinstance(effect, Heard) and effect.player == player for effect in persist.then):
            self._told[player].update(key for key, _ in persist.batch)

    def sent(self, host: Watched, frame: bytes) -> None:
        """A frame leaves a node."""
        if host.player not in self.honest or tag_of(frame) != TAG_ENTRIES or frame.find(host.player) < 0:
            return
        _, document, raws, _ = msgspec.msgpack.decode(frame)
        if ledger_epoch(document) is None:
            return
        for raw in raws:
            if msgspec.msgpack.decode(raw[64:])[3] == host.player and raw not in self._synced[host.player]:
                self._findings.add(
                    Law.SYNCED_FIRST, f"{short(host.player)} sent an entry of {document} before its sync"
                )

    def told(self, host: Watched, effect: Effect) -> None:
        """A node tells its shell something."""
        if isinstance(effect, Refuse) and {host.player, effect.player} <= self.honest:
            words = f"{short(host.player)} refused {short(effect.player)}: {effect.reason}"
            self._findings.add(Law.NO_BLAME, words)

    def died(self, host: Watched, power: bool) -> None:
        """A process ended; with `power`, its machine too."""
        if power:
            self._lost_power.add(host.player)

    def started(self, host: Watched) -> None:
        """A process began from what the store holds."""
        player = host.player
        if player not in self.honest:
            return
        if player in self._lost_power:
            self._lost_power.discard(player)
            self._told[player] = {key for key in self._told[player] if host.store.get(key) is not None}
        for key in sorted(self._told[player] | self._safe[player]):
            if not self._is_held(host, key):
                named = parse_entry_key(key)
                assert named is not None
                words = f"{short(player)} lost its entry {named[1]} of {named[0].document}, which it had acknowledged"
                self._findings.add(Law.KEPT, words)

    # what it means

    def _is_held(self, host: Watched, key: bytes) -> bool:
        """Whether an entry is in the store, and in the documents that were read from it."""
        named = parse_entry_key(key)
        assert named is not None
        (document, log_key), seq = named
        documents = host.engine.documents
        if documents.is_past(document):
            return True
        replica = documents.replicas.get(document)
        log = replica.logs.get(log_key) if replica else None
        if log is None or seq >= len(log):
            return False
        return log.entries[seq].raw == host.store.get(key) == self._entries.get(key)

    def _proven(self, player: PlayerId, author: PlayerId) -> None:
        if player in self.honest and author in self.honest:
            self._findings.add(Law.NO_BLAME, f"{short(player)} holds a proof that {short(author)} forked its log")

    def _took(self, player: PlayerId, key: bytes, raw: bytes) -> None:
        """An entry that is seen for the first time, or another one at its place."""
        if raw in self._others or player not in self.honest:
            return
        body = msgspec.msgpack.decode(raw[64:])
        author, document, seq = PlayerId(body[3]), body[2], body[5]
        if not self._verify(author, encode((SIGNING_DOMAIN, self.network, raw[64:])), raw[:64]):
            words = f"{short(player)} merged entry {seq} of {short(author)} in {document}, which that one did not sign"
            self._findings.add(Law.VERIFIABLE, words)
            return
        if author not in self.honest:
            self._others.add(raw)
        elif self._entries.setdefault(key, raw) != raw:
            words = f"{short(author)} signed two entries {seq} in {document}"
            self._findings.add(Law.ONE_ENTRY, words)
        epoch = ledger_epoch(document)
        if epoch is not None:
            for op in decode_ops(body[8])[0]:
                self._op(author, epoch, op)

    def _op(self, author: PlayerId, epoch: int, op: AnyOp) -> None:
        if isinstance(op, Attest):
            self._once(Law.ONE_VOTE, author, ("vote", op.proposer, op.window), (op.block, op.vote))
        elif isinstance(op, Checkpoint):
            self._once(Law.ONE_VOTE, author, ("checkpoint", epoch, op.base, op.stage), (op.epoch, op.digest))
        elif isinstance(op, Block):
            self._once(Law.ONE_BLOCK, author, ("block", op.window), block_id(author, op))
        elif isinstance(op, Pulse):
            self._once(Law.ONE_BLOCK, author, ("pulse", op.window), op)

    def _once(self, law: Law, author: PlayerId, slot: tuple[object, ...], said: object) -> None:
        if author in self.honest and self._said.setdefault((author, *slot), said) != said:
            self._findings.add(law, f"{short(author)} said two things as {slot[0]} of {slot[-1]!r}")


def _verifier() -> Callable[[PlayerId, bytes, bytes], bool]:
    """libsodium itself, and not what a node has for it; where stand-ins sign (sim/crypto.py), what knows them."""
    somebody = Identity(bytes(32))
    are_real = keys.verify(somebody.player, b"", somebody.sign(b""))
    return keys.verify if are_real else vars(entry)["verify"]
