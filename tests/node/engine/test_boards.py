"""Edits travel like notes: signed, saved, sent; every node shows the same board, whatever came first."""

from __future__ import annotations

import pytest

from consensus.events import Event, decode_events, encode_events
from consensus.params import SMALL, network_id
from consensus.parts import document_at
from crdt.entry import Entry, LogKey, client_id, first_body, next_body, sign
from crdt.errors import Misuse
from crdt.shared import Push, Shared, edit_in, edit_payload
from crdt.types import NO_NONCE, Micros, SessionId
from jam.board import SHAPE, AddSheet, Assign, Board, Change, Line, Say, SetChart, SetStart, SetTempo, SetTitle, op_of
from jam.chart import chart_id, encode_chart, make_chart
from jam.sheets import sheets_of
from jam.synthetic import make
from jam.voices import Piece, Struck, Voice
from node.engine.boards import Boards
from node.engine.documents import Documents, Stored
from node.engine.effects import BoardChanged, Heard, Persist, Send
from node.engine.engine import Engine
from node.engine.inputs import Edit, Tick
from sim.world import Host
from tests.node.engine.test_engine import ME, OTHER, PEER
from tests.sim.room import SECOND, START_US, perform, room, settle, totals


def _session(host: Host) -> SessionId:
    placed = host.engine.current_session(host.world.now_us)
    assert placed is not None
    return placed.facts.id


def _boards(hosts: list[Host]) -> set[Board]:
    return {host.engine.boards.board(_session(host)) for host in hosts}


