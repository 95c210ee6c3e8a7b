"""What a window is worth: the pieces of quality, whole windows, replays, and the riff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from consensus import riff
from consensus.events import Onset, onsets
from consensus.ops import Pulse, PulseRef
from consensus.params import MAIN, SMALL, Params
from consensus.quality import diversity, harmony, humanness, liveness, timing, wife3
from consensus.quality.grid import Grid
from consensus.quality.measure import combined_q16, measure, total_q16
from consensus.quality.replay import ReplayIndex
from consensus.riff import Call
from crdt.canonical import digest
from crdt.types import EntryId, Micros, PlayerId, Window
from tests.consensus.world import performance
from tests.vectors.encoding import MEASURES, NETWORK
from tests.vectors.form import Case, File, plain, though, under, verdict
from tests.vectors.paying import P, ruled

GRID, SWUNG, LONG = Grid(120_000, 4, 4), Grid(97_123, 3, 3), Grid(20_000, 4, 1)
WINDOW_US = SMALL.window_us


NAMES = ("quality", "windows", "replay", "riff")


def files() -> list[File]:
    """The files of this module."""
    return [
        File(
            "quality",
            "The pieces of quality: grids, timing, accuracy, lanes, consonance, liveness, the whole.",
            _pieces(),
            ("grid", "chance", "accuracy", "worth", "deviation", "ties", "notes", "whole"),
        ),
        File(
            "windows",
            "Onsets of a window as [t, lane, velocity, pitch] (params: small): measures, or why it is no block.",
            _windows(),
        ),
        File(
            "replay",
            "A window against known takes (params: small): what it is most like, and whether it is a replay.",
            _replays(),
            shared=("known",),
        ),
        File("riff", "Who decides a riff, what is asked, and what answers it.", _riffs(), ("moments",)),
    ]


def _notes(seed: int, start_us: int = 0, length_us: int = WINDOW_US) -> tuple[Onset, ...]:
    return onsets(tuple(performance(seed, start_us, length_us)))


def _struck(times: Sequence[int], lanes: int = 4, pitch: int = 0) -> tuple[Onset, ...]:
    return tuple(Onset(Micros(t), n % lanes, 80, pitch and pitch + n * 7 % 12) for n, t in enumerate(times))


def _pieces() -> list[Case]:
    cases = []
    for grid in (GRID, SWUNG, LONG):
        cases += [
            ruled("grid", MAIN, {"grid": grid, "t": t}, lambda g=grid, t=t: placed(g, t))
            for t in (0, 62_499, 62_500, 62_501, 1_000_000, 3_333_333, 2**40)
        ]
        cases.append(ruled("chance", MAIN, {"grid": grid}, lambda g=grid: wife3.chance_q16(g)))
        cases += [
            ruled("accuracy", MAIN, {"grid": grid, "deviations": d}, lambda g=grid, d=d: wife3.accuracy_q16(MAIN, g, d))
            for d in ([], [0], [10_000, -10_000, 30_000], [90_000] * 3, [200_000], [1, -1, 2])
        ]
    cases += [
        ruled("worth", MAIN, {"error": e}, lambda e=e: wife3.worth_q16(e))
        for e in (0, 1, 999, 1_000, -1_500, 45_000, 180_000, 10**9)
    ]
    cases += [
        ruled("deviation", MAIN, {"values": v}, lambda v=v: timing.deviation_sd(v))
        for v in ([], [5], [1, 2], [-7, 7, 7], [10**6, 0])
    ]
    cases += [
        ruled("ties", MAIN, {"values": v}, lambda v=v: humanness.tied_pairs_q16(v))
        for v in ([], [5], [5, 5], [0, 1, 2, 3], [0, 400, 900])
    ]
    several = [
        _notes(1),
        _notes(2)[:30],
        _struck([]),
        _struck([0]),
        _struck(range(0, 10**7, 125_000)),
        _struck(range(0, 10**7, 10**6), 1),
        _struck(range(0, 10**7, 250_000), 4, 60),
    ]
    for notes in several:
        given = {"grid": GRID, "onsets": notes}
        cases.append(ruled("notes", SMALL, given, lambda n=notes: looked_at(n)))
    for parts in (
        MEASURES,
        _alike(65_536),
        _alike(0),
        _alike(1),
        _alike(40_000),
        msgspec.structs.replace(_alike(65_536), humanness=0),
        msgspec.structs.replace(_alike(65_536), humanness=MAIN.human_mark_q16 - 1),
    ):
        cases.append(
            ruled(
                "whole",
                MAIN,
                {"measures": parts},
                lambda m=parts: {"mean": combined_q16(m), "total": total_q16(MAIN, m)},
            )
        )
    return cases


def _alike(value: int) -> Any:
    return msgspec.structs.replace(MEASURES, **dict.fromkeys(MEASURES.__struct_fields__, value))


def placed(grid: Grid, t: int) -> dict[str, int]:
    return {
        "step": grid.step(t),
        "step_at": grid.step_at_us(grid.step(t)),
        "deviation": grid.deviation_us(t),
        "step_us": grid.step_us,
    }


def looked_at(notes: tuple[Onset, ...]) -> dict[str, Any]:
    lag = timing.lag_us(GRID, notes) if notes else 0
    hits = timing.timed(GRID, notes, lag)
    counted, lanes = liveness.count(notes), diversity.effective_lanes_q16(notes)
    consonance = harmony.consonance_q16(notes)
    seen = humanness.signs(GRID, hits) if notes else None
    return {
        "lag": lag,
        "counted": counted,
        "liveness": liveness.liveness_q16(SMALL, counted),
        "effective_lanes": lanes,
        "diversity": diversity.diversity_q16(lanes),
        "consonance": consonance,
        "harmony": harmony.harmony_q16(consonance),
        "signs": seen,
        "grades": None if seen is None else humanness.grades_q16(SMALL, seen),
    }


def _windows() -> list[Case]:
    played = _notes(1)
    exact = tuple(msgspec.structs.replace(o, t_us=Micros(GRID.step_at_us(GRID.step(o.t_us)))) for o in played)
    given = [
        ("played", played),
        ("played otherwise", _notes(2)),
        ("a third", _notes(3)),
        ("a note twice", (*played, played[0])),
        ("in another order", played[::-1]),
        ("nothing", ()),
        ("one note", played[:1]),
        ("eleven notes", played[:11]),
        ("one lane", tuple(msgspec.structs.replace(o, lane=3) for o in played)),
        ("three seconds", tuple(o for o in played if o.t_us < 3_000_000)),
        ("quantised", exact),
        ("a machine that is late", tuple(msgspec.structs.replace(o, t_us=Micros(o.t_us + 17_000)) for o in exact)),
        (
            "a machine of two kinds of late",
            tuple(msgspec.structs.replace(o, t_us=Micros(o.t_us + 20_000 * (n % 2))) for n, o in enumerate(exact)),
        ),
        ("metronome", _struck(range(0, WINDOW_US, 125_000))),
        ("all at once", _struck([5_000_000 + n for n in range(60)])),
    ]
    return [_window(name, notes) for name, notes in given]


def _window(name: str, notes: tuple[Onset, ...]) -> Case:
    found = measure(SMALL, GRID, notes, ReplayIndex())
    given = {"grid": GRID, "onsets": [list(plain(o).values()) for o in notes]}
    expect = None if found.why else {"measures": found.measures}
    return verdict(name, given, expect, found.why.name.lower())


def _replays() -> list[Case]:
    takes = [_notes(n) for n in (1, 2)]
    known = ReplayIndex()
    for n, notes in enumerate(takes):
        known.add(bytes([n]) * 4, Window(n), notes)
    one = takes[0]
    given: list[tuple[str, tuple[Onset, ...], int | None]] = [
        ("the take itself", one, None),
        ("shifted", _shifted(one, lambda t: t + 7_654_321), None),
        ("a little faster", _shifted(one, lambda t: t * 51 // 52), None),
        ("jittered by up to 3 ms", _shifted(one, lambda t: t + t * 7_919 % 6_001 - 3_000), None),
        ("the other take", takes[1], None),
        ("half of it", one[: len(one) // 2], None),
        ("played anew", _notes(9), None),
        ("on other lanes", tuple(msgspec.structs.replace(o, lane=o.lane + 4) for o in one), None),
        ("nothing", (), None),
        ("too few notes", one[:8], None),
        ("known only later", one, 0),
        ("known before", one, 1),
    ]
    cases = []
    for name, notes, before in given:
        match = known.closest(SMALL, notes, None if before is None else Window(before), GRID)
        one_case = {
            "grid": GRID,
            "onsets": [list(plain(o).values()) for o in notes],
            "before": before,
        }
        if not cases:
            one_case["known"] = [
                {"key": bytes([n]) * 4, "window": n, "onsets": [list(plain(o).values()) for o in take]}
                for n, take in enumerate(takes)
            ]
        expect = (
            None
            if match is None
            else {"match": match, "is_replay": match.is_replay(SMALL), "likeness": match.likeness_q16(SMALL)}
        )
        one = {"name": name, "given": plain(one_case), "expect": plain(expect)}
        cases.append(though(one, "replay" if expect is not None and expect["is_replay"] else ""))
    return cases


def _shifted(notes: tuple[Onset, ...], move: Any) -> tuple[Onset, ...]:
    return tuple(msgspec.structs.replace(o, t_us=Micros(max(0, move(o.t_us)))) for o in notes)


def pulse_of(n: int, window: int) -> tuple[EntryId, Pulse]:
    """Somebody's pulse in a window."""
    name = digest(b"test-pulse", bytes([n]), window.to_bytes(8, "big"))
    return EntryId(name), Pulse(Window(window), name[:16], bytes(32))


