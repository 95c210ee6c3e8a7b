"""Nothing that a proposer can vary changes who verifies it; and nobody votes with a key that is none."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from consensus import vrf
from consensus.ops import Pulse, PulseRef, SessionClose, SessionOpen, session_id
from consensus.params import SMALL
from consensus.selection import Draw, draw, input_of
from crdt.types import Digest, EntryId, Micros, Nonce, PlayerId, Seq, SessionId, Window, jam_document
from tests.consensus.test_vrf import NON_CANONICAL, ORDER_8, SMALL_ORDER
from tests.consensus.world import FIRST, World, quality

OTHERS = 24  # so many that not all are drawn
AT = FIRST + 2 * SMALL.epoch_windows


def settled() -> World:
    """A proposer, the first of the people, in a network where the others were present two epochs before."""
    world = World(1 + OTHERS)
    world.pulse(FIRST, *world.people[1:])
    world.pulse(AT)
    return world


def draws(world: World) -> dict[PlayerId, Draw | None]:
    """What every other player draws for the proposer's window."""
    proposer = world.people[0].player
    alpha = input_of(world.params, world.network, proposer, Window(AT))
    electorate = world.ledger.eligible(Window(AT), proposer)
    found: dict[PlayerId, Draw | None] = {}
    for person in world.people[1:]:
        elector = electorate.get(person.player)
        assert elector is not None and elector.vrf_key == person.vrf_key
        found[person.player] = draw(world.params, person.vrf_seed, alpha, elector.weight, electorate.weight)
    return found


def blocks_of_every_kind(world: World) -> None:
    """Blocks that differ in each field, and in several."""
    me, plain = world.people[0], world.block_op(AT)
    other = SessionId(b"\x07" * 32)
    varied = [
        msgspec.structs.replace(plain, session=other),
        msgspec.structs.replace(plain, document=jam_document(other)),
        msgspec.structs.replace(plain, nonce=Nonce(b"\x09" * len(plain.nonce))),
        msgspec.structs.replace(plain, first=Seq(3), last=Seq(4)),
        msgspec.structs.replace(plain, head=EntryId(b"\x01" * 32)),
        msgspec.structs.replace(plain, root=Digest(b"\x02" * 32)),
        msgspec.structs.replace(plain, quality=quality(12_345)),
        msgspec.structs.replace(plain, riff=not plain.riff),
        msgspec.structs.replace(plain, pulses=(PulseRef(world.people[5].player, EntryId(bytes(32))),)),
    ]
    for op in varied:
        world.say(me, world.epoch(AT), op)


def pulses_of_every_kind(world: World) -> None:
    """The proposer's own pulses: before, then and after, with other salts and other keys to draw with."""
    me = world.people[0]
    for window in (FIRST, FIRST + 1, FIRST + SMALL.epoch_windows, AT, AT, AT + 1):
        for number in range(3):
            key = vrf.public_key(bytes([number, window % 256]) * 16)
            world.say(me, world.epoch(window), Pulse(Window(window), bytes([number]) * 16, key))


def sessions_of_every_kind(world: World) -> None:
    """Jams opened and closed by the proposer."""
    me = world.people[0]
    for number, title in enumerate(("a", "b", "c")):
        op = SessionOpen(title, 60_000 + number, 3, 2, Micros(number), ("tag",))
        world.say(me, world.epoch(FIRST) + number, op)
        world.say(me, world.epoch(FIRST) + number, SessionClose(session_id(me.player, op), Micros(9)))


def a_long_log(world: World) -> None:
    """Where in its log the proposer says what it says."""
    for epoch in range(world.epoch(FIRST) - 3, world.epoch(AT) + 1):
        world.say(world.people[0], epoch)


def a_fork(world: World) -> None:
    """Two entries at one place: nothing that the proposer says counts from there on."""
    me = world.people[0]
    last = me.last
    world.propose(me, AT)
    me.last = last
    world.propose(me, AT, salt=1)
    assert me.player in world.ledger.cuts()


VARIATIONS = [blocks_of_every_kind, pulses_of_every_kind, sessions_of_every_kind, a_long_log, a_fork]


@pytest.fixture(scope="module")
def plain() -> dict[PlayerId, Draw | None]:
    found = draws(settled())
    assert sum(d is None for d in found.values()) == 0 < sum(d is not None and d.tranche > 0 for d in found.values())
    return found


@pytest.mark.parametrize("vary", VARIATIONS, ids=lambda vary: vary.__name__)
def test_what_the_proposer_says_changes_no_draw(
    vary: Callable[[World], None], plain: dict[PlayerId, Draw | None]
) -> None:
    world = settled()
    vary(world)
    assert draws(world) == plain


def test_nor_does_all_of_it_together_nor_its_order(plain: dict[PlayerId, Draw | None]) -> None:
    world = settled()
    for vary in VARIATIONS:
        vary(world)
    assert draws(world) == plain
    for order in (world.entries[::-1], world.entries[1::2] + world.entries[::2]):
        world.ledger = world.replay(order)
        assert draws(world) == plain


def test_another_window_or_another_player_is_another_draw(plain: dict[PlayerId, Draw | None]) -> None:
    """What does change the draw: nobody chooses when windows come, and one's key is one's self."""
    world = settled()
    electorate = world.ledger.eligible(Window(AT), world.people[0].player)
    for proposer, window in ((world.people[0].player, AT + 1), (PlayerId(bytes(32)), AT)):
        alpha = input_of(world.params, world.network, proposer, Window(window))
        found = {
            person.player: draw(world.params, person.vrf_seed, alpha, 1, len(electorate)) for person in world.people[1:]
        }
        assert found != plain


# keys that are none


@pytest.mark.parametrize("point", SMALL_ORDER + NON_CANONICAL)
def test_a_pulse_with_an_invalid_key_makes_nobody_eligible(point: str) -> None:
    world = World(3)
    proposer, one, bad = world.people
    world.pulse(FIRST, proposer, one)
    world.say(bad, world.epoch(FIRST), Pulse(Window(FIRST), bytes(16), bytes.fromhex(point)))
    assert set(world.ledger.eligible(Window(FIRST), proposer.player)) == {one.player}
    assert world.ledger.counts().misplaced == 1


def test_a_mixed_key_makes_nobody_eligible() -> None:
    world = World(2)
    proposer, bad = world.people
    world.pulse(FIRST, proposer)
    mixed = vrf.crypto_core_ed25519_add(bad.vrf_key, ORDER_8)
    world.say(bad, world.epoch(FIRST), Pulse(Window(FIRST), bytes(16), mixed))
    assert set(world.ledger.eligible(Window(FIRST), proposer.player)) == set()
