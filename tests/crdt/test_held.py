import pytest

from crdt.entry import Entry
from crdt.errors import Reason, Violation
from crdt.held import Held
from crdt.limits import HELD_BYTES_MAX, HELD_BYTES_PER_PEER_MAX, HELD_PER_PEER_MAX
from crdt.types import PlayerId, Seq
from tests.crdt.authors import ALICE, BOB, CAROL, chain, key_of, stray

KEY = key_of(ALICE)
SMALL = chain(ALICE, HELD_PER_PEER_MAX + 2)
LARGE = chain(ALICE, HELD_BYTES_PER_PEER_MAX // 16_000 + 2, size=16_000)


def refuse(held: Held, entry: Entry, giver: PlayerId) -> None:
    before = (len(held), held.count_of(giver))
    with pytest.raises(Violation) as caught:
        held.add(entry, giver)
    assert caught.value.reason is Reason.GAP
    assert (len(held), held.count_of(giver)) == before


def test_what_waits_is_taken_once_in_the_order_of_ids() -> None:
    held = Held()
    rivals = [stray(ALICE, 7, label=b"%d" % n) for n in range(3)]
    for entry in rivals:
        held.add(entry, BOB.player)
    assert held.take(KEY, Seq(6)) == []
    assert held.take(key_of(BOB), Seq(7)) == []
    assert held.take(KEY, Seq(7)) == sorted(rivals, key=lambda entry: entry.id)
    assert held.take(KEY, Seq(7)) == []
    assert len(held) == 0


def test_the_same_entry_waits_once_whoever_gives_it() -> None:
    held = Held()
    held.add(SMALL[3], BOB.player)
    held.add(SMALL[3], BOB.player)
    held.add(SMALL[3], CAROL.player)
    assert (len(held), held.count_of(BOB.player), held.count_of(CAROL.player)) == (1, 1, 0)


def test_one_giver_s_entries_are_counted() -> None:
    held = Held()
    for entry in SMALL[:HELD_PER_PEER_MAX]:
        held.add(entry, BOB.player)
    refuse(held, SMALL[-1], BOB.player)
    held.add(SMALL[0], BOB.player)  # is there already
    held.add(SMALL[-1], CAROL.player)
    held.take(KEY, Seq(0))
    held.add(SMALL[-2], BOB.player)
    refuse(held, SMALL[0], BOB.player)


def test_one_giver_s_bytes_are_counted() -> None:
    held = Held()
    fitting = HELD_BYTES_PER_PEER_MAX // len(LARGE[1].raw)
    for entry in LARGE[:fitting]:
        held.add(entry, BOB.player)
    refuse(held, LARGE[fitting], BOB.player)
    held.add(LARGE[fitting], CAROL.player)


def test_all_givers_bytes_are_counted() -> None:
    held = Held()
    size = len(LARGE[-1].raw)
    entry = Entry(LARGE[-1].body, LARGE[-1].id, LARGE[-1].raw)
    for number in range(HELD_BYTES_MAX // size):
        fake_id = number.to_bytes(32, "big")  # a thousand real entries of 16 kB would test nothing more
        held.add(Entry(entry.body, fake_id, entry.raw), PlayerId(bytes([number // 50]) * 32))  # type: ignore[arg-type]
    refuse(held, entry, CAROL.player)


def test_a_giver_that_left_takes_its_entries_along() -> None:
    held = Held()
    for number, entry in enumerate(SMALL[:6]):
        held.add(entry, (BOB if number % 2 else CAROL).player)
    held.forget(BOB.player)
    held.forget(BOB.player)
    assert (len(held), held.count_of(BOB.player), held.count_of(CAROL.player)) == (3, 0, 3)
    assert [len(held.take(KEY, Seq(seq))) for seq in range(6)] == [1, 0, 1, 0, 1, 0]
    assert len(held) == 0


def test_a_dropped_log_gives_its_givers_room_again() -> None:
    held = Held()
    for entry in SMALL[:HELD_PER_PEER_MAX]:
        held.add(entry, BOB.player)
    held.drop(KEY)
    held.drop(KEY)
    assert len(held) == 0
    for entry in SMALL[:HELD_PER_PEER_MAX]:
        held.add(entry, BOB.player)
