"""Session time with and without a link to the creator: right within its bound, never going back, whoever lies."""

from __future__ import annotations

from itertools import pairwise

import pytest

from crdt.errors import Misuse, Reason, Violation
from crdt.limits import CLOCK_HOPS_MAX, CLOCK_OFFSET_MAX_US, CLOCK_UNCERTAINTY_MAX_US
from crdt.types import PlayerId
from jam.board import SetTitle
from node.engine import frames
from node.engine.frames import ClockTold, pack, unpack
from node.engine.inputs import Edit, OpenSession, Play, Played
from node.engine.recording import recorded
from node.engine.timing import STALE_US, Shown, told
from tests.node.engine.skewed import Room, Skewed
from tests.sim.room import identity

WISH = OpenSession("skew", 120_000, 4, 4)
SKEWS = [(0, 50), (400_000, -50), (-700_000, 20), (90_000, -30), (5_000, 10), (-40_000, 40), (1_000, 0)]


def _chain(nodes: int) -> tuple[Room, list[Skewed]]:
    """Each linked to the next; the first has opened a jam and everybody knows of it."""
    room = Room(7)
    made = [room.add(identity(i + 1), *SKEWS[i]) for i in range(nodes)]
    for one, other in pairwise(made):
        room.link(one, other)
    room.run(1)
    made[0].give(WISH)
    room.run(10)
    return room, made


def _clock(node: Skewed) -> Shown | None:
    placed = node.engine.current_session(node.now_us)
    assert placed is not None
    return placed.clock


def _error_us(node: Skewed, creator: Skewed) -> int:
    shown = _clock(node)
    assert shown is not None
    return shown.offset_us - (creator.now_us - node.now_us)


def _is_covered(node: Skewed, creator: Skewed) -> bool:
    shown = _clock(node)
    assert shown is not None
    return abs(_error_us(node, creator)) <= shown.uncertainty_us + 2


def _time(node: Skewed) -> int:
    placed = node.engine.current_session(node.now_us)
    assert placed is not None
    return node.engine.sessions.session_time(node.now_us, placed)


def _watch(room: Room, nodes: list[Skewed], creator: Skewed, seconds: int) -> None:
    """Let time pass; nowhere does it ever go back, everywhere the bound holds."""
    before = [_time(node) for node in nodes]
    for _ in range(seconds * 20):
        room.run(0.05)
        after = [_time(node) for node in nodes]
        assert all(b < a for b, a in zip(before, after, strict=True))
        assert all(_is_covered(node, creator) for node in nodes)
        before = after


def test_time_comes_through_others_where_there_is_no_link_to_the_creator() -> None:
    room, (creator, near, far, farther) = _chain(4)
    _watch(room, [near, far, farther], creator, 40)
    shown = [_clock(node) for node in (near, far, farther)]
    assert [one.via if one else b"" for one in shown] == [None, near.player, far.player]
    uncertain_us = [one.uncertainty_us for one in shown if one]
    assert uncertain_us == sorted(uncertain_us)
    assert abs(_error_us(far, creator)) < 500 and abs(_error_us(farther, creator)) < 800


def test_whose_clock_is_played_by_is_measured_well_and_others_roughly() -> None:
    room, (creator, near, far, farther) = _chain(4)
    room.run(10)
    assert far.engine.timing.is_needed(near.player) and not far.engine.timing.is_needed(farther.player)
    assert not creator.engine.timing.is_needed(near.player)
    bounds = far.engine.peers[near.player].clock.measurements, far.engine.peers[farther.player].clock.measurements
    assert len(bounds[0]) > len(bounds[1]) >= 1


def test_a_better_way_is_taken_when_it_appears_and_time_does_not_jump() -> None:
    room, (creator, near, far) = _chain(3)
    _watch(room, [far], creator, 5)
    room.link(creator, far)
    _watch(room, [near, far], creator, 10)
    shown = _clock(far)
    assert shown is not None and shown.via is None
    room.unlink(creator, far)  # and back: what is told again is taken, what was measured carried on until then
    _watch(room, [near, far], creator, 10)
    shown = _clock(far)
    assert shown is not None and shown.via == near.player


def test_without_any_way_time_goes_on_ever_less_certain() -> None:
    room, (creator, near, far) = _chain(3)
    room.unlink(creator, near)
    _watch(room, [near, far], creator, 10)
    before = _clock(far)
    room.unlink(near, far)
    _watch(room, [near, far], creator, 8)
    after = _clock(far)
    assert before is not None and after is not None
    assert after.uncertainty_us > before.uncertainty_us


