"""What a machine keeps of a node: its store, the record of what it signed last, and which boot this is.

Opening goes the daemon's way (crdt/store/recover.py): every log is walked, and after a power cut, which the mark in
the store tells by the boot's name, jam entries go on under a fresh nonce. The record of what was signed last is a
file of its own there, replaced and synced whole, so it survives everything that is done here.
"""

from __future__ import annotations

import errno as errnos
from random import Random

from crdt.store.faulty import FaultyStore
from crdt.store.recover import Opened, close_clean, open_store
from crdt.types import NO_NONCE, NetworkId, Nonce
from node.engine.effects import Signed


class Disk:
    """One machine's. `store` is what the running process has open, or the next one will find."""

    def __init__(self, chance: Random) -> None:
        self.store = FaultyStore()
        self.signed: Signed | None = None
        self._chance = chance
        self._boots = 1
        self._opened = 0
        self._errno: int | None = None

    def open(self, network: NetworkId, is_new: bool = True) -> Opened:
        """As a daemon opens it, `is_new`: with a key made for it. OperatingFailure when it cannot be written to."""
        nonce = NO_NONCE if is_new and not self._opened else Nonce(self._chance.randbytes(8))
        self._opened += 1
        return open_store(self.store, network, f"boot {self._boots}", nonce)

    def close(self) -> None:
        """The process ends as it should, and says so."""
        close_clean(self.store)
        self._reopen(self.store.kill())

    def kill(self) -> None:
        """The process is gone; what it wrote is there."""
        self._reopen(self.store.kill())

    def cut_power(self) -> None:
        """The machine is gone: what was synced is there, and as much after that as the disk happened to have done."""
        self._reopen(self.store.crash(self._chance.randint(0, self.store.unsynced())))
        self._boots += 1

    def fail(self, errno: int = errnos.EIO, writes: int = 0) -> None:
        """From now on, or after so many writes more, every write fails, of later processes too, until `mend`."""
        self._errno = errno
        self.store.fail_write(writes + 1, errno)

    def mend(self) -> None:
        """Writing works again for the next process. One that saw it fail has died of it."""
        self._errno = None
        self._reopen(self.store.kill())

    def _reopen(self, store: FaultyStore) -> None:
        self.store = store
        if self._errno is not None:
            store.fail_write(1, self._errno)