def _riffs() -> list[Case]:
    at, me = Window(301), P[0]
    cases = []
    for count, earlier in [(1, 0), (1, 1), (3, 3), (8, 8), (8, 6), (11, 11)]:
        now, before = ({P[n]: pulse_of(n, w) for n in range(1, most + 1)} for w, most in ((301, count), (300, earlier)))
        others = riff.settled(me, now, before)
        given = {
            "network": NETWORK,
            "window": at,
            "player": me,
            "pulses": sorted((p, e, x.salt) for p, (e, x) in others.items()),
        }
        asked = riff.call(SMALL, NETWORK, at, me, others)
        cases.append(verdict("asked", given, asked, "no riff"))
        if asked is None:
            continue
        order = riff.ranked(NETWORK, at, me, others)
        for refs in _some_refs(order, others, SMALL):
            found = riff.called(SMALL, NETWORK, at, me, others, refs)
            expect, refused = (found, "") if isinstance(found, Call) else (None, found.name.lower())
            cases.append(verdict("called", {**given, "refs": refs}, expect, refused))
    return cases + _answers()


def _some_refs(order: list[PlayerId], others: Any, params: Params) -> list[list[PulseRef]]:
    first = order[: params.riff_pulses]
    named = [
        first,
        first[1:] + order[params.riff_pulses : params.riff_pulses + 1],
        first[2:],
        order[::-1][: params.riff_pulses],
        [],
    ]
    refs = [sorted(PulseRef(p, others[p][0]) for p in some) for some in named]
    refs += [[PulseRef(P[0], EntryId(bytes(32)))], [PulseRef(order[0], EntryId(bytes(32)))]]
    return [some for nth, some in enumerate(refs) if some not in refs[:nth]]


