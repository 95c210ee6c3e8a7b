"""What was played: quality, replays, the riff, and blocks."""

from __future__ import annotations

from typing import Any

from consensus import blocks, riff
from consensus.events import Onset
from consensus.facts import SessionFacts
from consensus.ops import Block, Measures, Pulse, PulseRef, Vote
from consensus.params import SMALL, Params, network_id
from consensus.quality import humanness, timing, wife3
from consensus.quality.grid import Grid
from consensus.quality.measure import combined_q16, measure, total_q16
from consensus.quality.replay import ReplayIndex
from consensus.riff import Call
from crdt.entry import open_entry
from tests.vectors import hearing, judging
from tests.vectors.reading import Refused, Rule, holds, typed

hexed = bytes.fromhex
Onsets = tuple[Onset, ...]


def _grid(given: Any) -> Grid:
    return typed(Grid, given["grid"])


def _onsets(given: Any) -> Any:
    return typed(Onsets, given["onsets"])


def _whole(params: Params, given: Any) -> Any:
    parts = typed(Measures, given["measures"])
    return {"mean": combined_q16(parts), "total": total_q16(params, parts)}


def _window(_: Params, given: Any) -> Any:
    found = measure(SMALL, _grid(given), _onsets(given), ReplayIndex())
    if found.why:
        raise Refused(found.why.name.lower())
    return {"measures": found.measures}


def _replay(_: Params, given: Any) -> Any:
    known = judging.known_takes(given["known"])
    match = known.closest(SMALL, _onsets(given), given["before"], _grid(given))
    if match is None:
        return None
    told = {"match": match, "is_replay": match.is_replay(SMALL), "likeness": match.likeness_q16(SMALL)}
    if told["is_replay"]:
        raise Refused("replay", told)
    return told


def _pulses(told: Any) -> Any:
    return {hexed(p): (hexed(entry), Pulse(0, hexed(salt), bytes(32))) for p, entry, salt in told}


def _asked(_: Params, given: Any) -> Any:
    found = riff.call(SMALL, hexed(given["network"]), given["window"], hexed(given["player"]), _pulses(given["pulses"]))
    return holds(found, "no riff")


def _called(_: Params, given: Any) -> Any:
    refs = typed(tuple[PulseRef, ...], given["refs"])
    place = hexed(given["network"]), given["window"], hexed(given["player"])
    found = riff.called(SMALL, *place, _pulses(given["pulses"]), refs)
    if not isinstance(found, Call):
        raise Refused(found.name.lower())
    return found


def _moments(_: Params, given: Any) -> Any:
    return riff.moments_us(SMALL, _grid(given), given["start"], typed(Call, given["call"]))


def _played(_: Params, given: Any) -> Any:
    found = riff.is_played(SMALL, _grid(given), given["start"], typed(Call, given["call"]), _onsets(given))
    return holds(found, "not played")


def _block(_: Params, given: Any) -> Any:
    log = [open_entry(network_id(SMALL), hexed(raw)) for raw in given["log"]]
    held = [entry for entry in log if entry.body.seq in given["entries"]]
    session = typed(SessionFacts | None, given["session"])
    block = typed(Block, given["block"])
    known, others = judging.known_takes(given.get("known", ())), _pulses(given["others"])
    found = blocks.judge(SMALL, session, block, log[0].body.author, held, known, others)
    if found.vote is not Vote.YES:
        raise Refused(found.why.name.lower())
    return {"measures": found.measures}


RULES: dict[tuple[str, str], Rule] = {
    ("quality", "grid"): lambda _, g: hearing.placed(_grid(g), g["t"]),
    ("quality", "chance"): lambda _, g: wife3.chance_q16(_grid(g)),
    ("quality", "accuracy"): lambda p, g: wife3.accuracy_q16(p, _grid(g), g["deviations"]),
    ("quality", "worth"): lambda _, g: wife3.worth_q16(g["error"]),
    ("quality", "deviation"): lambda _, g: timing.deviation_sd(g["values"]),
    ("quality", "ties"): lambda _, g: humanness.tied_pairs_q16(g["values"]),
    ("quality", "notes"): lambda _, g: hearing.looked_at(_onsets(g)),
    ("quality", "whole"): _whole,
    ("windows", ""): _window,
    ("replay", ""): _replay,
    ("riff", "asked"): _asked,
    ("riff", "called"): _called,
    ("riff", "moments"): _moments,
    ("riff", "played"): _played,
    ("blocks", ""): _block,
}
