"""Blocks as who votes judges them, in the light of their log, of others' pulses and of what was played before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from consensus import blocks, riff
from consensus.events import Event, Onset, onsets
from consensus.facts import SessionFacts
from consensus.ops import Block, PulseRef, SessionOpen, Vote, session_id
from consensus.params import SMALL, network_id
from consensus.quality.measure import total_q16
from consensus.quality.replay import ReplayIndex
from crdt.entry import Entry
from crdt.types import Digest, EntryId, Micros, Seq, Window
from tests.consensus.world import Person, jam_log, performance
from tests.vectors.form import Case, File, plain, verdict
from tests.vectors.hearing import GRID, pulse_of
from tests.vectors.paying import P

NAMES = ("blocks",)


def files() -> list[File]:
    """The files of this module."""
    about = "Blocks judged against the log of which `entries` are held (params: small)."
    return [File("blocks", about, _blocks(), shared=("log", "others"))]


def _blocks() -> list[Case]:
    person, window = Person(1), Window(301)
    op = SessionOpen("test", 120_000, 4, 4, Micros(SMALL.window_start_us(Window(300))), ())
    session = SessionFacts(session_id(person.player, op), person.player, op, None)
    log = jam_log(person, network_id(SMALL), session.id, _events(), batch=8)
    block = blocks.build(SMALL, session, window, log, None, ReplayIndex()).block
    assert block is not None
    changed = msgspec.structs.replace
    given: list[tuple[str, Block, SessionFacts | None, Sequence[Entry]]] = [
        ("as it was played", block, session, log),
        ("no session", block, None, log),
        ("a session that was closed before", block, session._replace(closed_t_us=Micros(5)), log),
        ("another document", changed(block, document=block.document[:-1] + "1"), session, log[:0]),
        ("the range backwards", changed(block, first=Seq(9), last=Seq(3)), session, log),
        ("nothing held", block, session, []),
        ("the end is missing", block, session, log[: block.last]),
        ("the beginning is missing", block, session, log[block.first + 1 :]),
        ("an entry less", changed(block, last=Seq(block.last - 1)), session, log),
        ("an entry more", changed(block, first=Seq(block.first - 1)), session, log),
        ("another root", changed(block, root=Digest(bytes(32))), session, log),
        ("another head", changed(block, head=EntryId(bytes(32))), session, log),
        ("a better claim", _claiming(block, accuracy=65_536), session, log),
        ("a worse claim", _claiming(block, accuracy=1), session, log),
        ("less originality, and the total with it", _honest(block), session, log),
        ("only the total", _claiming(block, total=block.quality.total - 1), session, log),
    ]
    others = riff.settled(person.player, *({P[n]: pulse_of(n, w) for n in range(1, 4)} for w in (301, 300)))
    refs = sorted(PulseRef(p, entry) for p, (entry, _) in others.items())
    for name, named in [
        ("a riff that was not played", refs),
        ("a riff on two pulses less", refs[:1]),
        ("a riff on a pulse that nobody has", [PulseRef(P[1], EntryId(bytes(32)))]),
        ("a riff on nothing", []),
        ("a riff, the pulses not ascending", refs[::-1]),
    ]:
        given.append((name, changed(block, riff=True, pulses=tuple(named)), session, log))
    given.append(("pulses without a riff", changed(block, pulses=tuple(refs)), session, log))
    cases = [_judged(name, *one, others=others, log=log if n == 0 else None) for n, (name, *one) in enumerate(given)]
    for name, events in _unfit():
        unfit = jam_log(person, network_id(SMALL), session.id, events, batch=16)
        cut = blocks.slice_of(SMALL, session, window, unfit)
        assert cut is not None
        claimed = changed(block, first=cut.first, last=cut.last, head=cut.head, root=cut.root)
        cases.append(_judged(name, claimed, session, unfit, others=others, log=unfit))
    played = onsets(tuple(_events()))
    for name, at in (("played two windows ago", 299), ("played again later", 303)):
        known = [{"key": b"\x01" * 4, "window": at, "onsets": [list(plain(o).values()) for o in played]}]
        cases.append(_judged(name, block, session, log, others=others, known=known))
    return cases


def _unfit() -> list[tuple[str, list[Event]]]:
    """What somebody might record in the window that makes no block, however it is claimed."""
    changed, played = msgspec.structs.replace, _events()
    return [
        ("a machine on the grid", [changed(e, t_us=Micros(GRID.step_at_us(GRID.step(e.t_us)))) for e in played]),
        ("one lane", [changed(e, lane=2) for e in played]),
        ("eleven notes", played[:: len(played) // 12][:11]),
        ("two seconds", [changed(e, t_us=Micros(12_000_000 + e.t_us // 14)) for e in played]),
    ]


def _events() -> list[Event]:
    return performance(5, 3_000_000, 25_000_000)


def _claiming(block: Block, **claims: int) -> Block:
    return msgspec.structs.replace(block, quality=msgspec.structs.replace(block.quality, **claims))


def _honest(block: Block) -> Block:
    lower = msgspec.structs.replace(block.quality, originality=block.quality.originality // 2)
    return _claiming(block, originality=lower.originality, total=total_q16(SMALL, lower))


def known_takes(told: Sequence[Any]) -> ReplayIndex:
    """What was played before, as it stands in a file."""
    known = ReplayIndex()
    for take in told:
        notes = tuple(Onset(Micros(t), *rest) for t, *rest in take["onsets"])
        known.add(bytes.fromhex(take["key"]), Window(take["window"]), notes)
    return known


def _judged(
    name: str,
    block: Block,
    session: SessionFacts | None,
    entries: Sequence[Entry],
    others: Any,
    log: Any = None,
    known: Sequence[Any] = (),
) -> Case:
    found = blocks.judge(SMALL, session, block, Person(1).player, entries, known_takes(plain(known)), others)
    given: dict[str, Any] = {"session": session, "block": block, "entries": [e.body.seq for e in entries]}
    if known:
        given["known"] = known
    if log is not None:
        given["log"] = [e.raw for e in log]
        given["others"] = sorted((p, entry, pulse.salt) for p, (entry, pulse) in others.items())
    return verdict(
        name, given, {"measures": found.measures} if found.vote is Vote.YES else None, found.why.name.lower()
    )
