"""A till around a real engine whose player has earned something, with a key of its own under a cheap passphrase."""

from __future__ import annotations

from pathlib import Path

from consensus.params import SMALL
from crdt.types import Epoch, PlayerId, Window
from node.engine.documents import Stored
from node.engine.engine import Engine
from node.engine.inputs import Input, PeerJoined
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
        keystore.put(keys, Key(Form.SEED, ann.seed()), passphrase, Cost(1, 8))
        self.till = Till(self.engine, lambda: self.now_us, self.give, self.settled, keys)

    @property
    def others(self) -> list[PlayerId]:
        return [person.player for person in self.world.people[1:]]

    def give(self, event: Input) -> None:
        self.engine.handle(self.now_us, event)

    async def settled(self) -> None:
        self.synced += 1

    def link(self) -> None:
        self.give(PeerJoined(self.others[0]))

    def hold(self) -> None:
        """The linked peer says that it holds the same."""
        self.now_us += 1_000
        self.engine.peers[self.others[0]].synced(self.now_us)
