"""Reading everything back, and believing only what verifies.

Each log is walked from its first entry: form, bounds, signature, number, link to the one before, and that the entry
lies under the key that its own body names. The longest prefix that holds is kept. What comes after the first fault is
not: without its predecessor an entry proves nothing about its place, and peers will give it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from crdt.canonical import Canonical
from crdt.entry import Body, Entry, entry_id, open_entry
from crdt.errors import Reason, Violation
from crdt.limits import BODY_MAX_BYTES, ENTRY_MAX_BYTES
from crdt.log import Log, prove_equivocation
from crdt.store.keys import SEQ_BYTES, LogName, parse_entry_key, proof_key, seq_in
from crdt.types import DocumentName, NetworkId, Seq

_bodies: Canonical[Body] = Canonical(Body, BODY_MAX_BYTES)
_proofs: Canonical[tuple[bytes, bytes]] = Canonical(tuple[bytes, bytes], 2 * ENTRY_MAX_BYTES + 16)


@dataclass(frozen=True, slots=True)
class Loss:
    """What became of one log: entries kept, entries read but not kept, and the first fault."""

    kept: int
    dropped: int
    why: str


@dataclass(slots=True)
class Walk:
    """Logs in the store's order (ledger documents by epoch, then jams), what was lost, what has no place at all."""

    logs: dict[LogName, list[Entry]] = field(default_factory=dict)
    lost: dict[LogName, Loss] = field(default_factory=dict)
    strays: list[bytes] = field(default_factory=list)  # keys under `e` that name no log
    checked: bool = False  # whether any signature was

    @property
    def entries(self) -> int:
        """How many were kept."""
        return sum(len(log) for log in self.logs.values())

    @property
    def whole(self) -> bool:
        """Whether everything read was kept."""
        return not self.lost and not self.strays


def walk(
    network: NetworkId,
    items: Iterable[tuple[bytes, bytes]],
    trusted: Collection[DocumentName] = (),
) -> Walk:
    """Verify entries given in key order. Of `trusted` documents the signatures alone are left out, never form, number
    or link."""
    found = Walk()
    name: LogName | None = None
    log: Log | None = None
    begin = b""  # of the log's keys: what names a log is parsed once for each
    is_trusted = False
    for key, raw in items:
        if log is None or name is None or not key.startswith(begin) or len(key) != len(begin) + SEQ_BYTES:
            place = parse_entry_key(key)
            if place is None:
                found.strays.append(key)
                continue
            name, log, begin = place[0], Log(place[0].log), key[:-SEQ_BYTES]
            found.logs[name] = log.entries
            is_trusted = name.document in trusted
            found.checked |= not is_trusted
        loss = found.lost.get(name)
        if loss is None:
            try:
                _follow(network, log, name, seq_in(key), raw, is_trusted)
            except Violation as error:
                found.lost[name] = Loss(len(log), 1, str(error))
        else:
            found.lost[name] = Loss(loss.kept, loss.dropped + 1, loss.why)
    for emptied in [name for name, entries in found.logs.items() if not entries]:
        del found.logs[emptied]
    return found


def _follow(network: NetworkId, log: Log, name: LogName, seq: Seq, raw: bytes, trusted: bool) -> None:
    entry = _reopen(raw) if trusted else open_entry(network, raw)
    body = entry.body
    if (body.document, (body.author, body.nonce), body.seq) != (name.document, name.log, seq):
        raise Violation(Reason.UNEXPECTED, "the entry lies under another entry's key")
    log.append(entry)


def _reopen(raw: bytes) -> Entry:
    """An entry whose bytes are known to be those that `open_entry` verified before they were saved."""
    encoded = raw[64:]
    return Entry(_bodies.decode_known(encoded), entry_id(encoded), raw)


def verified_proof(network: NetworkId, key: bytes, value: bytes) -> tuple[bytes, bytes] | None:
    """The two entries' bytes of an equivocation proof that verifies and lies under its own key, else None."""
    try:
        first, second = _proofs.decode(value)
        proof = prove_equivocation(open_entry(network, first), open_entry(network, second))
    except Violation:
        return None
    held = key == proof_key(proof.first.body.document, proof.first.log)
    return (proof.first.raw, proof.second.raw) if held else None
