"""A ledger that starts from a checkpoint (docs/rules.md, 9): what it makes of the entries of later epochs."""

from __future__ import annotations

from collections.abc import Sequence

from consensus.ops import Attest, Block
from consensus.params import Params
from crdt.entry import Entry
from crdt.types import NetworkId, PlayerId
from tests.consensus.reference.entries import cuts_of, place_of, said_by
from tests.consensus.reference.fold import Fold, fold, fold_epoch


def fold_after(params: Params, network: NetworkId, entries: Sequence[Entry], last: int, digest: bytes) -> Fold:
    """The state when S(last), as these entries give it, is a final checkpoint of that digest: what stands in later
    epochs counts, but not what it says of windows up to then, nor anything by whose chain was cut by then."""
    whole = fold(params, network, entries, until=last)
    early = {author: cut for author, cut in whole.cuts.items() if cut[0] <= last}
    later = [e for e in entries if place_of(e)[0] > last and e.body.author not in early]
    ends: dict[PlayerId, Entry] = {}
    for entry in sorted(entries, key=place_of):
        if place_of(entry)[0] <= last and entry.body.author not in early:
            ends[entry.body.author] = entry
    cuts = cuts_of([*later, *ends.values()])
    said = [s for s in said_by(params, entries, whole.cuts) if s.epoch <= last]
    n = params.epoch_windows
    late = said_by(params, later, cuts)
    said += [s for s in late if not isinstance(s.op, Block | Attest) or s.op.window // n > last]

    counting = {e.id for e in later if e.body.author not in cuts or place_of(e) < cuts[e.body.author]}
    result = Fold(early | cuts, counting, whole.players | {s.author for s in said})
    result.seed = (last + params.checkpoint_lag + params.seed_delay, digest)
    result.ends = {epoch: end for epoch, end in whole.ends.items() if epoch <= last}
    result.reviews = {(epoch, player) for epoch, player in whole.reviews if epoch <= last}
    for block, judged in whole.blocks.items():
        if judged.op.window // n <= last:
            result.blocks[block], result.paid[block] = judged, whole.paid[block]
    epochs = {s.epoch for s in said} | {place[0] for place in cuts.values()} | {last}
    for epoch in range(last + 1, max(epochs) + 1):
        fold_epoch(params, network, said, result, epoch)
    return result
