"""What verifying one window of 120 s costs: its entries' signatures, its Merkle root, all measures, the riff.

A made-up performance of 2,000 events (1,000 notes, each with its end) lies in a signed log. How many entries hold it
decides what signatures cost: a note that is played alone on an idle link is an entry by itself. Signatures are
verified when entries come, so a verifier's vote pays for the rest only. Processor time, the best of some runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from consensus.blocks import build, judge, slice_of
from consensus.events import encode_events, onsets
from consensus.facts import SessionFacts
from consensus.ops import SessionOpen, session_id
from consensus.params import MAIN, network_id
from consensus.quality.grid import grid_of
from consensus.quality.measure import measure
from consensus.quality.replay import ReplayIndex
from crdt.entry import Entry, LogKey, first_body, next_body, open_entry, sign
from crdt.keys import Identity
from crdt.limits import KNOWN_ONSETS_MAX
from crdt.types import NO_NONCE, Micros, SessionId, Window, jam_document
from jam.synthetic import make

EVENTS = 2_000
TEMPO_MBPM = 120_000
RUNS = 15
AT = Window(30 * 400_000)  # the first of an epoch, so the session's first document holds it
NETWORK = network_id(MAIN)


def main(_argv: list[str] | None = None) -> None:
    """Entries of 1, 4, 16 and 64 events."""
    player = Identity(bytes(range(32)))
    op = SessionOpen("bench", TEMPO_MBPM, 4, 4, Micros(MAIN.window_start_us(AT)), ())
    session = SessionFacts(session_id(player.player, op), player.player, op, None)
    known = _full()
    print(f"{EVENTS} events in a window of {MAIN.window_s} s; {len(known)} onsets known; milliseconds, best of {RUNS}")
    heads = ("an entry", "entries", "signatures", "slice, root", "measures", "vote", "all")
    print(" ".join(f"{head:>11}" for head in heads))
    for batch in (1, 4, 16, 64):
        entries = _log(player, session.id, batch)
        block = build(MAIN, session, AT, entries, None, known).block
        assert block is not None
        raws = [entry.raw for entry in entries]
        cut = slice_of(MAIN, session, AT, entries)
        assert cut is not None
        played = onsets(cut.events)
        signatures = _best_ms(lambda raws=raws: [open_entry(NETWORK, raw) for raw in raws])  # type: ignore[misc]
        slicing = _best_ms(lambda entries=entries: slice_of(MAIN, session, AT, entries))  # type: ignore[misc]
        measures = _best_ms(lambda played=played: measure(MAIN, grid_of(op), played, known, AT))  # type: ignore[misc]
        vote = _best_ms(
            lambda block=block, entries=entries: judge(MAIN, session, block, player.player, entries, known, {})  # type: ignore[misc]
        )
        costs = (signatures, slicing, measures, vote, signatures + vote)
        costs = (signatures, slicing, measures, vote, signatures + vote)
        print(f"{batch:11} {len(entries):11} " + " ".join(f"{cost:11.1f}" for cost in costs))


def _log(player: Identity, session: SessionId, batch: int) -> list[Entry]:
    events = make(1, MAIN.window_us, TEMPO_MBPM).as_events()[:EVENTS]
    entries: list[Entry] = []
    for start in range(0, len(events), batch):
        payload = encode_events(events[start : start + batch])
        if entries:
            body = next_body(entries[-1], payload)
        else:
            body = first_body(NETWORK, jam_document(session), LogKey(player.player, NO_NONCE), payload)
        entries.append(sign(player, NETWORK, body))
    return entries


def _full() -> ReplayIndex:
    """All that an index holds, of other made-up players."""
    known = ReplayIndex()
    seed = 2
    while len(known) < KNOWN_ONSETS_MAX * 95 // 100:
        known.add(seed.to_bytes(4, "big"), Window(AT - seed), make(seed, MAIN.window_us, TEMPO_MBPM).onsets())
        seed += 1
    return known


def _best_ms(work: Callable[[], object]) -> float:
    best_s = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        work()
        best_s = min(best_s, time.process_time() - began)
    return 1e3 * best_s


if __name__ == "__main__":
    main()
