"""What must be true of every history, in whatever order it is delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

import msgspec

from consensus.accounts import Funding
from consensus.content import Content, pack, unpack, value_of
from consensus.ledger import Ledger
from consensus.ops import Block, Witness
from consensus.params import Params
from consensus.verdict import Standing
from crdt.canonical import encode
from crdt.entry import Entry
from crdt.types import BlockId, EntryId, Epoch, PlayerId, Seq, ledger_document
from tests.consensus.histories.scene import History
from tests.consensus.reference.after import fold_after
from tests.consensus.reference.content import content_of
from tests.consensus.reference.entries import Place, Said, cuts_of, place_of, said_by
from tests.consensus.reference.fold import EpochEnd, Fold, fold
from tests.consensus.reference.root import root_of

STANDINGS = {Standing.PENDING: "pending", Standing.LOCAL: "accepted", Standing.REJECTED: "rejected"}


class Broken(AssertionError):
    """A history of which something is not true."""


def require(is_true: bool, what: str) -> None:
    if not is_true:
        raise Broken(what)


def check(history: History, orders: int, seed: int = 0) -> None:
    """Deliver it in so many orders, split and duplicated. Raises Broken."""
    random = Random(seed)
    expected = fold(history.params, history.network, history.entries)
    require(not history.ballots.is_safe or len(history.ballots.finals) <= 1, "two checkpoints of one base were final")
    check_fold(history.params, history.entries, expected)
    roots = set()
    for nth in range(orders):
        ledger = deliver(history, random, nth)
        if not roots:
            compare(ledger, expected, history.entries)
        roots.add(ledger.root())
        require(len(roots) == 1, f"order {nth} gives another root")
    for side in history.sides:
        check_side(history, side)
    check_start(history, random)


def deliver(history: History, random: Random, nth: int) -> Ledger:
    """A ledger that has seen all of a history: first in the order of its making, then in any. In every third order it
    is told of forks as nodes tell one another, by proofs, and has nothing of what a fork cut off."""
    entries = list(history.entries)
    if nth:
        random.shuffle(entries)
    forks = forks_in(entries) if nth % 3 == 2 else {}
    if forks:
        entries = [e for e in entries if e.body.author not in forks or place_of(e) < forks[e.body.author]]
    entries += random.sample(entries, len(entries) // 8)  # again, at the end
    ledger, seen, proofs = Ledger(history.params, history.network), set(), sorted(forks)
    # How many come between two looks at the state: in the first two orders and some others one.
    pause = 1 if nth < 2 else random.choice([1, 1, 7, 50, len(entries) + 1])
    for number, entry in enumerate(entries):
        while proofs and random.random() < 0.2:
            _freeze(ledger, proofs.pop(), forks)
        require(entry.id not in seen or not ledger.add(entry), "an entry counts twice")
        ledger.add(entry)
        seen.add(entry.id)
        if random.random() < 0.1:
            ledger.add(random.choice(entries[: number + 1]))
        if number % pause == 0:
            check_sums(ledger)
    for author in proofs:
        _freeze(ledger, author, forks)
    check_sums(ledger)
    return ledger


def forks_in(entries: Iterable[Entry]) -> dict[PlayerId, Place]:
    """The earliest place of each author at which two entries stand."""
    at: dict[tuple[PlayerId, Place], EntryId] = {}
    found: dict[PlayerId, Place] = {}
    for entry in entries:
        author, place = entry.body.author, place_of(entry)
        if at.setdefault((author, place), entry.id) != entry.id:
            found[author] = min(place, found.get(author, place))
    return found


def _freeze(ledger: Ledger, author: PlayerId, forks: Mapping[PlayerId, Place]) -> None:
    epoch, seq = forks[author]
    ledger.freeze(author, ledger_document(Epoch(epoch)), Seq(seq))


def check_sums(ledger: Ledger) -> None:
    """What is there is what was minted and not burned, and no lot is negative."""
    total = 0
    for player in ledger.players():
        account, coming = ledger.account(player)
        for coins in (account.free, account.staked, coming, *(leaving for _, leaving in account.leaving)):
            amounts = [amount for _, amount in coins.items()]
            require(all(amount > 0 for amount in amounts), "a lot is not positive")
            require(sum(amounts) == coins.total_micro, "a sum of lots is not what it is said to be")
            total += coins.total_micro
    require(total == ledger.supply_micro, "the lots are not the supply")
    require(ledger.supply_micro == ledger.minted_micro - ledger.burned_micro, "the supply is not what was minted")


def check_fold(params: Params, entries: Sequence[Entry], whole: Fold) -> None:
    """The same of the reference itself, at the end of every epoch."""
    for epoch, end in whole.ends.items():
        amounts = [amount for account in end.accounts.values() for amount in account.amounts]
        require(sum(amounts) == end.minted - end.burned, f"epoch {epoch} of the reference does not add up")
        require(all(amount > 0 for amount in amounts), "a lot of the reference is not positive")
    if whole.ends:
        require(whole.last.minted <= emitted(params, said_by(params, entries, whole.cuts)), "more than the budgets")


def emitted(params: Params, said: Iterable[Said]) -> int:
    """The budgets of all epochs in which anything can be paid."""
    epochs = {s.op.window // params.epoch_windows for s in said if isinstance(s.op, Block)}
    return params.epoch_budget_micro * len(epochs | {s.epoch for s in said if isinstance(s.op, Witness)})


def check_side(history: History, side: Iterable[int]) -> None:
    """One side of a split mesh: it agrees with the reference, and has paid no more than the budgets."""
    entries = [history.entries[number] for number in sorted(side)]
    ledger = Ledger(history.params, history.network)
    for entry in entries:
        ledger.add(entry)
    check_sums(ledger)
    compare(ledger, fold(history.params, history.network, entries), entries)
    said = said_by(history.params, entries, cuts_of(entries))
    require(ledger.minted_micro <= emitted(history.params, said), "one side paid more than the budgets")


def check_start(history: History, random: Random) -> None:
    """From a checkpoint of any epoch on, what comes later gives what the reference says, in any order."""
    params, network, entries = history.params, history.network, list(history.entries)
    whole = Ledger(params, network)
    for entry in entries:
        whole.add(entry)
    epochs = sorted({place_of(entry)[0] for entry in entries})
    last = random.choice(epochs) if epochs else 0
    content = whole.content_at(Epoch(last))
    require(unpack(pack(content)) == content, "a checkpoint's content is not read back")
    expected = fold_after(params, network, entries, last, value_of(network, content).digest)
    roots = set()
    for _ in range(2):
        ledger = Ledger(params, network, content)
        check_sums(ledger)
        random.shuffle(entries)
        for entry in entries:
            require(not ledger.add(entry) or place_of(entry)[0] > last, "an entry of a final epoch counts")
        check_sums(ledger)
        roots.add(ledger.root())
    require(len(roots) == 1, f"from epoch {last} on, two orders give two roots")
    _compare_after(ledger, expected, last)


def _compare_after(ledger: Ledger, expected: Fold, last: int) -> None:
    equal("entries that count", ledger.entries, len(expected.entries))
    later = {author: tuple(place) for author, place in ledger.cuts().items() if author in expected.cuts}
    equal("cuts", {a: p for a, p in later.items() if expected.cuts[a][0] > last}, _after(expected.cuts, last))
    blocks = {i for i, b in expected.blocks.items() if b.op.window // ledger.params.epoch_windows > last}
    equal("blocks", {block.id for block in ledger.blocks()}, blocks)
    for block in sorted(blocks):
        _compare_block(ledger, expected, block)
    for epoch, end in expected.ends.items():
        if epoch > last:
            _compare_epoch(ledger, expected.players, epoch, end)
    if expected.ends:
        equal("minted", ledger.minted_micro, expected.last.minted)
        equal("burned", ledger.burned_micro, expected.last.burned)


def _after(cuts: Mapping[PlayerId, Place], last: int) -> dict[PlayerId, Place]:
    return {author: place for author, place in cuts.items() if place[0] > last}


def compare(ledger: Ledger, expected: Fold, entries: Sequence[Entry]) -> None:
    """The real ledger against the reference."""
    equal("cuts", {author: tuple(place) for author, place in ledger.cuts().items()}, expected.cuts)
    equal("entries that count", ledger.entries, len(expected.entries))
    equal("blocks", {block.id for block in ledger.blocks()}, set(expected.blocks))
    for block in sorted(expected.blocks):
        _compare_block(ledger, expected, block)
    for epoch, end in expected.ends.items():
        _compare_epoch(ledger, expected.players, epoch, end)
    if expected.ends:
        equal("minted", ledger.minted_micro, expected.last.minted)
        equal("burned", ledger.burned_micro, expected.last.burned)
    spends = [spent for player in expected.players for spent in ledger.spends(player)]
    unfunded = {(s.source.entry, s.source.nth) for s in spends if s.funding is Funding.UNFUNDED}
    equal("unfunded", unfunded, expected.unfunded)
    for epoch in expected.ends:
        content = content_of(ledger.params, entries, expected, epoch)
        _compare_content(f"content of epoch {epoch}", encode(ledger.content_at(Epoch(epoch))), encode(content))
    equal("root", ledger.root(), root_of(ledger.params, ledger.network, expected))


def _compare_epoch(ledger: Ledger, players: Iterable[PlayerId], epoch: int, end: EpochEnd) -> None:
    for player in players:
        named = f"{player.hex()[:8]} in epoch {epoch}"
        (account, coming), plain = ledger.account(player, Epoch(epoch)), end.accounts[player]
        equal(f"{named}: free", dict(account.free.items()), plain.free)
        equal(f"{named}: staked", dict(account.staked.items()), plain.staked)
        leaving = {(release, block): amount for release, coins in account.leaving for block, amount in coins.items()}
        equal(f"{named}: leaving", leaving, plain.leaving)
        equal(f"{named}: coming in", dict(coming.items()), plain.coming)
    present = ledger.content_at(Epoch(epoch)).present
    equal(f"snapshot of epoch {epoch}", {p.player: p.weight for p in present if p.weight}, end.snapshot)


def _compare_block(ledger: Ledger, expected: Fold, block: BlockId) -> None:
    real, plain = ledger.block(block), expected.blocks[block]
    assert real is not None
    paid = expected.paid[block]
    named = f"block {block.hex()[:8]} of {plain.proposer.hex()[:8]} in window {plain.op.window}"
    equal(f"{named}: standing", STANDINGS[real.standing], plain.standing)
    equal(f"{named}: eligible", real.eligible, plain.eligible)
    equal(f"{named}: quorum", real.quorum, plain.quorum)
    equal(f"{named}: rivals", real.rivals, plain.rivals)
    votes = {vote.verifier: (vote.vote, vote.why, vote.tranche, vote.m, vote.w_q16) for vote in real.votes}
    counted = {p: (v.vote, v.why, v.tranche, paid.m[p], paid.w[p]) for p, v in plain.counted.items()}
    equal(f"{named}: votes", votes, counted)
    equal(f"{named}: open tranches", real.open_tranches, plain.open_tranches)
    parts = {} if real.reward is None else dict(((real.proposer, real.reward.proposer_micro), *real.reward.verifiers))
    equal(f"{named}: points", 0 if real.reward is None else real.reward.points_micro, paid.points)
    equal(f"{named}: paid", 0 if real.reward is None else real.reward.paid_micro, paid.paid)
    equal(f"{named}: parts", {player: part for player, part in parts.items() if part}, paid.parts)


def _compare_content(named: str, real: bytes, plain: bytes) -> None:
    for number, (one, other) in enumerate(
        zip(msgspec.msgpack.decode(real), msgspec.msgpack.decode(plain), strict=True)
    ):
        equal(f"{named}, {Content.__struct_fields__[number]}", one, other)
    equal(named, real, plain)


def equal(what: str, real: object, plain: object) -> None:
    require(real == plain, f"{what}: the ledger has {real}, the reference {plain}")
