"""New entries for those who only listen to gossip."""

from __future__ import annotations

from consensus.params import SMALL
from crdt.keys import Identity
from crdt.limits import FRAME_MAX_BYTES, HERALD_QUEUE_MAX
from crdt.types import Seq
from node.engine.effects import Persist, Publish
from node.engine.engine import Engine
from node.engine.frames import Entries, unpack
from node.engine.herald import EVERY_US, Herald
from node.engine.inputs import Confirmed, OpenSession, Play, Played, Tick
from tests.crdt.authors import ALICE, BOB, JAM, LEDGER, chain

NOW_US = 1_750_000_000_000_000


def heard(published: list[Publish]) -> list[tuple[str, int]]:
    out = []
    for one in published:
        frame = unpack(one.frame)
        assert isinstance(frame, Entries) and frame.request == 0
        out.append((frame.document, len(frame.entries)))
    return out


def listened_to() -> Herald:
    herald = Herald(lambda document, log: None)
    assert herald.due(NOW_US, 1) == []
    return herald


def test_nothing_is_kept_or_said_while_nobody_listens() -> None:
    herald = Herald(lambda document, log: None)
    herald.add(chain(ALICE, 5))
    assert herald.due(NOW_US, 1) == []
    herald.add(chain(BOB, 3))
    assert herald.due(NOW_US + EVERY_US, 0) == []
    assert herald.due(NOW_US + 2 * EVERY_US, 1) == []


def test_what_is_new_is_collected_and_said_ten_times_a_second() -> None:
    herald = listened_to()
    entries = chain(ALICE, 9)
    herald.add(entries[:1])
    assert heard(herald.due(NOW_US, 1)) == [(JAM, 1)]
    for number in range(1, 9):
        herald.add(entries[number : number + 1])
        assert herald.due(NOW_US + number * 10_000, 1) == []
    assert heard(herald.due(NOW_US + EVERY_US, 1)) == [(JAM, 8)]
    assert herald.due(NOW_US + 3 * EVERY_US, 1) == []


def test_a_message_is_one_document_and_fits_a_frame() -> None:
    herald = listened_to()
    herald.add(chain(ALICE, 9, size=15_000))
    herald.add(chain(BOB, 2, document=LEDGER))
    said = [herald.due(NOW_US + turn * EVERY_US, 2)[0] for turn in range(6)]
    assert heard(said) == [(JAM, 2), (JAM, 2), (JAM, 2), (JAM, 2), (JAM, 1), (LEDGER, 2)]
    assert all(len(one.frame) < FRAME_MAX_BYTES for one in said)


def test_what_may_not_leave_yet_waits_and_lets_others_pass() -> None:
    limit: list[Seq | None] = [Seq(1)]
    herald = Herald(lambda document, log: limit[0] if document == LEDGER else None)
    herald.due(NOW_US, 1)
    herald.add(chain(ALICE, 3, document=LEDGER))
    herald.add(chain(BOB, 2))
    said = [heard(herald.due(NOW_US + turn * EVERY_US, 1)) for turn in range(3)]
    assert said == [[(LEDGER, 1)], [(JAM, 2)], []]
    limit[0] = None
    assert heard(herald.due(NOW_US + 4 * EVERY_US, 1)) == [(LEDGER, 2)]


def test_what_waits_is_bounded_and_the_oldest_goes() -> None:
    herald = listened_to()
    entries = chain(ALICE, 1)
    herald.add(entries * (HERALD_QUEUE_MAX + 7))
    assert herald.left_out == 7


def test_an_engine_tells_its_own_entries_once_they_are_safe() -> None:
    engine = Engine(Identity(b"\x05" * 32), SMALL, NOW_US)
    engine.handle(NOW_US, Tick(listeners=1))
    effects = engine.handle(NOW_US, OpenSession("tune", 120_000, 4, 4))
    engine.handle(NOW_US + 1, Play((Played(NOW_US, 0, 1, 60, 90),)))
    told = []
    for turn in range(1, 4):
        told += engine.handle(NOW_US + turn * EVERY_US, Tick(listeners=1))
    assert [name.split("/")[0] for name, _ in heard([e for e in told if isinstance(e, Publish)])] == ["jam"]
    effects += told
    for persist in [effect for effect in effects if isinstance(effect, Persist) and effect.signed]:
        assert persist.signed is not None
        engine.handle(NOW_US + 4 * EVERY_US, Confirmed(persist.signed))
    told = engine.handle(NOW_US + 5 * EVERY_US, Tick(listeners=1))
    assert [name.split("/")[0] for name, _ in heard([e for e in told if isinstance(e, Publish)])] == ["ledger"]