def _answers() -> list[Case]:
    asked = Call(Window(301), (), (3, 0, 3, 9), 3_100_000)
    cases = []
    for grid in (GRID, SWUNG, LONG):
        moments = riff.moments_us(SMALL, grid, 0, asked)
        cases.append(verdict("moments", {"grid": grid, "start": 0, "call": asked}, moments))
        right = [Onset(Micros(t), lane, 80) for t, lane in zip(moments, asked.lanes, strict=True)]
        for name, notes in [
            ("played", right),
            ("a note late", [*right[:3], _late(right[3], SMALL.riff_tolerance_us)]),
            ("a note too late", [*right[:3], _late(right[3], SMALL.riff_tolerance_us + 1)]),
            ("a note missing", right[:3]),
            ("a wrong lane", [*right[:3], msgspec.structs.replace(right[3], lane=8)]),
            ("nothing", []),
            ("another note nearer", sorted([*[_late(o, 5_000) for o in right], Onset(moments[0], 5, 80)])),
            (
                "two in another order",
                sorted([msgspec.structs.replace(o, lane=lane) for o, lane in zip(right, (0, 3, 3, 9), strict=True)]),
            ),
        ]:
            given = {"grid": grid, "start": 0, "call": asked, "onsets": [list(plain(o).values()) for o in notes]}
            answers = riff.is_played(SMALL, grid, 0, asked, notes)
            cases += under("played", [verdict(name, given, answers or None, "not played")])
    return cases


def _late(note: Onset, us: int) -> Onset:
    return msgspec.structs.replace(note, t_us=Micros(note.t_us + us))
