"""A store's records held to account, every kind: what is wrong, and where.

Opening a store (recover.py) asks whether it can be used, and mends what it can; this only looks, leaves nothing out,
and takes records from anywhere: from an open store, from a running node, from a backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from crdt.limits import FAULTS_MAX
from crdt.store.base import StoreDamaged
from crdt.store.keys import ENTRY, META, PROOF, STUBS, LogName, parse_entry_key
from crdt.store.mark import MARK_KEY, NETWORK_KEY, mark_in
from crdt.store.records import Item
from crdt.store.seal import SEAL_PREFIX, EntriesDigest
from crdt.store.stubs import ids_of
from crdt.store.upgrade import FORMAT_KEY
from crdt.store.walk import Walk, verified_proof, walk
from crdt.types import NetworkId, short


class Fault(NamedTuple):
    """One thing that is not as it must be."""

    where: str
    what: str


@dataclass(slots=True)
class Audit:
    """What was found. `meta`: the store's own records, by name, those of other rooms for them to judge."""

    records: int = 0
    walk: Walk = field(default_factory=Walk)
    proofs: list[tuple[bytes, bytes]] = field(default_factory=list)
    pruned: int = 0  # entries of which the ids are left
    meta: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    is_whole: bool = True  # whether everything could be read

    def fault(self, where: str, what: str) -> None:
        """Note something, within bounds."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(where, what))


def audit(network: NetworkId, items: Iterable[Item]) -> Audit:
    """Look at all records, given in order of keys: checksums by the reading itself, signatures and links here."""
    found, counted, marks = Audit(), EntriesDigest(), dict[bytes, bytes]()
    for kind, group in groupby(_readable(items, found), key=lambda item: item[0][:1]):
        if kind == ENTRY:
            found.walk = walk(network, _counting(group, counted))
        elif kind == META:
            marks = dict(group)
            found.meta = {key[1:].decode("ascii", "replace"): value for key, value in marks.items()}
        elif kind == PROOF:
            _proofs(network, group, found)
        elif kind == STUBS:
            _stubs(group, found)
        else:
            for key, _ in group:
                found.fault(words_of(key), "no record of a known kind")
    for name, loss in found.walk.lost.items():
        found.fault(_log(name), f"from entry {loss.kept} on ({loss.dropped} of them): {loss.why}")
    for key in found.walk.strays:
        found.fault(words_of(key), "an entry's place that names no log")
    _own(network, marks, counted, found)
    return found


def _readable(items: Iterable[Item], found: Audit) -> Iterator[Item]:
    """Up to the first record that cannot be read."""
    last = b""
    try:
        for item in items:
            last = item[0]
            found.records += 1
            yield item
    except StoreDamaged as damage:
        found.is_whole = False
        found.fault(f"after {words_of(last)}" if last else "at its beginning", f"cannot be read: {damage.why}")


def _counting(group: Iterable[Item], counted: EntriesDigest) -> Iterator[Item]:
    for key, value in group:
        counted.add(key, value)
        yield key, value


def _proofs(network: NetworkId, group: Iterable[Item], found: Audit) -> None:
    for key, value in group:
        proof = verified_proof(network, key, value)
        if proof is None:
            found.fault(words_of(key), "proves no equivocation")
        else:
            found.proofs.append(proof)


def _stubs(group: Iterable[Item], found: Audit) -> None:
    """The ids that pruning left continue a log, run after run."""
    expected: dict[LogName, int] = {}
    for key, value in group:
        place = parse_entry_key(ENTRY + key[1:])
        if place is None or not value or len(value) % 32:
            found.fault(words_of(key), "no run of ids")
            continue
        name, first = place
        held = expected.get(name, len(found.walk.logs.get(name, ())))
        if first != held and name not in found.walk.lost:
            found.fault(words_of(key), f"{abs(first - held)} ids {'missing' if first > held else 'too many'} before it")
        ids = ids_of(value)
        expected[name] = first + len(ids)
        found.pruned += len(ids)


def _own(network: NetworkId, marks: dict[bytes, bytes], counted: EntriesDigest, found: Audit) -> None:
    """The records that this room writes."""
    if not found.is_whole:
        return
    if marks.get(NETWORK_KEY) != network:
        found.fault(words_of(NETWORK_KEY), "is missing, or another network's")
    raw = marks.get(MARK_KEY)
    mark = None if raw is None else mark_in(raw)
    if raw is not None and mark is None:
        found.fault(words_of(MARK_KEY), "cannot be read")
    if mark is not None and mark.clean and (mark.entries, mark.digest) != (counted.count, counted.digest()):
        what = f"{mark.entries} entries were there at the last clean stop, and now {counted.count}"
        found.fault(words_of(MARK_KEY), what if mark.entries != counted.count else "entries are not what they were")
    for key in (NETWORK_KEY, MARK_KEY, FORMAT_KEY):
        found.meta.pop(key[1:].decode(), None)
    for key in marks:
        if key.startswith(SEAL_PREFIX):  # one that does not fit any more is no fault: entries came after it
            found.meta.pop(key[1:].decode("ascii", "replace"), None)


def words_of(key: bytes) -> str:
    """What lies under a key, for people."""
    kind, rest = key[:1], key[1:]
    if kind == META:
        return f"the record {rest.decode('ascii', 'replace')!r}"
    if kind in (ENTRY, STUBS):
        place = parse_entry_key(ENTRY + rest)
        if place is not None:
            what = "entry" if kind == ENTRY else "the ids of pruned entries from"
            return f"{what} {place[1]} of {_log(place[0])}"
    if kind == PROOF:
        place = parse_entry_key(ENTRY + rest + bytes(8))
        if place is not None:
            return f"the proof against {_log(place[0])}"
    return f"the key {key[:24].hex()}"


def _log(name: LogName) -> str:
    return f"{name.document} by {short(name.log.author)}"