def test_who_joins_late_places_nothing_before_the_time_is_known() -> None:
    """Until then a note would lie as wrong as the clocks are apart, for good: 0.7 s here."""
    room, (creator, _) = _chain(2)
    late = room.add(identity(9), -700_000, 20)
    room.link(creator, late)
    while late.engine.current_session(late.now_us) is None:
        room.run(0.001)
    assert not late.engine.can_place(late.now_us) and creator.engine.can_place(creator.now_us)
    with pytest.raises(Misuse, match="not known here yet"):
        late.give(Edit(SetTitle("mine")))
    played_us, true_us = late.now_us, _time(creator)
    while not late.engine.can_place(late.now_us):
        room.run(0.001)
    assert late.now_us - played_us < 500_000
    late.give(Play((Played(played_us, 0, 1, 60, 100),)))  # which waited meanwhile
    shown, placed = _clock(late), late.engine.current_session(late.now_us)
    assert shown is not None and placed is not None
    [event] = recorded(late.engine.documents, placed.facts.id)[late.player]
    assert abs(event.t_us - true_us) <= shown.uncertainty_us + 20


def test_who_comes_after_the_creator_left_is_told_the_time_by_those_who_stayed() -> None:
    room, (creator, near) = _chain(2)
    room.unlink(creator, near)
    late = room.add(identity(9), 90_000, -30)
    room.link(near, late)
    room.run(4)
    assert late.engine.can_place(late.now_us)
    shown = _clock(late)
    assert shown is not None and shown.via == near.player and _is_covered(late, creator)


def test_who_is_linked_to_the_creator_is_told_nothing() -> None:
    room, (creator, near, far) = _chain(3)
    room.link(creator, far)
    room.run(2 * STALE_US / 1_000_000)
    far.engine.peers[near.player].told_clock = None
    room.run(3)
    assert far.engine.peers[near.player].told_clock is None


def test_a_chain_that_is_too_long_ends() -> None:
    room, nodes = _chain(CLOCK_HOPS_MAX + 3)
    room.run(10)
    assert [_clock(node) is not None for node in nodes] == [True] * (CLOCK_HOPS_MAX + 2) + [False]


def _lie(by_us: int, uncertainty_us: int = 0) -> object:
    def forge(raw: bytes) -> bytes:
        frame = unpack(raw)
        if not isinstance(frame, ClockTold):
            return raw
        return pack(ClockTold(frame.creator, frame.offset_us + by_us, frame.rate_ppb, uncertainty_us, frame.via))

    return forge


def test_a_liar_shifts_those_behind_it_and_nobody_who_measures_for_himself() -> None:
    room, (creator, liar, far) = _chain(3)
    liar.forge = _lie(30_000)  # type: ignore[assignment]
    room.run(60)
    assert abs(_error_us(far, creator) - 30_000) < 1_000
    room.link(creator, far)
    liar.engine.peers[far.player].links = frozenset()  # it goes on telling
    room.run(60)
    shown = _clock(far)
    assert shown is not None and shown.via is None
    assert abs(_error_us(far, creator)) < 1_000


ME, GIVER, CREATOR, OTHER = (identity(n).player for n in (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("creator", "via"),
    [
        (GIVER, ()),
        (CREATOR, (CREATOR,)),
        (CREATOR, (GIVER,)),
        (CREATOR, (OTHER, OTHER)),
    ],
    ids=["its own clock", "through the creator", "through itself", "twice through one"],
)
def test_ways_that_no_node_takes_are_refused(creator: PlayerId, via: tuple[PlayerId, ...]) -> None:
    with pytest.raises(Violation) as caught:
        told(GIVER, ClockTold(creator, 0, 0, 0, via), 0)
    assert caught.value.reason is Reason.UNEXPECTED


@pytest.mark.parametrize(
    ("offset_us", "ppb", "uncertainty_us", "hops"),
    [
        (CLOCK_OFFSET_MAX_US + 1, 0, 0, 0),
        (-CLOCK_OFFSET_MAX_US - 1, 0, 0, 0),
        (0, 200_001, 0, 0),
        (0, 0, -1, 0),
        (0, 0, CLOCK_UNCERTAINTY_MAX_US + 1, 0),
        (0, 0, 0, CLOCK_HOPS_MAX),
    ],
)
def test_absurd_clocks_are_garbage(offset_us: int, ppb: int, uncertainty_us: int, hops: int) -> None:
    via = tuple(identity(10 + n).player for n in range(hops))
    with pytest.raises(Violation) as caught:
        unpack(pack(frames.ClockTold(CREATOR, offset_us, ppb, uncertainty_us, via)))
    assert caught.value.reason is Reason.GARBAGE


def test_a_way_that_leads_through_this_node_is_not_taken() -> None:
    room, (creator, near, far) = _chain(3)
    shown = _clock(near)
    room.unlink(creator, near)
    near.engine.timing._ways.clear()
    near.engine.peers[far.player].told_clock = told(
        far.player, ClockTold(creator.player, 0, 0, 0, (near.player,)), near.now_us
    )
    assert shown is not None and near.engine.timing.clock(creator.player, near.now_us) is None
