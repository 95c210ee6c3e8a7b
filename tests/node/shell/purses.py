"""A till around a real engine whose player has earned something, with a key of its own under a cheap passphrase."""

from __future__ import annotations

from pathlib import Path

from consensus.params import SMALL
from crdt.entry import open_entry
from crdt.store.keys import parse_entry_key
from crdt.types import Epoch, PlayerId, Window
from node.engine.documents import Stored
from node.engine.effects import Persist
from node.engine.engine import Engine
from node.engine.inputs import Input, PeerJoined
from node.engine.requests import REQUEST_PREFIX
from node.shell.till import Till
from tests.consensus.world import FIRST, World
from wallet import keystore
from wallet.keyfile import Cost, Form, Key

NOW = Epoch(FIRST // SMALL.epoch_windows + 1)
NOW_US = SMALL.window_start_us(Window(NOW * SMALL.epoch_windows))
PASSPHRASE = "correct horse battery"


class Purse:
    """The first of three, who has played one window; the others attested."""

    def __init__(self, keys: Path, passphrase: str | None = None) -> None:
        self.world = World(3)
        self.session = self.world.open_session(self.world.people[0])
        self.played = self.world.round(FIRST)
        ann = self.world.people[0].identity
        self.engine = Engine(ann, SMALL, NOW_US, stored=Stored(self.world.entries))
        self.now_us = NOW_US
        self.synced = 0
        self.saved: dict[bytes, bytes | None] = {}
        self._keys = keys
        keystore.put(keys, Key(Form.SEED, ann.seed()), passphrase, Cost(1, 8))
        self.till = Till(self.engine, lambda: self.now_us, self.give, self.settled, keys)

    @property
    def others(self) -> list[PlayerId]:
        return [person.player for person in self.world.people[1:]]

    def give(self, event: Input) -> None:
        for effect in self.engine.handle(self.now_us, event):
            if isinstance(effect, Persist):
                self.saved.update(effect.batch)

    def restart(self) -> None:
        """Another engine and till, from what was saved."""
        network, kept = self.engine.documents.network, dict(sorted(self.saved.items()))
        own = [open_entry(network, raw) for key, raw in kept.items() if raw and parse_entry_key(key)]
        requests = [(key, raw) for key, raw in kept.items() if raw and key.startswith(REQUEST_PREFIX)]
        stored = Stored([*self.world.entries, *own], requests=requests)
        self.engine = Engine(self.world.people[0].identity, SMALL, self.now_us, stored=stored)
        self.till = Till(self.engine, lambda: self.now_us, self.give, self.settled, self._keys)

    async def settled(self) -> None:
        self.synced += 1

    def link(self) -> None:
        self.give(PeerJoined(self.others[0]))

    def hold(self) -> None:
        """The linked peer says that it holds the same."""
        self.now_us += 1_000
        self.engine.peers[self.others[0]].synced(self.now_us)
