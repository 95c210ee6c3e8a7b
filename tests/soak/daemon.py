"""The whole daemon on a disk that fills up or fails: it ends, says why, and has lost nothing that it acknowledged."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import trio

from consensus.events import decode_events
from consensus.params import network_id
from crdt.errors import OperatingFailure
from crdt.store.recover import close_clean, open_verified
from crdt.types import jam_session
from node.client import Client
from node.feed import open_feed
from node.runtime import NoNode
from node.shell.config import Config, boot_id
from tests.crdt.store.logs import FRESH
from tests.soak.crash import STRACE, fill, small_disk

START_S = 60.0
LIFE_S = 60.0
WISH = {"title": "soak", "tempo_mbpm": 100_000, "beats_per_bar": 4, "subdivision": 4, "tags": []}
Note = tuple[int, int]  # pitch and velocity, which number the notes of a trial


class Life:
    """One `symjam up`, perhaps under strace."""

    def __init__(self, config: Config, prefix: Sequence[str] = ()) -> None:
        self.config = config
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `stop`)
        where = ["--data", str(config.data_dir), "--interface", "127.0.0.1", "--no-mdns", "--room", config.room]
        command = [*prefix, sys.executable, "-m", "node", "up", *where, "--preset", config.preset, "--json"]
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def is_ready(self) -> bool:
        """Wait until the page answers, or the process has ended."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._child.poll() is None:
            with suppress(NoNode, OperatingFailure):
                Client.of(self.config.data_dir).status()
                return True
            time.sleep(0.05)
        assert self._child.poll() is not None, "the node neither answered nor ended"
        return False

    def play(self, notes: Iterator[Note]) -> list[Note]:
        """Play until the node is gone or the notes are over; returns those that it acknowledged."""
        saved: list[Note] = []
        try:
            trio.run(self._play, notes, saved)
        except* (OperatingFailure, NoNode):
            pass  # as it should be, where the disk fails; the trial looks at why
        return saved

    async def _play(self, notes: Iterator[Note], saved: list[Note]) -> None:
        client = Client.of(self.config.data_dir)

        def keep(events: Sequence[tuple[int, ...]]) -> None:
            saved.extend((event[3], event[4]) for event in events)

        with trio.move_on_after(LIFE_S):
            async with trio.open_nursery() as nursery:
                async with open_feed(client.address, nursery, keep) as feed:
                    for number, (pitch, velocity) in enumerate(notes):
                        await feed.play([(feed.node_us(), 0, 1, pitch, velocity)])
                        if number % 50 == 49:  # an operation in the ledger, which is synced
                            await trio.to_thread.run_sync(client.close_session)
                            await trio.to_thread.run_sync(client.open_session, WISH)
                    await feed.drain()
                nursery.cancel_scope.cancel()

    def ended(self) -> tuple[int, str]:
        """Exit code and last words of a process that ends by itself."""
        code = self._child.wait(timeout=LIFE_S)
        self._log.seek(0)
        return code, self._log.read().decode()

    def stop(self) -> None:
        """End it cleanly, however this trial went."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._log.close()


@contextmanager
def life(config: Config, prefix: Sequence[str] = ()) -> Iterator[Life]:
    """A node that is ended in any case."""
    one = Life(config, prefix)
    try:
        yield one
    finally:
        one.stop()


def held(config: Config) -> list[Note]:
    """The notes in the store of a node that does not run, in the order of its logs."""
    opened = open_verified(config.store_path, network_id(config.params), boot_id(), FRESH)
    notes = [
        (event.pitch, event.velocity)
        for entry in opened.entries()
        if jam_session(entry.body.document) is not None
        for event in decode_events(entry.body.payload)
    ]
    close_clean(opened.store)
    return notes


def numbered() -> Iterator[Note]:
    """Notes no two of which are alike."""
    return ((pitch, velocity) for velocity in range(1, 128) for pitch in range(128))


def full_disk_trial(directory: Path, _template: Path, kind: str, seed: int) -> dict[str, int]:
    """A daemon whose disk has no room left while somebody plays."""
    chance = random.Random(f"{kind} {seed}")
    with small_disk(directory / "disk", 8_000_000) as disk:
        config = Config(disk / "data", "small", f"soak-{os.getpid()}-{seed}")
        with life(config) as first:
            assert first.is_ready()
            filler = fill(disk, chance.randint(0, 400_000))
            return _ends_and_goes_on(config, first, "No space left", filler.unlink)


def io_error_trial(directory: Path, _template: Path, kind: str, seed: int) -> dict[str, int]:
    """A daemon of which one system call on its store fails."""
    chance, call = random.Random(f"{kind} {seed}"), kind.rpartition(" ")[2]
    config = Config(directory / "data", "small", f"soak-{os.getpid()}-{seed}")
    inject = f"inject={call}:error=EIO:when={chance.randint(1, 300 if call == 'write' else 25)}"
    prefix = [STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
    if call == "write":
        files = [config.store_path / f"{number:06}.{kind}" for number in range(1, 40) for kind in ("log", "ldb")]
        prefix += [word for path in files for word in ("-P", str(path))]
    with life(config, prefix) as first:
        first.is_ready()
        return _ends_and_goes_on(config, first, "Input/output error", lambda: None)


def _ends_and_goes_on(config: Config, first: Life, why: str, mend: Callable[[], None]) -> dict[str, int]:
    notes = numbered()
    said = first.play(notes)
    code, words = first.ended()
    assert code == 1, f"exit code {code}: {words[-500:]}"
    told = [line for line in words.splitlines() if line.startswith("symjam: ")]
    assert told and why in told[-1], words[-800:]
    assert "Traceback" not in words, words[-2_000:]
    assert words.splitlines()[-1].startswith("  "), words[-800:]  # the remedy
    mend()
    with life(config) as second:
        assert second.is_ready(), second.ended()
        more = second.play(note for note, _ in zip(notes, range(40), strict=False))
        assert len(more) == 40
        frozen = Client.of(config.data_dir).status()["ledger"]
        second.stop()
    kept = held(config)
    missing = [note for note in said + more if note not in set(kept)]
    assert not missing, f"{len(missing)} of {len(said)} acknowledged notes are missing"
    assert len(kept) == len(set(kept))
    return {"said": len(said), "ready": int(frozen["ready"])}
