"""The riff: four notes that a player is asked for during a window, and that nobody could have recorded before (SPEC 6).

Which four lanes, and when, is H(network, player, window, sorted salts of others' pulses). A salt is published in the
window itself, so the riff is known only then. Who answers it is here, now; a recording contains it by chance once in
ten thousand: at each of the four moments the note *nearest* to it counts, and that has one lane of ten. So striking
everything all the time helps nobody, and one plays the riff by itself.

Whose salts: were it all that the player saw, it could leave some out until a riff came that a recording of its own
holds. So they are those of the RIFF_PULSES players ranked first by H(network, window, player, pulser), among those who
pulsed in this window and in the one before: who arrives in the middle of a window changes nobody's riff. One of them
may be missing, as a message may be; the next in rank fills its place. That makes six riffs at most to choose from.

What is left: who pulses last among those five can choose its salt after it saw the others', so a friend may be
bought there, with the odds that docs/attacks.md gives. A window in which nobody else is settled has no riff.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from consensus.events import LANES, Onset
from consensus.ops import Pulse, PulseRef, Why
from consensus.params import Params
from consensus.quality.grid import Grid
from crdt.canonical import digest
from crdt.types import EntryId, NetworkId, PlayerId, Window

NOTES: Final = 4
TEMPO_MAX_MBPM: Final = 400_000  # as fast as a session can be

Pulses = Mapping[PlayerId, tuple[EntryId, Pulse]]


class Call(NamedTuple):
    """What a player is asked for in a window: lanes in their order, from about so long after its start."""

    window: Window
    refs: tuple[PulseRef, ...]  # what it rests on, sorted
    lanes: tuple[int, ...]
    offset_us: int


def settled(player: PlayerId, pulses: Pulses, before: Pulses) -> Pulses:
    """The others who pulsed in a window and in the one before it."""
    return {other: pulses[other] for other in sorted(pulses) if other in before and other != player}


def ranked(network: NetworkId, window: Window, player: PlayerId, others: Iterable[PlayerId]) -> list[PlayerId]:
    """Others in the order in which their pulses are taken: different for each player and window."""
    place = network + window.to_bytes(8, "big") + player
    return sorted(others, key=lambda other: digest(b"symjam-riff-rank", place, other))


def call(params: Params, network: NetworkId, window: Window, player: PlayerId, others: Pulses) -> Call | None:
    """What a player who sees these settled others is asked for; None when there are none."""
    first = ranked(network, window, player, others)[: params.riff_pulses]
    return _call(params, network, window, player, others, first) if first else None


def called(
    params: Params, network: NetworkId, window: Window, player: PlayerId, others: Pulses, refs: Sequence[PulseRef]
) -> Call | Why:
    """What a player was asked for who names these pulses, or what is wrong with them.

    `others` are the settled others whom the verifier sees. MISSING when it lacks a pulse that is named.
    """
    if any(ref.player not in others or others[ref.player][0] != ref.entry for ref in refs):
        return Why.MISSING
    named = {ref.player for ref in refs}
    order = ranked(network, window, player, others)
    absent = [other for other in order[: params.riff_pulses] if other not in named]
    expected = [other for other in order if other not in absent][: params.riff_pulses]
    if not named or len(absent) > 1 or named != set(expected):
        return Why.RIFF_PULSES
    return _call(params, network, window, player, others, expected)


def _call(
    params: Params, network: NetworkId, window: Window, player: PlayerId, others: Pulses, chosen: Iterable[PlayerId]
) -> Call:
    """The riff of the salts of those chosen. It begins in the second quarter of the window or soon after."""
    refs = sorted(PulseRef(other, others[other][0]) for other in chosen)
    salts = sorted(others[ref.player][1].salt for ref in refs)
    seed = digest(b"symjam-riff", network, window.to_bytes(8, "big"), player, *salts)
    drawn = int.from_bytes(seed[:16], "big")
    lanes = tuple(drawn // LANES**n % LANES for n in range(NOTES))
    first_us, last_us = params.window_us // 4, params.window_us * 5 // 8
    return Call(window, tuple(refs), lanes, first_us + int.from_bytes(seed[16:], "big") % (last_us - first_us))


def moments_us(params: Params, grid: Grid, start_us: int, asked: Call) -> tuple[int, ...]:
    """The session times of the riff's notes, the window beginning at session time `start_us`: beats, the first of them
    the one nearest to the offset. Where four beats are longer than a quarter of the window, halves of beats."""
    beats = _beats(params, grid)
    first = beats.step(start_us + asked.offset_us)
    return tuple(beats.step_at_us(first + n) for n in range(NOTES))


def _beats(params: Params, grid: Grid) -> Grid:
    tempo = grid.tempo_mbpm
    while Grid(tempo, 1, 1).step_us * 16 > params.window_us and 2 * tempo <= TEMPO_MAX_MBPM:
        tempo *= 2
    return Grid(tempo, 1, 1)


def is_played(params: Params, grid: Grid, start_us: int, asked: Call, onsets: Sequence[Onset]) -> bool:
    """Whether the onsets, given by time, answer: the one nearest to each moment is on its lane, and near enough."""
    reach_us = min(params.riff_tolerance_us, _beats(params, grid).step_us // 2)
    times = [onset.t_us for onset in onsets]
    for moment, lane in zip(moments_us(params, grid, start_us, asked), asked.lanes, strict=True):
        after = bisect_left(times, moment)
        around = onsets[max(0, after - 1) : after + 1]
        nearest = min(around, key=lambda onset: abs(onset.t_us - moment), default=None)
        if nearest is None or nearest.lane != lane or abs(nearest.t_us - moment) > reach_us:
            return False
    return True
