"""Finding that something was played before (SPEC 6, originality).

A replay need not begin where a window begins, nor run at the same speed, nor hit every note to the microsecond. So
what is known is kept as continuous takes (all windows under one key), and a window is compared with them as Shazam
compares sounds (Wang 2003): every run of four notes on one lane has a fingerprint, the ratios of its gaps, which
neither a shift nor a change of tempo moves. Two equal fingerprints vote for a place in a take and a speed. Votes are
counted together over ten seconds of the window; what the tens of seconds agree on is aligned note by note, with a
straight line fitted through the pairs by least squares, and what is left over decides. People who play the same bar
twice differ by 20 to 40 ms; a copy by what jitter was added.

The rarest fingerprints vote first and the number of votes is bounded, so the cost does not grow with what is known.
Everything is ordered by content: the same recordings give the same answer whatever the order they were added in.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from consensus.events import Onset
from consensus.params import ONE_Q16, Params
from consensus.quality.align import SLOPE_BITS, Line, Pairing, count, settle
from consensus.quality.fingerprint import Lanes, Run, between, by_lane, runs
from consensus.quality.grid import Grid
from consensus.quality.likeness import correlation_q16
from crdt.limits import KNOWN_ONSETS_MAX, REPLAY_CANDIDATES_MAX, REPLAY_COUNTED_MAX, REPLAY_LINES_MAX, REPLAY_VOTES_MAX
from crdt.types import Window

SPEEDS: Final = 32  # buckets of speed per octave of ratio 1: 3% each
SPEED_RANGE: Final = (24, 43)  # from 0.75 to 1.34 of the speed of the original
PLACE_US: Final = 64_000  # width of a bucket of places; two neighbours count together
FOREVER: Final = 2**62
SEGMENT_US: Final = 10_000_000  # votes are counted together over so much of a window
NEAR_US: Final = 1_000_000  # alignments of different segments that meet so closely are one


class Match(NamedTuple):
    """The recording most like a window: where, how much of the window is in it, how closely."""

    key: bytes
    t_us: int  # time in the take at which the window's first onset is found
    speed_q16: int  # how much faster than the take the window is played
    hits: int
    coverage_q16: int
    residual_us: int
    shared_q16: int = 0  # how much of the window is on the same lanes and grid steps there, when a grid was given
    correlation_q16: int = 0  # and how alike the deviations of those notes are, -1..1

    def is_replay(self, params: Params) -> bool:
        """Whether so much of it is found so closely, or follows so faithfully, that nobody played it again."""
        close = self.coverage_q16 >= params.replay_coverage_q16 and self.residual_us < params.replay_residual_us
        whole = self.coverage_q16 >= params.replay_whole_q16 and self.residual_us < params.replay_whole_residual_us
        follows = self.shared_q16 >= params.replay_coverage_q16 and self.correlation_q16 > params.replay_correlation_q16
        return self.hits >= params.replay_min_hits and (close or whole or follows)

    def likeness_q16(self, params: Params) -> int:
        """The share that is found, weighed by how closely: fully for an exact copy, not at all from twice the
        residual of a replay."""
        reach = 2 * params.replay_residual_us
        return self.coverage_q16 * max(reach - self.residual_us, 0) // reach


class _Posting(NamedTuple):
    """A fingerprint's occurrence in a take. Sorted by window first, so that what is too new is a suffix."""

    window: int
    key: bytes
    t_us: int
    length_us: int


class _Span(NamedTuple):
    """Windows that are compared with: from the first to before the stop."""

    first: int
    stop: int


class _Held(NamedTuple):
    """One window of a take."""

    notes: int
    first_us: int
    last_us: int
    lanes: Lanes


class _Candidate(NamedTuple):
    """An alignment that some votes are for."""

    votes: int
    key: bytes
    line: Line


class _Group(NamedTuple):
    """Alignments with one take that meet in the middle of the window."""

    key: bytes
    place_us: int  # where the first of them has that middle
    found: list[_Candidate]

    @property
    def votes(self) -> int:
        """Of all of them."""
        return sum(one.votes for one in self.found)

    def lines(self) -> list[Line]:
        """Their lines, those with most votes first."""
        return [one.line for one in sorted(self.found, key=lambda c: (-c.votes, c.line))]


Bucket = tuple[bytes, int, int]  # take, speed, place
Vote = tuple[int, int, int]  # time in the take of the segment's middle, length of the run there and in the window


