from __future__ import annotations

import msgspec

from consensus import vrf
from consensus.chains import Source
from consensus.ops import Pulse
from consensus.params import ONE_Q16, SMALL
from consensus.presence import Presence
from crdt.types import NO_ENTRY, Seq, Window
from tests.consensus.world import FIRST, World

EPOCH = SMALL.epoch_windows


def names(world: World, window: int, proposer: int = 0) -> list[int]:
    electorate = world.ledger.eligible(Window(window), world.people[proposer].player)
    assert len(list(electorate)) == len(electorate) == electorate.weight // ONE_Q16
    return [n for n, person in enumerate(world.people) if person.player in electorate]


def test_in_a_new_network_whoever_is_present_but_never_the_proposer() -> None:
    world = World(4)
    world.pulse(FIRST, *world.people[:3])
    assert names(world, FIRST) == [1, 2]
    assert names(world, FIRST, proposer=3) == [0, 1, 2]
    assert names(world, FIRST + 1) == []


def test_later_those_of_the_epoch_two_back() -> None:
    world = World(4)
    world.pulse(FIRST, *world.people[:3])
    world.pulse(FIRST + 2 * EPOCH, *world.people)
    assert names(world, FIRST + 2 * EPOCH) == [1, 2]  # the newcomer waits
    assert names(world, FIRST + 2 * EPOCH + EPOCH - 1) == [1, 2]
    assert names(world, FIRST + 3 * EPOCH) == []
    assert names(world, FIRST + 4 * EPOCH) == [1, 2, 3]


def test_a_player_that_was_alone_two_epochs_back_is_verified_by_those_present_now() -> None:
    world = World(3)
    world.pulse(FIRST, world.people[0])
    world.pulse(FIRST + 2 * EPOCH)
    assert names(world, FIRST + 2 * EPOCH, proposer=0) == [1, 2]
    assert names(world, FIRST + 2 * EPOCH, proposer=1) == [0]


def test_the_key_is_that_of_the_first_pulse_in_the_log_whatever_arrived_first() -> None:
    world = World(2)
    person, other_key = world.people[1], vrf.public_key(bytes(32))
    world.pulse(FIRST, person)
    world.say(person, world.epoch(FIRST), Pulse(Window(FIRST + 1), bytes(16), other_key))
    for ledger in (world.ledger, world.replay(reversed(world.entries))):
        elector = ledger.eligible(Window(FIRST + 2 * EPOCH), world.people[0].player).get(person.player)
        assert elector is not None and elector.vrf_key == person.vrf_key
        now = ledger.eligible(Window(FIRST + 1), world.people[0].player).get(person.player)
        assert now is not None and now.vrf_key == other_key  # new network: the key of that very window


def test_a_snapshot_is_hashed_once_until_it_is_another() -> None:
    world = World(3)
    source = Source(world.epoch(FIRST), Seq(0), 0, world.people[0].player, NO_ENTRY)
    pulse = Pulse(Window(FIRST), bytes(16), world.people[0].vrf_key)
    presence = Presence(world.params)
    presence.say(source, pulse)
    held = presence.snapshot_digest(world.epoch(FIRST))
    presence.say(source, msgspec.structs.replace(pulse, window=Window(FIRST + EPOCH)))
    assert presence.snapshot_digest(world.epoch(FIRST)) is held
    presence.say(msgspec.structs.replace(source, author=world.people[1].player), pulse)
    assert presence.snapshot_digest(world.epoch(FIRST)) != held
    presence.unsay(msgspec.structs.replace(source, author=world.people[1].player), pulse)
    assert presence.snapshot_digest(world.epoch(FIRST)) == held


def test_pulses_that_do_not_count() -> None:
    world = World(2)
    person = world.people[1]
    good = Pulse(Window(FIRST), bytes(16), person.vrf_key)
    world.say(person, world.epoch(FIRST) - 1, good)  # too early a document
    small_order = b"\x01" + bytes(31)
    world.say(person, world.epoch(FIRST), Pulse(Window(FIRST), bytes(16), small_order))
    world.say(person, world.epoch(FIRST) + 1, good)  # too late
    assert world.ledger.pulses(Window(FIRST)) == {} and names(world, FIRST) == []
    assert world.ledger.counts().misplaced == 3


def test_pulses_name_the_entry_that_carried_them() -> None:
    world = World(3)
    world.pulse(FIRST)
    found = world.ledger.pulses(Window(FIRST))
    assert list(found) == sorted(p.player for p in world.people)
    assert {entry for entry, _ in found.values()} == {entry.id for entry in world.entries}


def test_who_is_eligible_is_worked_out_again_when_a_pulse_comes_late() -> None:
    world = World(3)
    world.pulse(FIRST, world.people[1])
    assert names(world, FIRST + 2 * EPOCH) == [1]
    world.pulse(FIRST + 1, world.people[2])
    assert names(world, FIRST + 2 * EPOCH) == [1, 2]
