"""What it costs to check that voters were drawn, with ten thousand players: electorates, proofs, counting.

Run with `python -m bench.selection [--players N] [--votes N]`. Real signed entries; who votes was really drawn. The
votes of all blocks come mixed, as they do on a mesh: asked about once, when all are there, and after every entry.
Every figure is processor time, the best of three runs. It prints figures and asserts nothing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from bench.author import NETWORK, Author
from consensus import vrf
from consensus.ledger import Ledger
from consensus.ops import Attest, Block, Measures, Pulse, Vote, Why, block_id
from consensus.params import MAIN
from consensus.selection import input_of, tranche_of
from crdt.entry import Entry
from crdt.types import (
    NO_NONCE,
    BlockId,
    Digest,
    EntryId,
    PlayerId,
    Seq,
    SessionId,
    Window,
    jam_document,
)

WINDOW = Window(30_000)  # of epoch 1000; its electorate was there two epochs before
EPOCH = MAIN.epoch_of(WINDOW)
PRESENT = Window(WINDOW - 2 * MAIN.epoch_windows)
VOTES_PER_BLOCK, RUNS = 7, 3


def presence(players: Sequence[Author], window: Window) -> list[Entry]:
    """Everybody's pulse in a window."""
    return [player.write(MAIN.epoch_of(window), Pulse(window, bytes(16), player.vrf_key)) for player in players]


def blocks(proposers: Sequence[Author]) -> tuple[list[Entry], dict[PlayerId, BlockId]]:
    """A block of each of these players, for one window."""
    session, one = SessionId(bytes(32)), Measures(*[65_536] * len(Measures.__struct_fields__))
    document, head, root = jam_document(session), EntryId(bytes(32)), Digest(bytes(32))
    op = Block(WINDOW, session, document, NO_NONCE, Seq(0), Seq(9), head, root, one, True, ())
    entries = [player.write(EPOCH, op) for player in proposers]
    return entries, {player.player: block_id(player.player, op) for player in proposers}


def votes(ledger: Ledger, players: Sequence[Author], ids: dict[PlayerId, BlockId]) -> list[Entry]:
    """The first few of those drawn for each block vote; each voter's votes are one entry, voters sorted."""
    said: dict[PlayerId, list[Attest]] = {}
    for proposer, block in ids.items():
        electorate, found = ledger.eligible(WINDOW, proposer), 0
        alpha = input_of(MAIN, NETWORK, proposer, WINDOW)
        for player in players:
            elector = electorate.get(player.player)
            if elector is None or found == VOTES_PER_BLOCK:
                continue
            output = vrf.evaluate(player.vrf_seed, alpha)
            tranche = tranche_of(MAIN, output, elector.weight, electorate.weight)
            if tranche is not None:
                proof, found = vrf.prove(player.vrf_seed, alpha), found + 1
                vote = Attest(block, proposer, WINDOW, Vote.YES, Why.FINE, tranche, proof)
                said.setdefault(player.player, []).append(vote)
    by_id = {player.player: player for player in players}
    return [by_id[voter].write(EPOCH, *said[voter]) for voter in sorted(said)]


def filled(entries: Sequence[Entry]) -> Ledger:
    """A ledger that holds these."""
    ledger = Ledger(MAIN, NETWORK)
    for entry in entries:
        ledger.add(entry)
    return ledger


def timed(ready: Callable[[], Ledger], act: Callable[[Ledger], object]) -> float:
    """Seconds of the fastest run, each on a ledger made ready anew."""
    times = []
    for _ in range(RUNS):
        ledger = ready()
        began = time.process_time()
        act(ledger)
        times.append(time.process_time() - began)
    return min(times)


def one_by_one(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Each entry, and what has changed by it."""
    for entry in entries:
        ledger.add(entry)
        ledger.take_changed()


def at_once(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """All entries, then what has changed."""
    for entry in entries:
        ledger.add(entry)
    ledger.take_changed()


def warm(entries: Sequence[Entry]) -> Ledger:
    """A ledger that holds these and has worked everything out."""
    ledger = filled(entries)
    ledger.take_changed()
    return ledger


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, default=10_000, help="who were present (default: %(default)s)")
    parser.add_argument("--votes", type=int, default=140, help="on blocks of one window (default: %(default)s)")
    arguments = parser.parse_args(argv)
    players = [Author(number) for number in range(arguments.players)]
    there = presence(players, PRESENT)
    proposed, ids = blocks(players[: max(1, arguments.votes // VOTES_PER_BLOCK)])
    before = [*there, *proposed]
    ledger = warm(before)
    cast = votes(ledger, players, ids)
    count = sum(len(block.votes) + len(block.ignored) for block in filled([*before, *cast]).blocks())
    electorate_s = timed(lambda: filled(before), lambda ledger: ledger.take_changed())
    more = presence(players[-100:], WINDOW)
    pulse_s = timed(lambda: warm(before), lambda ledger: one_by_one(ledger, more))
    once_s = timed(lambda: warm(before), lambda ledger: at_once(ledger, cast))
    each_s = timed(lambda: warm(before), lambda ledger: one_by_one(ledger, cast))
    print(f"{len(players):,} players, {len(ids)} blocks of one window, {count} votes in {len(cast)} entries")
    print(f"electorate of an epoch, and its blocks without votes   {electorate_s * 1e3:8.1f} ms")
    print(f"a pulse more, asked after every one                    {pulse_s / len(more) * 1e6:8.0f} us a pulse")
    print(f"votes checked and counted, all at once                 {once_s / count * 1e6:8.0f} us a vote")
    print(f"votes checked and counted, asked after every entry     {each_s / count * 1e6:8.0f} us a vote")


if __name__ == "__main__":
    main()
