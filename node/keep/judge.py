"""The part of an audit that needs the rules: checkpoint, rules, remembered requests; and the ledger, folded twice.

The ledger's state is a pure function of the set of its entries (docs/rules.md). So it is worked out twice from the same
set, in orders that have nothing in common but that each author's log goes forward, and both roots must be one; while a
node runs, also the root that it held at that moment. What the store remembers of proofs (node/engine/proven.py) is not
made use of: they are verified again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from consensus.content import unpack
from consensus.params import Params
from crdt.entry import Entry
from crdt.store.audit import Audit
from crdt.store.keys import meta_key
from crdt.types import Epoch, NetworkId, ledger_epoch
from node.engine import proven, requests
from node.engine.documents import Documents, Stored
from node.engine.proven import PROVEN_PREFIX
from node.engine.record import CHECKPOINT_KEY, RULES_KEY, checkpoint_in, rules_in
from node.engine.requests import REQUEST_PREFIX

_CHECKPOINT: Final = CHECKPOINT_KEY[1:].decode()
_RULES: Final = RULES_KEY[1:].decode()


class Judged(NamedTuple):
    """What follows from a store's own records: the rules, if they are known, and the final checkpoint's content."""

    params: Params | None
    checkpoint: bytes | None
    epoch: Epoch | None  # of the checkpoint


class Folded(NamedTuple):
    """A ledger worked out twice."""

    entries: int
    root: str
    again: str


def judge(found: Audit, network: NetworkId) -> Judged:
    """Look at the records that the audit left to others; what is wrong is noted in it."""
    rules, content = found.meta.get(_RULES), found.meta.get(_CHECKPOINT)
    params, checkpoint = rules_in(network, rules), checkpoint_in(network, content)
    if rules is not None and params is None:
        found.fault("the record 'rules'", "is not that of this network's rules")
    if content is not None and checkpoint is None:
        found.fault("the record 'checkpoint'", "is no checkpoint, or does not fit its digest")
    for name, value in found.meta.items():
        if wrong := "" if name in (_RULES, _CHECKPOINT) else _wrong(meta_key(name), value):
            found.fault(f"the record {name!r}", wrong)
    return Judged(params, checkpoint, None if checkpoint is None else unpack(checkpoint).epoch)


def _wrong(key: bytes, value: bytes) -> str:
    if key.startswith(REQUEST_PREFIX):
        return "" if requests.is_record(key, value) else "is no remembered request"
    if key.startswith(PROVEN_PREFIX):
        return "" if proven.is_record(value) else "does not fit its hash"
    return "is of no known kind"


def fold_twice(found: Audit, judged: Judged, progress: Callable[[int, int], None]) -> Folded:
    """The ledger's root by two orders of its entries; `progress`: how many of how many. To be called when nothing is
    wrong with the store and the rules are known."""
    assert judged.params is not None
    logs = [log for name, log in found.walk.logs.items() if ledger_epoch(name.document) is not None]
    total = sum(map(len, logs))
    forward = _folded(judged, _told(logs, 0, 2 * total, progress), found.proofs)
    backward = _folded(judged, _told(logs[::-1], total, 2 * total, progress), found.proofs[::-1])
    return Folded(forward.ledger.entries, forward.ledger.root().hex(), backward.ledger.root().hex())


def _folded(judged: Judged, entries: Iterator[Entry], proofs: list[tuple[bytes, bytes]]) -> Documents:
    assert judged.params is not None
    return Documents(judged.params, Stored(entries, proofs, judged.checkpoint))


def _told(logs: list[list[Entry]], before: int, total: int, progress: Callable[[int, int], None]) -> Iterator[Entry]:
    done = before
    for log in logs:
        for entry in log:
            if done % 1_000 == 0:
                progress(done, total)
            yield entry
            done += 1
