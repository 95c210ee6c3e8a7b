"""What stands in the nodes' stores at the end, against the rules and against what their nodes had answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

from consensus.accounts import Funding
from consensus.ledger import Ledger
from consensus.ops import AnyOp, Attest, Block, Stake, Transfer, Unstake, decode_ops
from crdt.entry import Entry
from crdt.store.recover import Opened
from crdt.types import PlayerId, ledger_epoch

COMMANDS = (Transfer, Stake, Unstake)
Told = Mapping[PlayerId, Set[str]]  # the entries, in hex, that each player's node said to have signed by command


def audit(stores: Sequence[Opened], ledgers: Sequence[Ledger], told: Told) -> list[str]:
    """All that is wrong, in words. Either store may end with entries of its node that the other has not heard of."""
    wrong = []
    for number, (opened, ledger) in enumerate(zip(stores, ledgers, strict=True)):
        found = [*_store(opened), *coins(ledger), *answers(list(opened.entries()), told), *paid_once(ledger, told)]
        wrong += [f"node {number}: {words}" for words in found]
    return wrong + list(conflicts([entry for opened in stores for entry in opened.entries()]))


def _store(opened: Opened) -> Iterator[str]:
    if opened.recovery.damaged or opened.recovery.unaccounted:
        yield "; ".join(opened.recovery.words())
    if opened.proofs:
        yield f"{len(opened.proofs)} proofs of equivocation"


def coins(ledger: Ledger) -> Iterator[str]:
    """What all hold, the stakes, and what comes and goes, is what was minted and not burned."""
    held = 0
    for player in ledger.players():
        account, coming = ledger.account(player)
        held += account.total_micro + coming.total_micro
    if held != ledger.minted_micro - ledger.burned_micro:
        yield f"{held} held, {ledger.minted_micro} minted, {ledger.burned_micro} burned"
    if ledger.cuts():
        yield f"{len(ledger.cuts())} players were cut off"


def answers(entries: Sequence[Entry], told: Told) -> Iterator[str]:
    """What was signed by command is what was answered, no more and no less."""
    for player, said in told.items():
        own = {
            entry.id.hex() for entry, op in _ledger(entries) if entry.body.author == player and isinstance(op, COMMANDS)
        }
        for what, found in (("answered and not there", said - own), ("there and not answered", own - said)):
            if found:
                yield f"{player.hex()[:8]}: {len(found)} {what}: {sorted(found)[0][:8]}"


def paid_once(ledger: Ledger, told: Told) -> Iterator[str]:
    """Each payment that was answered came in once at most, and what did not come in says so."""
    for player, said in told.items():
        spent = [one for one in ledger.spends(player) if isinstance(one.op, Transfer)]
        arrived = Counter(
            one.source.entry.hex()
            for other in ledger.players()
            for one in ledger.received(other)
            if one.source.author == player
        )
        for one in spent:
            entry = one.source.entry.hex()
            if entry in said and arrived[entry] != 1:
                yield f"{player.hex()[:8]}: {entry[:8]} came in {arrived[entry]} times"
            if one.funding is Funding.CUT:
                yield f"{player.hex()[:8]}: {entry[:8]} was cut off"


def conflicts(entries: Sequence[Entry]) -> Iterator[str]:
    """Nobody signed two entries at one place, two blocks for a window, or two votes on one block's place."""
    places: dict[object, object] = {}
    for entry in entries:
        body = entry.body
        if places.setdefault((body.document, entry.log, body.seq), entry.id) != entry.id:
            yield f"{body.author.hex()[:8]} signed two entries at {body.document}#{body.seq}"
    for entry, op in _ledger(entries):
        author = entry.body.author
        if isinstance(op, Block) and places.setdefault((author, op.window), op) != op:
            yield f"{author.hex()[:8]} proposed two blocks for window {op.window}"
        if isinstance(op, Attest) and (
            places.setdefault((author, op.proposer, op.window), (op.block, op.vote)) != (op.block, op.vote)
        ):
            yield f"{author.hex()[:8]} voted twice on window {op.window} of {op.proposer.hex()[:8]}"


def _ledger(entries: Sequence[Entry]) -> Iterator[tuple[Entry, AnyOp]]:
    for entry in entries:
        if ledger_epoch(entry.body.document) is not None:
            for op in decode_ops(entry.body.payload)[0]:
                yield entry, op
