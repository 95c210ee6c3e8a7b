"""Slices, blocks built from real signed logs, and every way in which a block can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import pytest

from consensus.blocks import build, is_open_in, judge, slice_of, span_of, too_late
from consensus.events import Event, Kind, encode_events, onsets
from consensus.facts import SessionFacts
from consensus.merkle import root_of
from consensus.ops import FABRICATED, Block, Pulse, PulseRef, SessionOpen, Vote, Why, session_id
from consensus.params import SMALL
from consensus.quality.grid import grid_of
from consensus.quality.measure import NOTHING
from consensus.quality.replay import ReplayIndex
from consensus.riff import Call, Pulses, call, moments_us, ranked
from crdt.canonical import digest
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Misuse
from crdt.types import (
    Digest,
    EntryId,
    Micros,
    Nonce,
    PlayerId,
    Seq,
    SessionId,
    Window,
    jam_document,
    ledger_document,
)
from tests.consensus.world import FIRST, World, jam_log, performance

WORLD = World(2)
ME, OTHER = WORLD.people
LENGTH = SMALL.window_us
LEAD = 3_000_000  # the session begins three seconds into its first window
OP = SessionOpen("test", 120_000, 4, 4, Micros(SMALL.window_start_us(FIRST) + LEAD), ())
SESSION = SessionFacts(session_id(ME.player, OP), ME.player, OP, None)
AT = Window(FIRST + 1)
START, END = LENGTH - LEAD, 2 * LENGTH - LEAD
EVENTS = performance(1, 0, 3 * LENGTH)
LOG = jam_log(ME, WORLD.network, SESSION.id, EVENTS)


def known() -> ReplayIndex:
    return ReplayIndex()


def proposed(session: SessionFacts = SESSION, window: Window = AT, log: list[Entry] = LOG) -> Block:
    block = build(SMALL, session, window, log, None, known()).block
    assert block is not None
    return block


def found(block: Block, entries: list[Entry] = LOG, session: SessionFacts | None = SESSION) -> tuple[Vote, Why]:
    judgement = judge(SMALL, session, block, ME.player, entries, known(), {})
    assert judgement.words
    return judgement.vote, judgement.why


def test_a_window_lies_in_session_time_where_t0_puts_it() -> None:
    assert span_of(SMALL, SESSION, FIRST) == (-LEAD, LENGTH - LEAD)
    assert span_of(SMALL, SESSION, AT) == (START, END)


def test_a_slice_is_the_shortest_run_with_all_events_of_the_window() -> None:
    cut = slice_of(SMALL, SESSION, AT, LOG)
    assert cut is not None
    assert [e.t_us for e in cut.events] == [e.t_us for e in EVENTS if START <= e.t_us < END]
    assert (cut.head, cut.root) == (LOG[cut.last].id, root_of([entry.id for entry in LOG[cut.first : cut.last + 1]]))
    neighbours = slice_of(SMALL, SESSION, Window(AT - 1), LOG), slice_of(SMALL, SESSION, Window(AT + 1), LOG)
    assert neighbours[0] is not None and neighbours[1] is not None
    assert neighbours[0].last in (cut.first, cut.first - 1)  # an entry at the edge may belong to both
    assert neighbours[1].first in (cut.last, cut.last + 1)


def test_slices_of_neighbouring_windows_share_no_event() -> None:
    cuts = [slice_of(SMALL, SESSION, Window(FIRST + n), LOG) for n in range(4)]
    assert sum(len(cut.events) for cut in cuts if cut is not None) == len(EVENTS)


def test_edges_of_a_window_belong_to_the_later_one() -> None:
    events = [Event(Micros(t), Kind.NOTE_ON, 0, 36, 1) for t in (START - 1, START, END - 1, END)]
    cut = slice_of(SMALL, SESSION, AT, jam_log(ME, WORLD.network, SESSION.id, events, batch=1))
    assert cut is not None and (cut.first, cut.last) == (1, 2)


def test_unreadable_entries_inside_a_slice_count_as_entries_but_hold_no_events() -> None:
    inner = Event(Micros(START), Kind.NOTE_ON, 0, 36, 1)
    log = jam_log(ME, WORLD.network, SESSION.id, [inner])
    for payload in (b"of a later version", encode_events((inner,))):
        log.append(sign(ME.identity, WORLD.network, next_body(log[-1], payload)))
    cut = slice_of(SMALL, SESSION, AT, log)
    assert cut is not None and (cut.first, cut.last, len(cut.events)) == (0, 2, 2)


def test_a_window_without_events_has_no_slice() -> None:
    assert slice_of(SMALL, SESSION, Window(FIRST + 50), LOG) is None
    assert slice_of(SMALL, SESSION, AT, []) is None


@pytest.mark.parametrize(
    "entries",
    [
        LOG[:3] + LOG[4:],
        LOG[::-1],
        [*LOG, LOG[-1]],
        [*LOG[:2], *jam_log(OTHER, WORLD.network, SESSION.id, EVENTS)[2:4]],
        jam_log(ME, WORLD.network, SessionId(bytes(32)), EVENTS),
    ],
)
def test_entries_that_are_no_run_of_the_sessions_log(entries: list[Entry]) -> None:
    with pytest.raises(Misuse):
        slice_of(SMALL, SESSION, AT, entries)


# proposing


def test_what_is_built_is_accepted_by_whoever_holds_the_log() -> None:
    block = proposed()
    assert found(block) == (Vote.YES, Why.FINE)
    enough = LOG[block.first - 1 : block.last + 2]
    assert found(block, enough) == (Vote.YES, Why.FINE)
    assert judge(SMALL, SESSION, block, ME.player, enough, known(), {}).measures == block.quality


def test_a_verifier_that_has_heard_more_since_judges_the_same() -> None:
    heard = known()
    for n in range(4):
        cut = slice_of(SMALL, SESSION, Window(FIRST + n), LOG)
        if cut is not None and FIRST + n >= AT:
            heard.add(ME.player + SESSION.id, Window(FIRST + n), onsets(cut.events))
    judgement = judge(SMALL, SESSION, proposed(), ME.player, LOG, heard, {})
    assert (judgement.vote, judgement.why) == (Vote.YES, Why.FINE)


def test_the_first_entries_of_a_log_need_no_entry_before() -> None:
    assert found(proposed(window=FIRST), LOG) == (Vote.YES, Why.FINE)


def test_a_log_of_another_nonce_is_another_log() -> None:
    nonce = Nonce(b"12345678")
    payload = encode_events(tuple(EVENTS[:200]))
    body = first_body(WORLD.network, jam_document(SESSION.id), LogKey(ME.player, nonce), payload)
    log = [sign(ME.identity, WORLD.network, body)]
    assert proposed(window=FIRST, log=log).nonce == nonce
    with pytest.raises(Misuse):
        found(proposed(window=FIRST, log=log), LOG)


def test_too_little_is_not_proposed_and_says_why() -> None:
    few = jam_log(ME, WORLD.network, SESSION.id, [e for e in EVENTS if START <= e.t_us < START + 600_000])
    for entries, why in ((few, Why.TOO_FEW_EVENTS), ([], Why.TOO_FEW_EVENTS)):
        draft = build(SMALL, SESSION, AT, entries, None, known())
        assert draft.block is None and draft.judgement.why is why and draft.judgement.words


def test_a_window_in_which_the_session_was_not_open() -> None:
    closed = SESSION._replace(closed_t_us=Micros(START))
    assert not is_open_in(SMALL, closed, AT) and is_open_in(SMALL, closed, FIRST)
    assert not is_open_in(SMALL, SESSION, Window(FIRST - 1))
    assert is_open_in(SMALL, SESSION._replace(closed_t_us=Micros(START + 1)), AT)
    draft = build(SMALL, closed, AT, LOG, None, known())
    assert draft.block is None and draft.judgement.why is Why.NO_SESSION


# the riff


def others(count: int = 3) -> dict[PlayerId, tuple[EntryId, Pulse]]:
    names = [digest(b"test-other", bytes([n])) for n in range(count)]
    return {PlayerId(name): (EntryId(name[::-1]), Pulse(AT, name[:16], bytes(32))) for name in names}


def riff(seen: Pulses | None = None) -> Call:
    asked = call(SMALL, WORLD.network, AT, ME.player, others() if seen is None else seen)
    assert asked is not None
    return asked


def answering(asked: Call, reach_us: int = 300_000) -> list[Entry]:
    """The same performance, with the riff in place of what was played there."""
    moments = moments_us(SMALL, grid_of(OP), START, asked)
    kept = [e for e in EVENTS if min(abs(e.t_us - t) for t in moments) > reach_us]
    notes = [
        Event(Micros(t + 40_000), Kind.NOTE_ON, lane, 36, 90) for t, lane in zip(moments, asked.lanes, strict=True)
    ]
    return jam_log(ME, WORLD.network, SESSION.id, sorted([*kept, *notes], key=lambda e: e.t_us))


def judged(block: Block, log: list[Entry], seen: Pulses) -> tuple[Vote, Why]:
    return judge(SMALL, SESSION, block, ME.player, log, known(), seen)[:2]


def test_a_riff_that_was_played_is_claimed_and_found() -> None:
    log = answering(riff())
    draft = build(SMALL, SESSION, AT, log, riff(), known())
    assert draft.block is not None and draft.block.riff and draft.block.pulses == riff().refs
    assert draft.judgement.words[-1].startswith("riff: played")
    assert judged(draft.block, log, others()) == (Vote.YES, Why.FINE)


def test_a_riff_that_was_not_played_is_not_claimed_and_a_claim_of_it_is_a_lie() -> None:
    draft = build(SMALL, SESSION, AT, LOG, riff(), known())
    assert draft.block is not None and not draft.block.riff
    assert judged(draft.block, LOG, others()) == (Vote.YES, Why.FINE)
    claimed = msgspec.structs.replace(draft.block, riff=True)
    assert judged(claimed, LOG, others()) == (Vote.NO, Why.RIFF_MISMATCH)
    assert Why.RIFF_MISMATCH in FABRICATED and Why.RIFF_PULSES not in FABRICATED


def test_a_riff_that_rests_on_chosen_pulses_is_no_riff() -> None:
    seen = others(7)
    order = ranked(WORLD.network, AT, ME.player, seen)
    chosen = riff({player: seen[player] for player in order[2:]})
    log = answering(chosen)
    block = build(SMALL, SESSION, AT, log, chosen, known()).block
    assert block is not None and block.riff
    assert judged(block, log, seen) == (Vote.YES, Why.RIFF_PULSES)  # worth half, as if nothing were claimed
    assert judged(block, log, {player: seen[player] for player in order[3:]}) == (Vote.NO, Why.MISSING)
    less = msgspec.structs.replace(block, riff=False)
    assert judged(less, log, seen) == (Vote.YES, Why.FINE)


def test_without_a_riff_asked_for_none_is_claimed() -> None:
    draft = build(SMALL, SESSION, AT, LOG, None, known())
    assert draft.block is not None and (draft.block.riff, draft.block.pulses) == (False, ())
    assert judged(msgspec.structs.replace(draft.block, riff=True), LOG, {}) == (Vote.YES, Why.RIFF_PULSES)


# judging what is wrong


def changed(**fields: object) -> Callable[[Block], Block]:
    return lambda block: msgspec.structs.replace(block, **fields)


def moved(**steps: int) -> Callable[[Block], Block]:
    return lambda block: msgspec.structs.replace(block, **{k: getattr(block, k) + n for k, n in steps.items()})


def shortened(first: int, last: int) -> Callable[[Block], Block]:
    """The range is moved, and head and root are made to fit it."""

    def change(block: Block) -> Block:
        a, b = block.first + first, block.last + last
        root = root_of([entry.id for entry in LOG[a : b + 1]])
        return msgspec.structs.replace(block, first=Seq(a), last=Seq(b), head=LOG[b].id, root=root)

    return change


def claiming(block: Block) -> Block:
    q = block.quality
    better = msgspec.structs.replace(q, total=q.total + 1)
    return msgspec.structs.replace(block, quality=better)


def test_originality_claimed_higher_is_voted_against_as_no_lie_and_lower_is_believed() -> None:
    """A proposer that was cut off for a while lacks what the others played meanwhile."""
    block, chance, heard = proposed(), Random(1), known()
    later = (msgspec.structs.replace(e, t_us=Micros(max(0, e.t_us + round(chance.gauss(0, 12_000))))) for e in EVENTS)
    heard.add(b"other", FIRST, onsets(tuple(later)))
    judgement = judge(SMALL, SESSION, block, ME.player, LOG, heard, {})
    assert judgement.measures.originality < block.quality.originality
    assert (judgement.vote, judgement.why) == (Vote.NO, Why.ORIGINALITY_MISMATCH)
    assert Why.ORIGINALITY_MISMATCH not in FABRICATED
    assert found(msgspec.structs.replace(block, quality=judgement.measures)) == (Vote.YES, Why.FINE)
    lie = changed(quality=msgspec.structs.replace(block.quality, total=block.quality.total + 1))(block)
    assert judge(SMALL, SESSION, lie, ME.player, LOG, heard, {}).why is Why.QUALITY_MISMATCH


REFS = tuple(PulseRef(PlayerId(bytes([n]) * 32), EntryId(bytes(32))) for n in (2, 1))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (shortened(1, 0), Why.SLICE_MISMATCH),
        (shortened(0, -1), Why.SLICE_MISMATCH),
        (shortened(5, -5), Why.SLICE_MISMATCH),
        (shortened(-1, 0), Why.SLICE_MISMATCH),
        (shortened(0, 1), Why.SLICE_MISMATCH),
        (changed(window=Window(AT + 1)), Why.SLICE_MISMATCH),
        (changed(window=Window(FIRST + 50)), Why.MALFORMED),  # a window of another part
        (changed(root=Digest(bytes(32))), Why.ROOT_MISMATCH),
        (changed(head=EntryId(bytes(32))), Why.ROOT_MISMATCH),
        (claiming, Why.QUALITY_MISMATCH),
        (changed(quality=NOTHING), Why.QUALITY_MISMATCH),
        (changed(session=SessionId(bytes(32))), Why.NO_SESSION),
        (changed(window=Window(FIRST - 1)), Why.NO_SESSION),
        (changed(pulses=REFS), Why.MALFORMED),
        (changed(pulses=(REFS[1], REFS[1])), Why.MALFORMED),
        (changed(first=Seq(9), last=Seq(8)), Why.MALFORMED),
        (moved(last=1_000), Why.MISSING),
    ],
)
def test_blocks_that_are_wrong(change: Callable[[Block], Block], why: Why) -> None:
    assert found(change(proposed())) == (Vote.NO, why)


@pytest.mark.parametrize(
    "document", [jam_document(SessionId(bytes(32))), ledger_document(SMALL.epoch_of(AT)), "nonsense"]
)
def test_a_block_about_a_document_of_something_else(document: str) -> None:
    block = msgspec.structs.replace(proposed(), document=document)
    assert found(block, []) == (Vote.NO, Why.MALFORMED)


def test_a_session_that_nobody_opened_or_that_was_closed() -> None:
    assert found(proposed(), session=None) == (Vote.NO, Why.NO_SESSION)
    closed = SESSION._replace(closed_t_us=Micros(START))
    assert found(proposed(), session=closed) == (Vote.NO, Why.NO_SESSION)


def test_entries_that_are_missing() -> None:
    block = proposed()
    for entries in ([], LOG[block.first :], LOG[: block.last], LOG[block.last :]):
        assert found(block, entries) == (Vote.NO, Why.MISSING)


def test_the_log_of_somebody_else_is_misuse() -> None:
    with pytest.raises(Misuse):
        judge(SMALL, SESSION, proposed(), OTHER.player, LOG, known(), {})


def test_the_same_playing_again_is_a_replay() -> None:
    block, heard = proposed(), known()
    cut = slice_of(SMALL, SESSION, AT, LOG)
    assert cut is not None
    heard.add(OTHER.player + SESSION.id, FIRST, onsets(cut.events))
    judgement = judge(SMALL, SESSION, block, ME.player, LOG, heard, {})
    assert (judgement.vote, judgement.why) == (Vote.NO, Why.REPLAY)


def test_playing_exactly_on_the_grid_is_not_human() -> None:
    step = 125_000
    on_grid = [msgspec.structs.replace(e, t_us=Micros(round(e.t_us / step) * step)) for e in EVENTS]
    log = jam_log(ME, WORLD.network, SESSION.id, on_grid)
    draft = build(SMALL, SESSION, AT, log, None, known())
    assert draft.block is None and draft.judgement.why in (Why.TOO_REGULAR, Why.TIES)
    cut = slice_of(SMALL, SESSION, AT, log)
    assert cut is not None
    forced = msgspec.structs.replace(proposed(), first=cut.first, last=cut.last, head=cut.head, root=cut.root)
    assert found(forced, log) == (Vote.NO, draft.judgement.why)


def test_too_late() -> None:
    assert too_late()[:2] == (Vote.TOO_LATE, Why.LATE)
