from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Array, Doc

from crdt.entry import Entry, LogKey, client_id
from crdt.errors import Reason, Violation
from crdt.follower import Follower
from crdt.gate import entries_of
from crdt.limits import ENTRIES_FRAME_BYTES
from crdt.replica import Replica
from crdt.types import Nonce, Seq
from crdt.view import View
from crdt.yupdate import decode_state_vector, encode_append, encode_state_vector
from tests.crdt.authors import ALICE, BOB, CAROL, GIVER, JAM, NETWORK, chain, key_of
from tests.crdt.worlds import replica_of

LOGS = [chain(ALICE, 9), chain(BOB, 5), chain(CAROL, 7), chain(ALICE, 4, nonce=Nonce(b"another."))]
ALICES = client_id(JAM, key_of(ALICE))


class Client:
    """A Yjs client: a Y.Doc, and the follower that it has at a node."""

    def __init__(self, replica: Replica) -> None:
        self.doc: Doc[Array[bytes]] = Doc(client_id=5)
        self.replica = replica
        self.limits: dict[LogKey, Seq] = {}
        self.attach()

    def attach(self) -> None:
        self.follower = Follower(lambda: self.replica, decode_state_vector(self.doc.get_state()), self.limits.get)

    def catch_up(self) -> int:
        count = 0
        while (update := self.follower.next_update()) is not None:
            self.doc.apply_update(update)
            count += 1
        return count


@given(st.data())
def test_a_client_sees_the_same_bytes_as_the_view_whenever_it_looks_and_reconnects(data: st.DataObject) -> None:
    replica = Replica(NETWORK, JAM)
    client = Client(replica)
    left = [list(log) for log in LOGS]
    while any(left):
        log = data.draw(st.sampled_from([log for log in left if log]))
        for _ in range(data.draw(st.integers(1, len(log)))):
            replica.admit(log.pop(0), GIVER)
        if data.draw(st.booleans()):
            client.attach()
        if data.draw(st.booleans()):
            client.catch_up()
            assert client.doc.get_update() == View(replica).update()
    client.catch_up()
    assert client.doc.get_update() == View(replica).update()
    assert not client.follower.is_torn()
    assert entries_of(replica, client.doc.get_update())


def test_nothing_new_is_nothing_to_send() -> None:
    replica = Replica(NETWORK, JAM)
    client = Client(replica)
    assert client.follower.next_update() is None
    replica.admit(LOGS[0][0], GIVER)
    assert client.catch_up() == 1
    assert client.follower.next_update() is None


def test_updates_are_bounded() -> None:
    big = chain(ALICE, 30, size=8_000)
    replica = replica_of(JAM, big)
    follower = Follower(lambda: replica, {}, lambda _: None)
    sizes = []
    while (update := follower.next_update()) is not None:
        sizes.append(len(update))
    assert len(sizes) >= 6
    assert max(sizes) < ENTRIES_FRAME_BYTES + 9_000


def test_what_may_not_leave_is_not_shown_until_it_may() -> None:
    replica = replica_of(JAM, LOGS[0])
    client = Client(replica)
    client.limits[key_of(ALICE)] = Seq(4)
    client.catch_up()
    assert client.doc.get_update() == View(replica_of(JAM, LOGS[0][:4])).update()
    client.limits.clear()
    assert client.catch_up() == 1
    assert client.doc.get_update() == View(replica).update()


def test_a_client_that_knows_more_is_sent_nothing_and_is_not_torn() -> None:
    replica = replica_of(JAM, LOGS[0][:3])
    follower = Follower(lambda: replica, {ALICES: 6}, lambda _: None)
    assert follower.next_update() is None
    assert not follower.is_torn()
    replica.admit(LOGS[0][3], GIVER)
    assert follower.next_update() is None


@pytest.mark.parametrize(("shown", "torn"), [(0, False), (2, False), (3, True), (9, True)])
def test_a_fork_tears_whoever_saw_past_it(shown: int, torn: bool) -> None:
    replica = replica_of(JAM, LOGS[0])
    follower = Follower(lambda: replica, {ALICES: shown}, lambda _: None)
    assert not follower.is_torn()
    replica.admit(chain(ALICE, 1, label=b"fork", after=LOGS[0][1])[0], GIVER)
    assert follower.is_torn() is torn
    assert Follower(lambda: replica, {ALICES: shown}, lambda _: None).is_torn() is torn


def test_a_fork_at_the_very_first_entry_tears_too() -> None:
    replica = replica_of(JAM, LOGS[0][:1])
    follower = Follower(lambda: replica, {}, lambda _: None)
    assert follower.next_update() is not None
    replica.admit(chain(ALICE, 1, label=b"fork")[0], GIVER)
    assert follower.is_torn()
    assert follower.next_update() is None


def test_a_log_that_takes_over_a_client_id_tears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crdt.follower.client_id", lambda document, key: 7)
    low, high = sorted((LOGS[0], LOGS[1]), key=lambda log: log[0].log)
    replica = replica_of(JAM, high[:2])
    follower = Follower(lambda: replica, {}, lambda _: None)
    assert follower.next_update() is not None
    assert not follower.is_torn()
    replica.admit(low[0], GIVER)
    assert follower.is_torn()
    other = replica_of(JAM, low[:2])
    beside = Follower(lambda: other, {}, lambda _: None)
    assert beside.next_update() is not None
    later: list[Entry] = high[:1]
    other.admit(later[0], GIVER)
    assert not beside.is_torn()
    assert beside.next_update() is None


def test_a_document_that_is_begun_or_dropped_meanwhile_is_noticed() -> None:
    held = Replica(NETWORK, JAM)
    follower = Follower(lambda: held, {}, lambda _: None)
    assert follower.next_update() is None
    held = replica_of(JAM, LOGS[0])
    assert follower.clocks() == {ALICES: 9}
    assert follower.next_update() == View(held).update()
    assert not follower.is_torn()
    held = Replica(NETWORK, JAM)
    assert follower.is_torn()


@given(st.dictionaries(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), max_size=9))
def test_a_state_vector_is_decoded_as_it_was_encoded(clocks: dict[int, int]) -> None:
    assert decode_state_vector(encode_state_vector(clocks)) == clocks


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", Reason.TRUNCATED),
        (b"\x01\x05", Reason.TRUNCATED),
        (b"\x00\x00", Reason.GARBAGE),
        (b"\x80\x00", Reason.NON_CANONICAL),
        (b"\xff\xff\xff\xff\x0f", Reason.OVERSIZE),
        (b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", Reason.GARBAGE),
    ],
)
def test_a_malformed_state_vector_is_refused(raw: bytes, reason: Reason) -> None:
    with pytest.raises(Violation) as caught:
        decode_state_vector(raw)
    assert caught.value.reason == reason


def test_several_appends_are_one_update() -> None:
    replica = replica_of(JAM, [*LOGS[0], *LOGS[1], *LOGS[2]])
    update = Follower(lambda: replica, {}, lambda _: None).next_update()
    assert update == View(replica).update()
    assert encode_append("log:a", 3, 0, [b"x"]) == b"\x01\x01\x03\x00\x08\x01\x05log:a\x01\x74\x01x\x00"
