"""Who is kept out, and until when."""

from crdt.limits import BANNED_PEERS_MAX
from crdt.types import PlayerId
from node.mesh.refusals import Refusals


def who(n: int) -> PlayerId:
    return PlayerId(n.to_bytes(32, "big"))


def test_a_refusal_ends() -> None:
    refusals = Refusals()
    refusals.add(who(1), 10.0, 5.0)
    assert refusals.is_refused(who(1), 14.9)
    assert not refusals.is_refused(who(2), 14.9)
    assert not refusals.is_refused(who(1), 15.0)
    assert len(refusals) == 0


def test_a_second_one_never_shortens_the_first() -> None:
    refusals = Refusals()
    refusals.add(who(1), 0.0, 100.0)
    refusals.add(who(1), 1.0, 2.0)
    assert refusals.is_refused(who(1), 50.0)


def test_a_flood_of_keys_is_bounded_and_keeps_the_longest() -> None:
    refusals = Refusals()
    refusals.add(who(0), 0.0, 1e6)
    for n in range(1, BANNED_PEERS_MAX + 100):
        refusals.add(who(n), float(n), 10.0)
    assert len(refusals) == BANNED_PEERS_MAX
    assert refusals.is_refused(who(0), 10.0)