class ReplayIndex:
    """What has been played, bounded to KNOWN_ONSETS_MAX onsets: the oldest windows are forgotten first."""

    def __init__(self, capacity: int = KNOWN_ONSETS_MAX) -> None:
        self._capacity = capacity
        self._held = 0
        self._windows: list[tuple[int, bytes]] = []  # sorted
        self._takes: dict[bytes, dict[int, _Held]] = {}
        self._postings: dict[int, list[_Posting]] = {}

    def __len__(self) -> int:
        """Onsets held."""
        return self._held

    def add(self, key: bytes, window: Window, onsets: Sequence[Onset]) -> None:
        """Remember a window of a take. `key` names the take: windows under one key share one clock (a player in a
        session) and follow each other in time. The same key and window again replaces what was known."""
        self._forget(window, key)
        if not onsets or len(onsets) > self._capacity:
            return
        ordered = _notes(onsets)
        held = _Held(len(ordered), ordered[0][0], ordered[-1][0], by_lane(ordered))
        self._takes.setdefault(key, {})[window] = held
        insort(self._windows, (window, key))
        self._held += held.notes
        for run in runs(held.lanes):
            insort(self._postings.setdefault(run.fingerprint, []), _Posting(window, key, run.t_us, run.length_us))
        while self._held > self._capacity:
            self._forget(*self._windows[0])

    def forget(self, key: bytes, window: Window) -> None:
        """Let go of a window of a take, if it is known."""
        self._forget(window, key)

    def _forget(self, window: int, key: bytes) -> None:
        held = self._takes.get(key, {}).pop(window, None)
        if held is None:
            return
        if not self._takes[key]:
            del self._takes[key]
        self._windows.remove((window, key))
        self._held -= held.notes
        for fingerprint in {run.fingerprint for run in runs(held.lanes)}:
            kept = [p for p in self._postings[fingerprint] if (p.window, p.key) != (window, key)]
            if kept:
                self._postings[fingerprint] = kept
            else:
                del self._postings[fingerprint]

    def find(
        self, params: Params, onsets: Sequence[Onset], before: Window | None = None, grid: Grid | None = None
    ) -> Match | None:
        """The recording that a window replays, or None. Only windows earlier than `before` are compared with, and none
        so old that a node may have pruned it. With the window's grid, deviations are correlated too (likeness.py)."""
        match = self.closest(params, onsets, before, grid)
        return match if match is not None and match.is_replay(params) else None

    def closest(
        self,
        params: Params,
        onsets: Sequence[Onset],
        before: Window | None = None,
        grid: Grid | None = None,
        lag_us: int | None = None,
    ) -> Match | None:
        """The recording most like a window, if any has enough notes in common to be compared: a replay before
        anything else, then the one most alike, so that knowing more recordings can only lower originality (but for
        the bounds on votes and candidates). The lag on the grid may be known already."""
        ordered = _notes(onsets)
        if not ordered:
            return None
        lanes, span = by_lane(ordered), _span(params, before)
        start_us, end_us = ordered[0][0], ordered[-1][0]
        settled: list[tuple[int, bytes, Pairing, Lanes]] = []
        for nth, group in enumerate(self._groups(lanes, start_us, end_us, span)):
            lines = group.lines()
            known = self._take(group.key, span, lines[0], start_us, end_us)
            for line in lines[: 1 if nth else REPLAY_LINES_MAX]:  # one of few votes may lead astray
                pairing = settle(lanes, known, line)
                if pairing is not None:
                    close = pairing.hits * max(2 * params.replay_residual_us - pairing.residual_us, 0) // pairing.notes
                    settled.append((-close, group.key, pairing, known))
                    if pairing.hits * ONE_Q16 >= params.replay_coverage_q16 * pairing.notes:
                        break
        found: list[Match] = []
        for _, key, pairing, known in sorted(settled, key=lambda one: one[:3])[:REPLAY_COUNTED_MAX]:
            counted = count(lanes, known, pairing.line)
            if counted is not None and counted.hits >= params.replay_min_hits:
                follows = grid is not None and not found and _may_follow(params, counted)
                found.append(_match(key, ordered, known, counted, grid if follows else None, lag_us))
        return min(
            found,
            key=lambda m: (not m.is_replay(params), -m.likeness_q16(params), m.residual_us, m.key, m.t_us),
            default=None,
        )

    def _groups(self, lanes: Lanes, start_us: int, end_us: int, span: _Span) -> list[_Group]:
        """The alignments with most votes. Those of different segments that meet in the middle of the window are one."""
        segments: dict[int, list[Run]] = {}
        for run in runs(lanes):
            segments.setdefault((run.t_us - start_us) // SEGMENT_US, []).append(run)
        groups: list[_Group] = []
        for number in sorted(segments):
            at = start_us + number * SEGMENT_US + SEGMENT_US // 2
            votes = self._votes(segments[number], at, span, REPLAY_VOTES_MAX // len(segments))
            for one in _ranked(votes, at):
                place = one.line.of((start_us + end_us) // 2)
                near = (g for g in groups if g.key == one.key and abs(g.place_us - place) < NEAR_US)
                group = next(near, None)
                if group is None:
                    groups.append(_Group(one.key, place, [one]))
                else:
                    group.found.append(one)
        return sorted(groups, key=lambda g: (-g.votes, g.key, g.place_us))[:REPLAY_CANDIDATES_MAX]

    def _votes(self, found: Iterable[Run], middle: int, span: _Span, allowed: int) -> dict[Bucket, list[Vote]]:
        """Votes of a segment by take, speed and place, the rarest fingerprints first."""
        postings = [(self._within(run.fingerprint, span), run) for run in found]
        postings.sort(key=lambda item: (len(item[0]), item[1]))
        buckets: dict[Bucket, list[Vote]] = {}
        slowest, fastest = SPEED_RANGE
        left = allowed
        for everywhere, (_, t_us, length) in postings:
            if left <= 0:
                break
            known = everywhere[-left:]  # of one that is too common, its latest occurrences
            left -= len(known)
            ahead = middle - t_us
            for _, key, known_us, known_length in known:
                speed = (2 * known_length * SPEEDS + length) // (2 * length)
                if slowest <= speed <= fastest:
                    place = known_us + ahead * known_length // length
                    buckets.setdefault((key, speed, place // PLACE_US), []).append((place, known_length, length))
        return buckets

    def _within(self, fingerprint: int, span: _Span) -> list[_Posting]:
        known = self._postings.get(fingerprint, [])
        if not known or (span.first <= known[0].window and known[-1].window < span.stop):
            return known
        return known[bisect_left(known, (span.first,)) : bisect_left(known, (span.stop,))]

    def _take(self, key: bytes, span: _Span, line: Line, start_us: int, end_us: int) -> Lanes:
        """The notes of a take around where the line puts a window."""
        first, last = line.of(start_us), line.of(end_us)
        margin = (last - first) // 4 + PLACE_US
        low, high = first - margin, last + margin
        lanes: Lanes = {}
        for window, held in sorted(self._takes[key].items()):
            if span.first <= window < span.stop and held.first_us <= high and held.last_us >= low:
                for lane, times in between(held.lanes, low, high).items():
                    lanes.setdefault(lane, []).extend(times)
        return lanes


def _notes(onsets: Iterable[Onset]) -> list[tuple[int, int]]:
    """Time and lane of each note, by time, no two alike."""
    return sorted({(onset.t_us, onset.lane) for onset in onsets})


def _ranked(buckets: dict[Bucket, list[Vote]], middle: int) -> list[_Candidate]:
    """Rough alignments of a segment, those with most votes first; each place counts with the one after it."""
    counted = [
        (-len(votes) - len(buckets.get((key, speed, place + 1), ())), key, speed, place)
        for (key, speed, place), votes in buckets.items()
    ]
    found: list[_Candidate] = []
    for votes, key, speed, place in sorted(counted)[:REPLAY_CANDIDATES_MAX]:
        both = sorted(buckets[key, speed, place] + buckets.get((key, speed, place + 1), []))
        known, played = sum(vote[1] for vote in both), sum(vote[2] for vote in both)
        found.append(_Candidate(-votes, key, Line(middle, both[len(both) // 2][0], (known << SLOPE_BITS) // played)))
    return found


def _may_follow(params: Params, counted: Pairing) -> bool:
    """Whether it is worth asking how alike the deviations are (likeness.py)."""
    return 2 * counted.hits >= counted.notes and params.replay_correlation_q16 < ONE_Q16


def _span(params: Params, before: Window | None) -> _Span:
    """Whoever judges late, and after a restart, must still hold what the proposer compared with."""
    if before is None:
        return _Span(-FOREVER, FOREVER)
    return _Span(before - params.keep_windows + params.close_windows, before)


def _match(
    key: bytes,
    ordered: list[tuple[int, int]],
    known: Lanes,
    pairing: Pairing,
    grid: Grid | None,
    lag_us: int | None,
) -> Match:
    line, n = pairing.line, len(ordered)
    shared, correlation = (0, 0) if grid is None else correlation_q16(grid, ordered, known, line, lag_us)
    return Match(
        key,
        line.of(ordered[0][0]),
        line.slope_q32 >> (SLOPE_BITS - 16),
        pairing.hits,
        pairing.hits * ONE_Q16 // n,
        pairing.residual_us,
        shared * ONE_Q16 // n,
        correlation,
    )
