"""People and cheats in the virtual room: what becomes of each by the rules, and that it harms nobody else."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from consensus.ops import FABRICATED, Vote, Why
from consensus.params import SMALL
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.errors import BLAMELESS
from crdt.types import Window
from node.engine.effects import Work
from node.engine.inputs import OpenSession
from sim.crypto import shared
from sim.people.cast import cast
from sim.people.options import (
    Equivocator,
    Faker,
    Flooder,
    Honest,
    Lazy,
    People,
    Refuser,
    Ring,
    Sybils,
    Withholder,
)
from sim.people.player import Habits
from sim.people.seat import Seat
from sim.world import Host, World
from tests.sim.room import SECOND, room, roots, settle, totals

HABITS = Habits(notes_per_s=6.0)
JAM = OpenSession("jam", 100_000, 4, 4)


class Room(NamedTuple):
    """A room after it was played in."""

    world: World
    hosts: list[Host]
    seats: list[Seat]
    first: Window

    def blocks(self, number: int) -> list[BlockState]:
        """The blocks of one, as the first host sees them."""
        player = self.hosts[number].player
        return [block for block in self.hosts[0].engine.ledger.blocks() if block.proposer == player]

    def balance(self, number: int) -> int:
        return self.hosts[0].engine.ledger.balance(self.hosts[number].player)

    def votes_of(self, number: int) -> list[tuple[int, Vote, Why]]:
        """What one voted, with the number of whom it voted on."""
        players = [host.player for host in self.hosts]
        return [
            (players.index(block.proposer), vote.vote, vote.why)
            for block in self.hosts[0].engine.ledger.blocks()
            for vote in block.votes
            if vote.verifier == players[number]
        ]


def seated(tables: tuple[People, ...], seed: int = 1) -> Room:
    """Everybody linked with everybody; the first opens a jam."""
    world, hosts = room(sum(table.count for table in tables), seed)
    first = SMALL.window_at(world.now_us)
    policies = cast(seed, tables, [host.player for host in hosts], first)
    seats = [
        Seat(world, host, policy, JAM if n == 0 else None)
        for n, (host, policy) in enumerate(zip(hosts, policies, strict=True))
    ]
    return Room(world, hosts, seats, first)


def played(*tables: People, windows: int = 5, seed: int = 1) -> Room:
    """A room in which they have played so many windows, and voted on them."""
    with shared():
        there = seated(tables, seed)
        there.world.run_until(there.world.now_us + windows * SMALL.window_us)
        settle(there.world)
    return there


def test_honest_people_are_accepted_paid_and_of_one_mind() -> None:
    there = played(Honest(count=5, habits=HABITS))
    for number in range(5):
        blocks = there.blocks(number)
        assert len(blocks) >= 4 and all(block.standing is Standing.LOCAL for block in blocks)
        assert there.balance(number) > 0 and there.seats[number].played > 200
    assert sum(block.op.riff for number in range(5) for block in there.blocks(number)) > 10
    assert len(roots(there.hosts)) == len(totals(there.hosts)) == 1


def test_the_same_seed_is_the_same_evening() -> None:
    one, again, other = (played(Honest(count=3, habits=HABITS), windows=3, seed=seed) for seed in (4, 4, 5))
    assert roots(one.hosts) == roots(again.hosts) != roots(other.hosts)
    assert one.world.frames == again.world.frames


def test_a_quantised_machine_is_rejected_and_no_stake_is_asked_of_it() -> None:
    there = played(Honest(count=4, habits=HABITS), Faker(habits=HABITS))
    blocks = there.blocks(4)
    assert blocks and all(block.standing is Standing.REJECTED for block in blocks)
    reasons = {why for block in blocks for why in block.reasons}
    assert reasons <= {Why.TOO_REGULAR, Why.TIES} and not reasons & FABRICATED
    assert there.balance(4) < there.balance(1) // 2  # what it has is for voting


@pytest.mark.parametrize("source", ["own", "another"])
def test_a_replay_is_rejected(source: str) -> None:
    faker = Faker(kind="replay", sd_ms=0, source=source, habits=HABITS)  # type: ignore[arg-type]
    there = played(Honest(count=4, habits=HABITS), faker)
    replayed = [block for block in there.blocks(4) if block.standing is Standing.REJECTED]
    assert len(replayed) >= 3
    assert all(block.reasons == (Why.REPLAY,) for block in replayed)


def test_a_template_passes_but_without_the_riff_it_is_paid_half() -> None:
    there = played(Honest(count=4, habits=HABITS), Faker(kind="template", habits=HABITS))
    blocks = there.blocks(4)
    assert blocks and all(block.standing is Standing.LOCAL and not block.op.riff for block in blocks)
    riffs = [block.reward.riff_q16 for block in blocks if block.reward]
    assert set(riffs) == {SMALL.riff_absent_q16}


def test_the_lazy_vote_at_no_cost_and_the_refusers_not_at_all() -> None:
    with shared():
        there = seated(
            (Honest(count=4, habits=HABITS), Lazy(habits=Habits(share=0.0)), Refuser(habits=Habits(share=0.0)))
        )
        work = {4: 0, 5: 0, 1: 0}
        for number in work:
            handle = there.hosts[number].engine.handle

            def counted(now_us: int, event: object, handle: object = handle, number: int = number) -> list[object]:
                effects = handle(now_us, event)  # type: ignore[operator]
                work[number] += sum(isinstance(effect, Work) for effect in effects)
                return effects  # type: ignore[no-any-return]

            there.hosts[number].engine.handle = counted  # type: ignore[method-assign, assignment]
        there.world.run_until(there.world.now_us + 4 * SMALL.window_us)
        settle(there.world)
    assert work[4] == work[5] == 0 < work[1]
    assert len(there.votes_of(4)) >= 12 and {vote for _, vote, _ in there.votes_of(4)} == {Vote.YES}
    assert there.votes_of(5) == []
    assert there.balance(4) > 0 == there.balance(5)


def test_a_ring_of_a_fifth_votes_for_itself_and_is_outvoted() -> None:
    there = played(Honest(count=8, habits=HABITS), Ring(count=2, habits=HABITS), windows=3)
    for number, friend in ((8, 9), (9, 8)):
        assert there.blocks(number) and all(b.standing is Standing.REJECTED for b in there.blocks(number))
        assert {vote for of, vote, _ in there.votes_of(number) if of == friend} == {Vote.YES}
    assert all(block.standing is Standing.LOCAL for number in range(8) for block in there.blocks(number))


def test_a_ring_that_says_no_to_others_stops_nobody() -> None:
    there = played(Honest(count=8, habits=HABITS), Ring(count=2, others="no", habits=HABITS), windows=3)
    assert {vote for of, vote, _ in there.votes_of(8) if of < 8} == {Vote.NO}
    assert all(block.standing is Standing.LOCAL for number in range(8) for block in there.blocks(number))


def test_who_was_fooled_vouches_for_the_keys_of_a_farm() -> None:
    there = played(Honest(count=4, friends=2, habits=HABITS), Sybils(count=3, edges=2, habits=HABITS), windows=2)
    keys = {host.player for host in there.hosts[4:]}
    fooled = [p for p in there.seats[:4] if keys & set(p.policy.role.knows)]
    assert len(fooled) == 2
    assert len(roots(there.hosts)) == 1


def test_a_withheld_block_comes_too_late_and_nobody_waits_for_it() -> None:
    there = played(Honest(count=4, habits=HABITS), Withholder(habits=HABITS), windows=8)
    late = [block for block in there.blocks(4) if Why.LATE in block.reasons]
    assert late and all(block.standing is Standing.REJECTED for block in late)
    assert not [why for block in there.blocks(4) for why in block.reasons if why in FABRICATED]
    assert all(block.standing is Standing.LOCAL for number in range(4) for block in there.blocks(number))
    assert len(roots(there.hosts)) == 1


def test_a_block_whose_log_is_withheld_is_rejected_as_missing() -> None:
    there = played(Honest(count=4, habits=HABITS), Withholder(kind="log", habits=HABITS), windows=7)
    missing = [block for block in there.blocks(4) if Why.MISSING in block.reasons]
    assert missing and all(block.standing is Standing.REJECTED for block in missing)


def test_what_is_withheld_from_half_comes_to_them_through_the_others() -> None:
    there = played(Honest(count=4, habits=HABITS), Withholder(kind="log", share=0.5, habits=HABITS))
    assert there.blocks(4) and all(block.standing is Standing.LOCAL for block in there.blocks(4))


@pytest.mark.parametrize("where", ["ledger", "jam"])
def test_who_signs_twice_is_frozen_everywhere_and_nobody_else_blamed(where: str) -> None:
    there = played(Honest(count=4, habits=HABITS), Equivocator(where=where, habits=HABITS))  # type: ignore[arg-type]
    culprit = there.hosts[4].player
    for host in there.hosts:
        (proof,) = host.engine.documents.equivocations()
        assert proof.first.body.author == culprit
        assert set(host.engine.refused) <= BLAMELESS  # who passes the other branch on does no wrong
    assert len(roots(there.hosts)) == len(totals(there.hosts)) == 1
    blocks = [block for number in range(4) for block in there.blocks(number)]
    # A riff that rests on the fork's pulse was asked for in good faith, and what some heard of the culprit's playing is
    # known to nobody any more.
    assert blocks and all(block.standing is Standing.LOCAL for block in blocks)
    assert len({len(host.engine.duties.repertoire.index) for host in there.hosts[:4]}) == 1
    assert (culprit in there.hosts[0].engine.ledger.cuts()) is (where == "ledger")


@pytest.mark.parametrize(("kind", "per_tick"), [("garbage", 50), ("probes", 300), ("hints", 50), ("entries", 5)])
def test_honest_work_goes_on_under_a_flood(kind: str, per_tick: int) -> None:
    flooder = Flooder(kind=kind, per_tick=per_tick, habits=Habits(share=0.0))  # type: ignore[arg-type]
    there = played(Honest(count=4, habits=HABITS), flooder, windows=3)
    for number in range(4):
        assert there.blocks(number) and all(b.standing is Standing.LOCAL for b in there.blocks(number))
    assert len(roots(there.hosts[:4])) == 1
    linked = [there.world.network.are_linked(there.hosts[4].player, host.player) for host in there.hosts[:4]]
    # A hint costs one comparison and has no sender to be refused; entries beyond the budget are dropped.
    assert any(linked) is (kind in ("hints", "entries"))


def test_who_was_cut_off_for_a_window_loses_it_at_most_and_told_no_lie() -> None:
    """Found here: it claimed more originality than those found who had heard more, and that counted as made up."""
    with shared():
        there = seated((Honest(count=6, habits=HABITS),))
        world, alone = there.world, there.hosts[5].player
        others = [host.player for host in there.hosts[:5]]
        world.run_until(SMALL.window_start_us(Window(there.first + 5)) - SECOND // 2)
        for other in others:
            world.unlink(alone, other)
        world.run_until(world.now_us + 13 * SECOND)
        for other in others:
            world.link(alone, other)
        world.run_until(world.now_us + SMALL.window_us)
        settle(world)
    blocks = [block for number in range(6) for block in there.blocks(number)]
    reasons = {why for block in blocks for why in block.reasons}
    assert Why.ORIGINALITY_MISMATCH in reasons and not reasons & FABRICATED
    assert len(roots(there.hosts)) == 1


def test_pulses_that_come_late_cost_a_window_its_riff_and_nothing_else() -> None:
    """Found by the split and the floods: two pulses after the riff was drawn, and the block of it was rejected."""
    with shared():
        there = seated((Honest(count=6, habits=HABITS),))
        world, at = there.world, Window(there.first + 4)
        ways = [(one.player, other.player) for one in there.hosts[:4] for other in there.hosts[4:]]
        world.run_until(SMALL.window_start_us(at) - SECOND // 2)
        for way in ways:
            world.unlink(*way)
        world.run_until(SMALL.window_start_us(at) + 4 * SECOND)
        for way in ways:
            world.link(*way)
        world.run_until(SMALL.window_start_us(at) + 12 * SECOND)
        settle(world)
    blocks = [block for number in range(4) for block in there.blocks(number) if block.window == at and block.op.riff]
    assert blocks and all(block.standing is Standing.LOCAL and block.reward for block in blocks)
    assert {(vote.vote, vote.why) for block in blocks for vote in block.votes} == {(Vote.YES, Why.RIFF_PULSES)}
    assert {block.reward.riff_q16 for block in blocks if block.reward} == {SMALL.riff_absent_q16}
    assert len(roots(there.hosts)) == 1


def test_who_refuses_somebody_leaves_them_to_the_others() -> None:
    there = played(Honest(count=3, habits=HABITS), Honest(count=2, refuses=(0,), habits=HABITS))
    for number in (3, 4):
        assert 0 not in {of for of, _, _ in there.votes_of(number)}
        assert {1, 2} <= {of for of, _, _ in there.votes_of(number)}
    assert there.blocks(0)
    assert len(roots(there.hosts)) == 1
