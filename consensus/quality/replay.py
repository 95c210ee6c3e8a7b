"""Finding that something was played before (SPEC 6, originality).

A replay need not begin where a window begins, nor run at the same speed, nor hit every note to the microsecond. So
what is known is kept as continuous takes (all windows under one key), and a window is compared with them as Shazam
compares sounds (Wang 2003): every run of four notes on one lane has a fingerprint, the ratios of its gaps, which
neither a shift nor a change of tempo moves. Two equal fingerprints vote for a place in a take and a speed; the places
with most votes are aligned note by note, with a straight line fitted through the pairs by least squares, and what
is left over decides. People who play the same bar twice differ by 20 to 40 ms; a copy by what jitter was added.

The rarest fingerprints vote first and the number of votes is bounded, so the cost does not grow with what is known.
Everything is ordered by content: the same recordings give the same answer whatever the order they were added in.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from consensus.events import Onset
from consensus.params import ONE_Q16, Params
from consensus.quality.align import Line, Pairing, refine
from consensus.quality.fingerprint import Fingerprint, Run, runs
from consensus.quality.grid import Grid
from consensus.quality.likeness import correlation_q16
from crdt.limits import KNOWN_ONSETS_MAX, REPLAY_CANDIDATES_MAX, REPLAY_VOTES_MAX
from crdt.types import Window

SPEEDS: Final = 32  # buckets of speed per octave of ratio 1: 3% each
SPEED_RANGE: Final = (24, 43)  # from 0.75 to 1.34 of the speed of the original
PLACE_US: Final = 128_000  # width of a bucket of places
FOREVER: Final = 2**62
SEGMENT_US: Final = 10_000_000  # votes are counted together over so much of a window


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
        follows = self.shared_q16 >= params.replay_coverage_q16 and self.correlation_q16 > params.replay_correlation_q16
        return self.hits >= params.replay_min_hits and (close or follows)

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


class _Vote(NamedTuple):
    place_us: int  # time in the take that answers to the segment's middle
    known_us: int  # length of the run there
    played_us: int  # and in the window


class ReplayIndex:
    """What has been played, bounded to KNOWN_ONSETS_MAX onsets: the oldest windows are forgotten first."""

    def __init__(self, capacity: int = KNOWN_ONSETS_MAX) -> None:
        self._capacity = capacity
        self._held = 0
        self._windows: list[tuple[int, bytes]] = []  # sorted
        self._takes: dict[bytes, dict[int, tuple[Onset, ...]]] = {}
        self._postings: dict[Fingerprint, list[_Posting]] = {}

    def __len__(self) -> int:
        """Onsets held."""
        return self._held

    def add(self, key: bytes, window: Window, onsets: Sequence[Onset]) -> None:
        """Remember a window of a take. `key` names the take: windows under one key share one clock (a player in a
        session). The same key and window again replaces what was known."""
        self._forget(window, key)
        if not onsets or len(onsets) > self._capacity:
            return
        ordered = tuple(sorted(set(onsets)))
        self._takes.setdefault(key, {})[window] = ordered
        insort(self._windows, (window, key))
        self._held += len(ordered)
        for fingerprint, run in runs(ordered):
            insort(self._postings.setdefault(fingerprint, []), _Posting(window, key, run.t_us, run.length_us))
        while self._held > self._capacity:
            self._forget(*self._windows[0])

    def _forget(self, window: int, key: bytes) -> None:
        onsets = self._takes.get(key, {}).pop(window, None)
        if onsets is None:
            return
        if not self._takes[key]:
            del self._takes[key]
        self._windows.remove((window, key))
        self._held -= len(onsets)
        for fingerprint in {fingerprint for fingerprint, _ in runs(onsets)}:
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
        self, params: Params, onsets: Sequence[Onset], before: Window | None = None, grid: Grid | None = None
    ) -> Match | None:
        """The recording most like a window, if any has enough notes in common to be compared: a replay before
        anything else, then the one most alike, so that knowing more recordings can only lower originality (but for
        the bound on votes)."""
        ordered = tuple(sorted(set(onsets)))
        found: list[Match] = []
        span = _span(params, before)
        for key, line in self._settled(params, ordered, span):
            known = self._take(key, span, line, ordered)
            pairing = refine(ordered, known, line)
            if pairing is not None and pairing.hits >= params.replay_min_hits:
                found.append(_match(key, ordered, known, pairing, grid))
        return min(
            found,
            key=lambda m: (not m.is_replay(params), -m.likeness_q16(params), m.residual_us, m.key, m.t_us),
            default=None,
        )

    def _settled(self, params: Params, ordered: tuple[Onset, ...], span: _Span) -> list[tuple[bytes, Line]]:
        """The alignments worth following through the whole window: each was laid through the notes of its segment,
        and those that are most alike there are kept."""
        segments: dict[int, list[Onset]] = {}
        for onset in ordered:
            segments.setdefault((onset.t_us - ordered[0].t_us) // SEGMENT_US, []).append(onset)
        ranked: list[tuple[int, bytes, Line]] = []
        for number, notes in segments.items():
            for key, line in self._candidates(notes, ordered[0].t_us + number * SEGMENT_US + SEGMENT_US // 2, span):
                pairing = refine(notes, self._take(key, span, line, notes), line)
                if pairing is not None:
                    likeness = pairing.hits * max(2 * params.replay_residual_us - pairing.residual_us, 0)
                    ranked.append((-likeness, key, pairing.line))
        return [(key, line) for _, key, line in sorted(ranked)[:REPLAY_CANDIDATES_MAX]]

    def _candidates(self, notes: list[Onset], middle: int, span: _Span) -> Iterator[tuple[bytes, Line]]:
        """Takes and rough alignments of a segment, those with most votes."""
        buckets = self._votes(list(runs(notes)), middle, span)
        for bucket in sorted(buckets, key=lambda b: (-len(buckets[b]), b))[:REPLAY_CANDIDATES_MAX]:
            votes = sorted(buckets[bucket])
            known, played = sum(v.known_us for v in votes), sum(v.played_us for v in votes)
            yield bucket[0], Line(middle, votes[len(votes) // 2].place_us, known, played)

    def _votes(
        self, runs: list[tuple[Fingerprint, Run]], middle: int, span: _Span
    ) -> dict[tuple[bytes, int, int], list[_Vote]]:
        """Votes of a segment by (take, speed, place); each place falls into two overlapping buckets."""
        postings = [(self._earlier(fingerprint, span), run) for fingerprint, run in runs]
        postings.sort(key=lambda item: (len(item[0]), item[1]))
        buckets: dict[tuple[bytes, int, int], list[_Vote]] = {}
        left = REPLAY_VOTES_MAX
        for everywhere, run in postings:
            if left <= 0:
                break
            known = everywhere[-left:]  # of one that is too common, its latest occurrences
            left -= len(known)
            for posting in known:
                speed = (2 * posting.length_us * SPEEDS + run.length_us) // (2 * run.length_us)
                if not SPEED_RANGE[0] <= speed <= SPEED_RANGE[1]:
                    continue
                place = posting.t_us + (middle - run.t_us) * posting.length_us // run.length_us
                vote = _Vote(place, posting.length_us, run.length_us)
                for bucket in ((2 * place // PLACE_US), (2 * place // PLACE_US) - 1):
                    buckets.setdefault((posting.key, speed, bucket), []).append(vote)
        return buckets

    def _earlier(self, fingerprint: Fingerprint, span: _Span) -> list[_Posting]:
        known = self._postings.get(fingerprint, [])
        return known[bisect_left(known, (span.first,)) : bisect_left(known, (span.stop,))]

    def _take(self, key: bytes, span: _Span, line: Line, played: Sequence[Onset]) -> tuple[Onset, ...]:
        """The onsets of a take around where the line puts what was played."""
        start_us, end_us = line.of(played[0].t_us), line.of(played[-1].t_us)
        margin = (end_us - start_us) // 4 + PLACE_US
        low, high = start_us - margin, end_us + margin
        return tuple(
            onset
            for window, onsets in sorted(self._takes[key].items())
            if span.first <= window < span.stop and onsets[0].t_us <= high and onsets[-1].t_us >= low
            for onset in onsets
            if low <= onset.t_us <= high
        )


def _span(params: Params, before: Window | None) -> _Span:
    """Whoever judges late, and after a restart, must still hold what the proposer compared with."""
    if before is None:
        return _Span(-FOREVER, FOREVER)
    return _Span(before - params.keep_windows + params.close_windows, before)


def _match(
    key: bytes, ordered: tuple[Onset, ...], known: tuple[Onset, ...], pairing: Pairing, grid: Grid | None
) -> Match:
    line, n = pairing.line, len(ordered)
    shared, correlation = (0, 0) if grid is None else correlation_q16(grid, ordered, known, line)
    return Match(
        key,
        line.of(ordered[0].t_us),
        line.known_us * ONE_Q16 // line.played_us,
        pairing.hits,
        pairing.hits * ONE_Q16 // n,
        pairing.residual_us,
        shared * ONE_Q16 // n,
        correlation,
    )
