"""Who may come to the door, and how often."""

from __future__ import annotations

from crdt.limits import HANDSHAKES_BURST_MAX, HANDSHAKES_PER_S_MAX, HOSTS_KNOWN_MAX
from node.mesh.doorman import Doorman

HOST, OTHER = "192.0.2.1", "192.0.2.2"


def test_a_room_full_comes_at_once_and_the_rest_a_little_later() -> None:
    doorman = Doorman()
    assert sum(doorman.lets_in(HOST, 0.0) for _ in range(2 * HANDSHAKES_BURST_MAX)) == HANDSHAKES_BURST_MAX
    assert sum(doorman.lets_in(HOST, 1.0) for _ in range(HANDSHAKES_BURST_MAX)) == HANDSHAKES_PER_S_MAX


def test_one_host_does_not_wait_for_another() -> None:
    doorman = Doorman()
    while doorman.lets_in(HOST, 0.0):
        pass
    assert doorman.lets_in(OTHER, 0.0)


def test_whose_players_are_thrown_out_waits_longer_and_not_for_ever() -> None:
    doorman = Doorman()
    for _ in range(100):
        doorman.offended(HOST, 0.0)
    assert not doorman.lets_in(HOST, 5.0)
    assert doorman.lets_in(HOST, 60.0)


def test_asking_in_vain_costs_nothing() -> None:
    doorman = Doorman()
    for moment in range(1_000):
        doorman.lets_in(HOST, moment / 1_000)
    assert doorman.lets_in(HOST, 2.0)


def test_hosts_are_bounded_and_the_longest_untouched_goes_first() -> None:
    doorman = Doorman()
    while doorman.lets_in(HOST, 0.0):
        pass
    for number in range(HOSTS_KNOWN_MAX):
        doorman.lets_in(str(number), 0.0)
    assert doorman.lets_in(HOST, 0.0)
