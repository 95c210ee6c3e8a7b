"""Whether somebody was playing at all: how much, on how many lanes, for how long (SPEC 6).

Below any of three minima there is no block. Above them liveness grows with the seconds in which something was
played and with the number of notes, and is full for playing through three quarters of a window at twice the least
number of notes: a rest belongs to music, so nobody is paid for filling every second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from consensus.events import Onset
from consensus.ops import Why
from consensus.params import ONE_Q16, Params


class Liveness(NamedTuple):
    """What was counted: onsets, different lanes, seconds with an onset in them."""

    events: int
    lanes: int
    active_s: int


def count(onsets: Sequence[Onset]) -> Liveness:
    """Count what was played. Seconds are those of session time."""
    return Liveness(len(onsets), len({o.lane for o in onsets}), len({o.t_us // 1_000_000 for o in onsets}))


def refusal(params: Params, counted: Liveness) -> Why:
    """Why this is too little for a block, or FINE."""
    if counted.events < params.min_events:
        return Why.TOO_FEW_EVENTS
    if counted.lanes < params.min_lanes:
        return Why.TOO_FEW_LANES
    if counted.active_s < params.min_active_s:
        return Why.TOO_SHORT
    return Why.FINE


def liveness_q16(params: Params, counted: Liveness) -> int:
    """Half for time, half for notes, each up to its full measure."""
    time_q16 = min(ONE_Q16, 4 * counted.active_s * ONE_Q16 // (3 * params.window_s))
    notes_q16 = min(ONE_Q16, counted.events * ONE_Q16 // (2 * params.min_events))
    return (time_q16 + notes_q16) // 2
