"""What an entry changes in a ledger, and why it changes nothing."""

from __future__ import annotations

from typing import Any

from consensus.accounts import Funding
from consensus.content import Content
from consensus.ledger import Ledger
from consensus.ops import Spend, Stage, decode_ops
from consensus.params import Params
from crdt.entry import Entry, open_entry
from crdt.types import Epoch, PlayerId, ledger_epoch
from tests.vectors.answers.sets import ledger_of
from tests.vectors.form import plain
from tests.vectors.reading import Refused, Rule

LEFT_OUT = {"epoch", "base", "seeds", "authors"}  # where logs end changes with any entry


def _view(ledger: Ledger, until: Epoch) -> dict[str, Any]:
    """All that a ledger says of what is up to the end of an epoch."""
    content = ledger.content_at(until)
    count, rounds = ledger.count(), [Epoch(n) for n in range(until - 8, until + 1)]
    signed = [
        (voter, round_, stage, value)
        for voter in sorted(ledger.voters)
        for round_ in rounds
        for stage in Stage
        if (value := count.signed(voter, round_, stage))
    ]
    return {
        **{name: plain(getattr(content, name)) for name in Content.__struct_fields__ if name not in LEFT_OUT},
        "blocks": [
            {
                "id": plain(block.id),
                "standing": block.standing.name.lower(),
                "rivals": block.rivals,
                "votes": plain([(vote.verifier, vote.vote) for vote in block.votes]),
                "ignored": [[plain(voter), why.name.lower()] for voter, why in block.ignored],
            }
            for block in sorted(ledger.blocks(), key=lambda block: block.id)
        ],
        "cuts": plain([(author, list(place)) for author, place in sorted(ledger.cuts().items())]),
        "prepared": plain(count.prepared()),
        "signed": plain(signed),
    }


def _effect(_: Params, given: Any) -> Any:
    before, after = (ledger_of({**given, "entries": given["entries"] + given["more"]}) for _ in range(2))
    last = open_entry(after.network, bytes.fromhex(given["last"]))
    epoch = ledger_epoch(last.body.document) or Epoch(0)
    until = max(before.last_epoch, epoch)
    old, counts = _view(before, until), after.counts()
    counted = after.add(last)
    new = _view(after, until)
    changed = {name: value for name, value in new.items() if value != old[name]}
    told = {"changed": changed} if changed else None
    why = "" if counted else "cut"
    if counted and after.counts().skipped > counts.skipped:
        why = "skipped"
    elif counted and after.counts().misplaced > counts.misplaced:
        why = "no place"
    why = why or _fault(after, last) or ("" if changed else "changes nothing")
    if why:
        raise Refused(why, told)
    return told


def _fault(ledger: Ledger, last: Entry) -> str:
    """Why a spend or a vote that stands where it may has no effect."""
    ops, _ = decode_ops(last.body.payload)
    author: PlayerId = last.body.author
    if any(isinstance(op, Spend) for op in ops):
        mine = [spent for spent in ledger.spends(author) if spent.source.entry == last.id]
        return "unfunded" if any(spent.funding is Funding.UNFUNDED for spent in mine) else ""
    votes = {op.block for op in ops if hasattr(op, "tranche")}
    slots = {(op.window, op.proposer) for op in ops if hasattr(op, "tranche")}
    for block in ledger.blocks():
        why = dict(block.ignored).get(author)
        if votes and (block.window, block.proposer) in slots and why is not None:
            return why.name.lower()
    return ""


RULES: dict[tuple[str, str], Rule] = {("effects", ""): _effect}