def test_everyone_edits_and_everyone_sees_the_same() -> None:
    world, hosts = room(3)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    session = _session(hosts[0])
    for host, change in [
        (hosts[0], SetTitle("Blues")),
        (hosts[1], Say("hello")),
        (hosts[2], Assign("bass", hosts[1].player)),
        (hosts[1], SetTitle("Blues in F")),
        (hosts[0], SetTempo(99_000)),
    ]:
        host.give(Edit(change))
        world.run_until(world.now_us + SECOND // 2)
    settle(world)
    (board,) = _boards(hosts)
    assert (board.title, board.tempo_mbpm, board.parts) == ("Blues in F", 99_000, (("bass", hosts[1].player),))
    assert [(line.player, line.text) for line in board.lines] == [(hosts[1].player, "hello")]
    assert len(totals(hosts)) == 1
    for host in hosts:
        assert BoardChanged(session) in host.told
    hosts[2].kill()
    hosts[2].start()
    assert hosts[2].engine.boards.board(session) == board
    world.link_all()
    world.run_until(world.now_us + 40 * SECOND)  # on in a later part
    hosts[2].give(Edit(Say("still here")))
    settle(world)
    (board,) = _boards(hosts)
    assert [line.text for line in board.lines] == ["hello", "still here"]


def test_edits_made_apart_come_together() -> None:
    world, hosts = room(3)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    world.unlink(hosts[0].player, hosts[2].player)
    world.unlink(hosts[1].player, hosts[2].player)
    for number, host in enumerate(hosts):
        host.give(Edit(SetTitle(f"title {number}")))
        host.give(Edit(Say(f"line {number}")))
    world.run_until(world.now_us + SECOND)
    world.link_all()
    settle(world)
    (board,) = _boards(hosts)
    assert sorted(line.text for line in board.lines) == ["line 0", "line 1", "line 2"]


def test_an_edit_is_saved_before_it_is_sent_and_is_no_event() -> None:
    world, hosts = room(2)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    engine = hosts[0].engine
    (persist,) = engine.handle(world.now_us, Edit(Say("hi")))
    assert isinstance(persist, Persist)
    assert all(isinstance(effect, Send) for effect in persist.then)
    engine.handle(world.now_us + 1, Edit(Say("ho")))
    told = [e for e in engine.handle(world.now_us + 2, Tick()) if isinstance(e, BoardChanged | Heard)]
    assert told == [BoardChanged(_session(hosts[0]))]  # once for both
    assert not [e for e in engine.handle(world.now_us + 3, Tick()) if isinstance(e, BoardChanged)]


@pytest.mark.parametrize("change", [Say(""), SetTitle("x" * 99), SetTempo(1)])
def test_what_is_out_of_bounds_signs_nothing(change: Change) -> None:
    world, hosts = room(1)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    before = hosts[0].engine.documents.total()
    with pytest.raises(Misuse):
        hosts[0].engine.handle(world.now_us, Edit(change))
    assert hosts[0].engine.documents.total() == before


def test_without_a_jam_there_is_no_board_to_edit() -> None:
    with pytest.raises(Misuse):
        Engine(ME, SMALL, START_US).handle(START_US, Edit(Say("anyone?")))


SESSION = SessionId(b"\x09" * 32)
PART = f"jam/{SESSION.hex()}/0"


def _say(documents: Documents, who: object, boards: Boards, text: str, after: Entry | None = None) -> Entry:
    key = LogKey(who.player, NO_NONCE)  # type: ignore[attr-defined]
    payload = boards.draft(PART, key, Say(text), 1)  # type: ignore[arg-type]
    network = network_id(SMALL)
    body = next_body(after, payload) if after else first_body(network, PART, key, payload)  # type: ignore[arg-type]
    entry = sign(who, network, body)  # type: ignore[arg-type]
    documents.admit(PART, entry.raw, key.author)  # type: ignore[arg-type]
    return entry


def test_when_a_fork_cuts_a_log_its_edits_are_gone_and_others_go_on() -> None:
    documents = Documents(SMALL, Stored())
    boards = Boards(documents)
    first = _say(documents, OTHER, boards, "kept")
    second = _say(documents, OTHER, boards, "cut", first)
    reply = _say(documents, PEER, boards, "a reply to what was cut")
    rival = sign(OTHER, network_id(SMALL), next_body(first, encode_events((Event(Micros(1), 0, 1, 60, 90),))))
    assert [line.text for line in boards.board(SESSION).lines] == ["kept", "cut", "a reply to what was cut"]
    documents.admit(PART, rival.raw, PEER.player)  # type: ignore[arg-type]
    assert [line.text for line in boards.board(SESSION).lines] == ["kept"]
    _say(documents, PEER, boards, "a new line", reply)
    assert [line.text for line in boards.board(SESSION).lines] == ["kept", "a new line"]
    other_order = Documents(SMALL, Stored())
    for entry in (reply, first, rival, second):
        other_order.admit(PART, entry.raw, PEER.player)  # type: ignore[arg-type]
    assert [line.text for line in Boards(other_order).board(SESSION).lines] == ["kept"]


def test_nobody_writes_under_anothers_client_id() -> None:
    documents = Documents(SMALL, Stored())
    boards = Boards(documents)
    theirs = client_id(PART, LogKey(OTHER.player, NO_NONCE))  # type: ignore[arg-type]
    update = Shared(SHAPE).draft(theirs, PEER.player, Push("chat", (1, PEER.player.hex(), "not mine")))
    key = LogKey(PEER.player, NO_NONCE)
    body = first_body(network_id(SMALL), PART, key, edit_payload(update))  # type: ignore[arg-type]
    documents.admit(PART, sign(PEER, network_id(SMALL), body).raw, PEER.player)  # type: ignore[arg-type]
    assert boards.board(SESSION) == Board()
    _say(documents, OTHER, boards, "mine")
    assert boards.board(SESSION).lines == (Line(1, OTHER.player, "mine"),)


def test_events_and_edits_are_told_apart() -> None:
    edit = edit_payload(Shared(SHAPE).draft(5, ME.player, op_of(Say("x"), ME.player, 1)))
    events = encode_events((Event(Micros(1), 0, 1, 60, 90), Event(Micros(2), 0, 1, 60, 90)))
    assert decode_events(edit) == ()
    assert edit_in(events) is None
    assert decode_events(events) and edit_in(edit)


def test_a_node_counts_no_edit_as_playing() -> None:
    world, hosts = room(2)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    heard = hosts[1].engine.counters["events_heard"]
    hosts[0].give(Edit(Say("hi")))
    world.run_until(world.now_us + SECOND)
    assert hosts[1].engine.counters["events_heard"] == heard
    placed = hosts[0].engine.current_session(world.now_us)
    assert placed is not None
    name = document_at(SMALL, placed.facts, world.now_us - SECOND - placed.facts.op.t0_us)
    assert edit_in(
        hosts[1].engine.documents.replicas[name].logs[LogKey(hosts[0].player, NO_NONCE)].entries[-1].body.payload
    )


def test_a_chart_reaches_everyone_and_who_joins_late_in_a_later_part() -> None:
    """Several pieces long, shared by one, with its parts taken by others, while one is away."""
    world, hosts = room(3)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    session = _session(hosts[0])
    hosts[2].kill()
    notes = tuple(Struck(n * 24 + n % 7 * 700, n * 37 % 128, 90) for n in range(2_000))
    chart = make_chart(Piece("song", 60_000, 4, (Voice("one", False, notes),)), players=2, level="hard")
    encoded = encode_chart(chart)
    sheets = list(sheets_of(encoded))
    assert len(sheets) > 1
    hosts[0].give(Edit(SetChart(chart_id(encoded))))
    for sheet in sheets:
        assert hosts[0].engine.boards.chart(session) is None  # not whole yet
        hosts[0].give(Edit(AddSheet(*sheet)))
    hosts[0].give(Edit(SetStart(12)))
    hosts[1].give(Edit(Assign("one a", hosts[1].player)))
    settle(world)
    for host in hosts[:2]:
        assert host.engine.boards.chart(session) == chart
        assert host.engine.boards.board(session).start_bar == 12
    world.run_until(world.now_us + 40 * SECOND)  # on in a later part
    hosts[2].start()
    world.link_all()
    settle(world)
    late = hosts[2].engine.boards
    assert late.chart(session) == chart and late.board(session).parts == (("one a", hosts[1].player),)
    hosts[1].give(Edit(SetChart("")))
    settle(world)
    assert late.chart(session) is None


def test_everyone_leaves_and_comes_back_to_the_same_jam() -> None:
    world, hosts = room(2)
    world.run_until(perform(world, hosts[0], make(3, 2 * SECOND, 100_000)))
    session = _session(hosts[0])
    hosts[1].give(Edit(Say("see you")))
    settle(world)
    board = hosts[0].engine.boards.board(session)
    for host in hosts:
        host.kill()
    world.run_until(world.now_us + 25 * SECOND)
    for host in hosts:
        host.start()
    world.link_all()
    world.run_until(world.now_us + 5 * SECOND)
    assert {_session(host) for host in hosts} == {session}
    assert _boards(hosts) == {board}


@pytest.mark.parametrize(
    "change", [SetStart(-1), SetStart(2**31), AddSheet("x", 0, 1, "a"), AddSheet("0" * 64, 1, 1, "a")]
)
def test_what_no_chart_can_say_is_refused(change: Change) -> None:
    with pytest.raises(Misuse):
        op_of(change, ME.player, 0)
