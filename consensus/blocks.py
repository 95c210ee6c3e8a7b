"""Blocks: the slice of a log that lies in a window, proposed by its author and judged by others (SPEC 6).

The proposer commits to a range of its own log by the Merkle root of the entry ids and by the last entry's id, and
claims a quality. A verifier, holding the same log, works everything out again and compares exactly; there is no
tolerance in which a better claim could hide.

The slice of a window is the shortest run of entries that holds every event of the window: leaving the bad notes out
is a fault, and so is padding. Entries at the edges may hold events of two windows; only the events inside count.
Windows are cut in Unix time and events carry session time, so a session's t0 lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from consensus.events import Event, decode_events, onsets
from consensus.facts import SessionFacts
from consensus.merkle import root_of
from consensus.ops import WORDS, Block, Measures, Vote, Why
from consensus.params import Params, network_id
from consensus.parts import part_of
from consensus.quality.explain import share
from consensus.quality.grid import grid_of
from consensus.quality.measure import NOTHING, Report, measure, total_q16
from consensus.quality.replay import ReplayIndex
from consensus.riff import Call, Pulses, called, is_played
from crdt.entry import Entry
from crdt.errors import Misuse
from crdt.types import Digest, EntryId, PlayerId, Seq, Window, jam_session


class Slice(NamedTuple):
    """The entries of one log that hold a window's events, and those events by time."""

    first: Seq
    last: Seq
    head: EntryId
    root: Digest
    events: tuple[Event, ...]


class Judgement(NamedTuple):
    """A verifier's finding, or a proposer's on itself: the vote, its reason, what was measured, and that in words."""

    vote: Vote
    why: Why
    measures: Measures
    words: tuple[str, ...]


class Draft(NamedTuple):
    """A block ready to be proposed, or None and why there is none."""

    block: Block | None
    judgement: Judgement


def span_of(params: Params, session: SessionFacts, window: Window) -> tuple[int, int]:
    """First session time inside a window, and first beyond it. Negative before the session began."""
    start = params.window_start_us(window) - session.op.t0_us
    return start, start + params.window_us


def is_open_in(params: Params, session: SessionFacts, window: Window) -> bool:
    """Whether a session was open for any of a window."""
    start, end = span_of(params, session, window)
    return end > 0 and (session.closed_t_us is None or session.closed_t_us > start)


def slice_of(params: Params, session: SessionFacts, window: Window, entries: Sequence[Entry]) -> Slice | None:
    """The window's slice of one log, None when it holds nothing of the window.

    `entries` are consecutive ones of one author's log in a document of the session; Misuse otherwise. Those of
    later versions, whose payload cannot be read, hold no events.
    """
    _check_run(session, entries)
    start, end = span_of(params, session, window)
    inside = [tuple(e for e in decode_events(entry.body.payload) if start <= e.t_us < end) for entry in entries]
    holding = [i for i, events in enumerate(inside) if events]
    if not holding:
        return None
    run = entries[holding[0] : holding[-1] + 1]
    events = sorted((e for some in inside for e in some), key=lambda e: (e.t_us, e.kind, e.lane, e.pitch, e.velocity))
    root = root_of([entry.id for entry in run])
    return Slice(run[0].body.seq, run[-1].body.seq, run[-1].id, root, tuple(events))


def _check_run(session: SessionFacts, entries: Sequence[Entry]) -> None:
    for i, entry in enumerate(entries):
        body, first = entry.body, entries[0].body
        found = jam_session(body.document)
        if found is None or found[0] != session.id or (body.document, entry.log) != (first.document, entries[0].log):
            raise Misuse("entries of one log of the session's document are needed")
        if body.seq != first.seq + i:
            raise Misuse("consecutive entries are needed")


def build(
    params: Params,
    session: SessionFacts,
    window: Window,
    entries: Sequence[Entry],
    asked: Call | None,
    known: ReplayIndex,
) -> Draft:
    """The block of one's own window, if there is one to propose.

    `known` is what has been played; only windows before this one are compared with. `asked` is the riff that its
    player was asked for; the block says whether it was played.
    """
    if not is_open_in(params, session, window):
        return Draft(None, _refusal(Why.NO_SESSION))
    cut = slice_of(params, session, window, entries)
    if cut is None:
        return Draft(None, _refusal(Why.TOO_FEW_EVENTS))
    report = _measure(params, session, window, cut, known)
    if report.why is not Why.FINE:
        return Draft(None, Judgement(Vote.NO, report.why, report.measures, report.words))
    body = entries[0].body
    answered = asked is not None and _is_answered(params, session, cut, asked)
    block = Block(
        window=window,
        session=session.id,
        document=body.document,
        nonce=body.nonce,
        first=cut.first,
        last=cut.last,
        head=cut.head,
        root=cut.root,
        quality=report.measures,
        riff=answered,
        pulses=asked.refs if asked is not None else (),
    )
    words = (*report.words, _riff_words(params, asked, answered))
    return Draft(block, Judgement(Vote.YES, Why.FINE, report.measures, words))


