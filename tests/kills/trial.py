"""Two real nodes that play, pay, stake and attest, and are killed in the middle of it.

Both begin with what a small history has earned them. Notes are played into both all the while, so that each window
brings blocks, and votes on them. At each kill of the schedule the dead node is started again, what it was asked is
brought to an end that is known, and its wallet has to add up; at the end the stores have to (books.py).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final

import msgspec

from consensus.events import Kind as Played
from consensus.params import SMALL, network_id
from crdt.errors import OperatingFailure
from crdt.limits import API_LIST_MAX
from crdt.store.keys import entry_item
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE, PlayerId
from node.client import Client
from node.commands.processes import Process
from node.engine.documents import Documents, Stored
from node.shell.config import Config, boot_id
from tests.chaos.writer import Writer
from tests.consensus.world import World
from tests.kills.books import audit
from tests.kills.schedule import Kill, Kind
from tests.kills.teller import Teller
from wallet import keystore
from wallet.keyfile import Form, Key

NOTES_A_S: Final = 6.0
ATTEST_S: Final = 4.0  # after the end of a window: in it blocks are proposed and voted on
PATIENCE_S: Final = 240.0  # with a machine that others use
_POLL_S: Final = 0.1

Say = Callable[[str], None]


@dataclass
class Result:
    """What came of one trial; `wrong` is everything that ought not to be."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    requests: Counter[str] = field(default_factory=Counter)  # by how they ended
    lost_answers: Counter[str] = field(default_factory=Counter)  # of these, by how they ended
    entries: int = 0
    blocks: Counter[str] = field(default_factory=Counter)
    minted_micro: int = 0
    supply_micro: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether all was as it should be."""
        return not self.wrong

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"fine": self.fine, **vars(self)}


class Trial:
    """The nodes, who plays, who has things signed, and what befalls them."""

    def __init__(self, root: Path, seed: int, kills: Sequence[Kill], say: Say) -> None:
        self._room, self._say = f"kills-{root.name}", say
        self._kills = kills
        self._nodes = [Process(name, root / name.lower(), self._room) for name in "AB"]
        self._tellers = [
            Teller(node, other, Random(f"{seed}/{node.name}")) for node, other in (self._nodes, self._nodes[::-1])
        ]
        self._writers = [
            Writer(node.data_dir, f"{seed}/{node.name}", NOTES_A_S, Played.NOTE_ON) for node in self._nodes
        ]
        self._takes_s = {True: 0.0, False: 0.0}  # to sign one thing, by command and by the API: as it was of late
        self.result = Result(seed)

    def run(self) -> Result:
        """All of it. The processes are ended whatever happens."""
        began = time.monotonic()
        self._earn()
        threads = [Thread(target=writer.run, daemon=True) for writer in self._writers]
        try:
            for node in self._nodes:
                node.begin()
            for node in self._nodes:
                _await(node)
            for thread in threads:
                thread.start()
            self._sign_unharmed()
            for number, kill in enumerate(self._kills):
                self._suffer(kill)
                self._say(f"{number + 1} of {len(self._kills)} kills: {kill.kind} at {''.join(self._names(kill))}")
            for writer in self._writers:
                writer.stop()
            self._await_same()
        finally:
            for node in self._nodes:
                node.stop()
        for thread in threads:
            thread.join(PATIENCE_S)
        self._close_books()
        self.result.seconds = round(time.monotonic() - began, 1)
        return self.result

    def _earn(self) -> None:
        """Data directories in which two of three players have what they earned an epoch ago."""
        world = World(3, msgspec.structs.replace(SMALL, room=self._room))
        window = SMALL.window_at(time.time_ns() // 1_000) - SMALL.epoch_windows
        world.open_session(world.people[0], window)
        world.round(window)
        for node, person in zip(self._nodes, world.people, strict=False):
            node.data_dir.mkdir(mode=0o700)
            keystore.put(node.data_dir / "keys", Key(Form.SEED, person.identity.seed()), None)
            config = self._config(node)
            opened = open_verified(config.store_path, network_id(world.params), boot_id(), NO_NONCE)
            opened.store.write([entry_item(entry) for entry in world.entries], sync=True)
            close_clean(opened.store)

    def _config(self, node: Process) -> Config:
        return Config(node.data_dir, preset="small", room=self._room)

    def _names(self, kill: Kill) -> list[str]:
        return [self._nodes[number].name for number in kill.nodes]

    # kills

    def _sign_unharmed(self) -> None:
        """In the ways that are to be disturbed, to know how long each takes."""
        for teller in self._tellers:
            for by_command in {kill.by_command for kill in self._kills if kill.kind is not Kind.ATTEST}:
                request = teller.wish(Kind.SEND)
                self._takes_s[by_command] = teller.command(request) if by_command else teller.ask(request)

    def _suffer(self, kill: Kill) -> None:
        if kill.kind is Kind.ATTEST:
            self._await_votes(kill.at)
            self._kill(kill)
        else:
            self._kill_while_signing(kill)
        for number in kill.nodes:
            _await(self._nodes[number])
            self._look(number)

    def _await_votes(self, at: float) -> None:
        """Some moment after the end of a window, when blocks are proposed and voted on."""
        window_us = SMALL.window_s * 1_000_000
        left_s = (window_us - time.time_ns() // 1_000 % window_us) / 1_000_000
        time.sleep(left_s + at / 1.5 * ATTEST_S)

    def _kill_while_signing(self, kill: Kill) -> None:
        teller = self._tellers[kill.nodes[0]]
        request, took = teller.wish(kill.kind), []
        how = teller.command if kill.by_command else teller.ask
        asking = Thread(target=lambda: took.append(how(request)), daemon=True)
        asking.start()
        time.sleep(kill.at * self._takes_s[kill.by_command])
        is_lost = not request.is_known
        self._kill(kill)
        asking.join(PATIENCE_S)
        if not is_lost and took:
            self._takes_s[kill.by_command] = (self._takes_s[kill.by_command] + took[0]) / 2
        _await(self._nodes[kill.nodes[0]])
        survived = teller.has_signed(request)
        try:
            teller.settle(request, kill.by_command and not kill.is_given_up, kill.is_given_up)
        except OperatingFailure as failure:
            self.result.wrong.append(f"{failure.what}: {failure.why}")
        ended = "signed" if request.entry else f"not signed: {request.refused}"
        self.result.requests[ended] += 1
        if is_lost:
            before = "signed before the kill" if survived else "signed when asked again"
            self.result.lost_answers[before if request.entry else ended] += 1
        teller.repeat()

    def _kill(self, kill: Kill) -> None:
        for number in kill.nodes:
            self._nodes[number].kill()
        self.result.kills[kill.kind] += 1
        time.sleep(kill.down_ms / 1_000)
        for number in kill.nodes:
            self._nodes[number].begin()

    # looking

    def _look(self, number: int) -> None:
        """What a node says of itself after a kill: no damage, no fork, and a history that adds up."""
        node, wrong = self._nodes[number], self.result.wrong
        status = _client(node).status()
        if status["equivocations"] or status["guarded"] or status["store"]["recovered"]:
            wrong.append(f"{node.name}: {status['equivocations']} {status['guarded']} {status['store']}")
        wallet, history = self._steady(node)
        held = sum(lot["amount_micro"] for lot in wallet["lots"])
        moved = sum(row["amount_micro"] for row in history)
        if not held == moved == (history[0]["balance_micro"] if history else 0):
            wrong.append(f"{node.name}: {held} held, the history says {moved}")
        if len({row["number"] for row in history}) != len(history):
            wrong.append(f"{node.name}: rows of the history are there twice")

    def _steady(self, node: Process) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The wallet and all of the history, of one moment."""
        while True:
            client = _client(node)
            before, rows = client.wallet(), list[dict[str, Any]]()
            while page := client.history(API_LIST_MAX, rows[-1]["number"] if rows else None)["items"]:
                rows += page
            if client.wallet() == before:
                return before, rows

    def _await_same(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            states = [_client(node).status() for node in self._nodes]
            if len({(state["total"], state["ledger"]["root"]) for state in states}) == 1:
                break
            time.sleep(_POLL_S)
        else:
            self.result.wrong.append("the nodes do not come to hold the same")
        for number in range(len(self._nodes)):
            self._look(number)

    def _close_books(self) -> None:
        params = self._config(self._nodes[0]).params
        stores = [
            open_verified(self._config(n).store_path, network_id(params), boot_id(), NO_NONCE) for n in self._nodes
        ]
        ledgers = [Documents(params, Stored(opened.entries(), opened.proofs)).ledger for opened in stores]
        told = {
            PlayerId(bytes.fromhex(teller.node.player)): {one.entry for one in teller.requests if one.entry}
            for teller in self._tellers
        }
        result, (ledger, *_) = self.result, ledgers
        result.wrong += audit(stores, ledgers, told)
        result.wrong += [words for teller in self._tellers for words in teller.contradictions]
        result.entries = sum(len(log) for log in stores[0].logs.values())
        result.blocks.update(state.standing.name.lower() for state in ledger.blocks())
        result.minted_micro, result.supply_micro = ledger.minted_micro, ledger.supply_micro
        result.lives = len(self._nodes) + sum(len(kill.nodes) for kill in self._kills)
        for opened in stores:
            opened.store.close()


def _client(node: Process) -> Client:
    return Client.of(node.data_dir, PATIENCE_S)


def _await(node: Process) -> None:
    """Wait until its page answers, however slow the machine is."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return node.await_ready()
        except OperatingFailure:
            if not node.is_alive() or time.monotonic() > deadline:
                raise