def judge(
    params: Params,
    session: SessionFacts | None,
    block: Block,
    proposer: PlayerId,
    entries: Sequence[Entry],
    known: ReplayIndex,
    others: Pulses,
) -> Judgement:
    """Recompute a block from the log and say what to vote. `others` are the settled others (riff.py) as the verifier
    sees them.

    `entries` are all that the verifier holds of the block's log, or at least one entry more on either side where
    there is one: without its neighbours nobody can say that a slice leaves nothing out. Misuse when they are of
    another log.
    """
    if any((e.body.author, e.body.document, e.body.nonce) != (proposer, block.document, block.nonce) for e in entries):
        raise Misuse("entries of the block's own log are needed")
    fault = _fault_of_form(params, session, block)
    if session is None or fault is not None:
        return _refusal(fault or Why.NO_SESSION)
    if not _are_enough(block, entries):
        return _refusal(Why.MISSING)
    cut = slice_of(params, session, block.window, entries)
    if cut is None or (cut.first, cut.last) != (block.first, block.last):
        return _refusal(Why.SLICE_MISMATCH)
    if (cut.head, cut.root) != (block.head, block.root):
        return _refusal(Why.ROOT_MISMATCH)
    report = _measure(params, session, block.window, cut, known)
    if report.why is not Why.FINE:
        return Judgement(Vote.NO, report.why, report.measures, report.words)
    fault = _fault_of_claim(params, block.quality, report.measures)
    if fault is not None:
        words = (*report.words, f"claimed {block.quality.total} of 65536, found {report.measures.total}")
        return Judgement(Vote.NO, fault, report.measures, words)
    fault = _fault_of_riff(params, session, block, proposer, cut, others) if block.riff else None
    if fault is Why.RIFF_PULSES:  # a doubt (verdict.py): worth what it is without the riff
        return Judgement(Vote.YES, fault, report.measures, (*report.words, WORDS[fault]))
    if fault is not None:
        return Judgement(Vote.NO, fault, report.measures, (*report.words, WORDS[fault]))
    return Judgement(Vote.YES, Why.FINE, report.measures, report.words)


def _fault_of_claim(params: Params, claim: Measures, found: Measures) -> Why | None:
    """What is wrong with a claim of quality.

    Originality alone may be claimed lower: whoever knows fewer earlier recordings finds more originality, and a
    verifier that lacks one must not vote against a proposer who was honest about it. Claimed higher it is voted
    against, but as no lie: a proposer that was cut off for a while lacks what the others played meanwhile.
    """
    expected = msgspec.structs.replace(found, originality=claim.originality)
    if claim != msgspec.structs.replace(expected, total=total_q16(params, expected)):
        return Why.QUALITY_MISMATCH
    return Why.ORIGINALITY_MISMATCH if claim.originality > found.originality else None


def _fault_of_riff(
    params: Params, session: SessionFacts, block: Block, proposer: PlayerId, cut: Slice, others: Pulses
) -> Why | None:
    """What is wrong with the claim that the riff was played. Whoever claims less than it could is believed."""
    asked = called(params, network_id(params), block.window, proposer, others, block.pulses)
    if isinstance(asked, Why):
        return asked
    return None if _is_answered(params, session, cut, asked) else Why.RIFF_MISMATCH


def _is_answered(params: Params, session: SessionFacts, cut: Slice, asked: Call) -> bool:
    start_us, _ = span_of(params, session, asked.window)
    return is_played(params, grid_of(session.op), start_us, asked, onsets(cut.events))


def _riff_words(params: Params, asked: Call | None, answered: bool) -> str:
    if answered:
        return "riff: played, so the window counts in full"
    half = f"so the window counts {share(params.riff_absent_q16)} of it"
    if asked is None:
        return f"riff: none, as nobody else was settled enough to draw it from, {half}"
    return f"riff: not played (lanes {' '.join(map(str, asked.lanes))}, each by itself on its beat), {half}"


def too_late() -> Judgement:
    """The finding on a block that came after its deadline, whatever is in it."""
    return Judgement(Vote.TOO_LATE, Why.LATE, NOTHING, (WORDS[Why.LATE],))


def _fault_of_form(params: Params, session: SessionFacts | None, block: Block) -> Why | None:
    """What is wrong with a block that no log is needed to see."""
    if session is None or session.id != block.session or not is_open_in(params, session, block.window):
        return Why.NO_SESSION
    # One document holds all of a window: else its bad notes could be left in another one.
    in_its_part = jam_session(block.document) == (block.session, part_of(params, session, block.window))
    in_order = list(block.pulses) == sorted(set(block.pulses))
    if not in_its_part or block.first > block.last or not in_order:
        return Why.MALFORMED
    return None


def _are_enough(block: Block, entries: Sequence[Entry]) -> bool:
    """Whether the range and the entry before it are held; what follows it may not exist yet."""
    if not entries:
        return False
    return entries[0].body.seq <= max(0, block.first - 1) and entries[-1].body.seq >= block.last


def _measure(params: Params, session: SessionFacts, window: Window, cut: Slice, known: ReplayIndex) -> Report:
    return measure(params, grid_of(session.op), onsets(cut.events), known, before=window)


def _refusal(why: Why) -> Judgement:
    return Judgement(Vote.NO, why, NOTHING, (WORDS[why],))
