"""Processes killed, and disks that fill up or fail under them: nothing that was said is missing or contradicted."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crdt.store.recover import Opened, open_verified
from tests.crdt.store.logs import BOOT, FRESH, NETWORK
from tests.soak import damage

WRITER = (sys.executable, "-m", "tests.soak.writer")
STRACE = "/usr/bin/strace"
LIVES = 3  # of one directory, in a trial that kills
TMPFS_BYTES = 2_000_000
Place = tuple[str, str, int]
Said = dict[Place, str]


class Mouth:
    """What a writer has said about one directory, over all its lives."""

    def __init__(self) -> None:
        self.said: Said = {}

    def hear(self, lines: Sequence[str]) -> None:
        """Entries, one a line. AssertionError when one contradicts another at its place."""
        for line in lines:
            document, nonce, seq, entry_id = line.split()
            place = (document, nonce, int(seq))
            assert self.said.setdefault(place, entry_id) == entry_id, f"two entries at {place}"

    def check(self, opened: Opened) -> None:
        """All of it is held."""
        held = {
            (name.document, name.log.nonce.hex(), seq): entry.id.hex()
            for name, log in opened.logs.items()
            for seq, entry in enumerate(log)
        }
        missing = [place for place, entry_id in self.said.items() if held.get(place) != entry_id]
        assert not missing, f"{len(missing)} of {len(self.said)} said are missing: {missing[:3]}"


def run_writer(directory: Path, turns: int, prefix: Sequence[str] = (), kill_after_s: float | None = None) -> Run:
    """One life of the writer, to its end or to kill -9 after so long since it opened its store."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([*prefix, *WRITER, str(directory), str(turns)], stdout=out, stderr=err)
        if kill_after_s is not None:
            while child.poll() is None and not os.fstat(out.fileno()).st_size:
                time.sleep(0.002)
            time.sleep(kill_after_s)
            child.kill()
        child.wait(timeout=120)
        out.seek(0)
        err.seek(0)
        whole = [line for line in out.read().decode().splitlines(keepends=True) if line.endswith("\n")]
        return Run(child.returncode, whole[0].strip() if whole else "", whole[1:], err.read().decode())


class Run:
    """How a life ended."""

    def __init__(self, code: int, opened: str, said: list[str], error: str) -> None:
        self.code, self.opened, self.said, self.error = code, opened, said, error

    def failed_honestly(self) -> bool:
        """Whether it ended by saying what, why and what to do. AssertionError when it ended in any other bad way."""
        if self.code == 0:
            return False
        fields = self.error.strip().splitlines()[-1].split(" | ")
        assert self.code == 3 and len(fields) == 3 and all(fields), self.error
        return True


def kill_trial(directory: Path, _template: Path, _kind: str, seed: int) -> dict[str, int]:
    """Some lives of one directory, each ended by kill -9 at a random moment."""
    chance, mouth = random.Random(f"kill {seed}"), Mouth()
    for _ in range(LIVES):
        run = run_writer(directory, 100_000, kill_after_s=chance.random() ** 2 * 0.5)
        assert run.code == -9, run.error
        mouth.hear(run.said)
        opened = open_verified(directory / "db", NETWORK, BOOT, FRESH)
        mouth.check(opened)
        assert not opened.recovery.damaged and not opened.recovery.machine_went_down
        opened.store.close()
    return {"kills": LIVES, "said": len(mouth.said)}


def salvage_kill_trial(directory: Path, template: Path, _kind: str, seed: int) -> dict[str, int]:
    """A damaged store whose recovery is killed, over and over, at random moments: it ends as if it had not been."""
    chance = random.Random(f"salvage {seed}")
    past = damage.history()
    kind = chance.choice(list(damage.DAMAGES))
    paths = [directory / "undisturbed", directory / "killed"]
    damage.harm(paths[0], template, kind, seed)
    shutil.copytree(paths[0], paths[1])
    code = (
        "import sys; from pathlib import Path; from tests.soak.history import NETWORK; "
        "from crdt.store.recover import open_verified; print('go', flush=True); "
        "open_verified(Path(sys.argv[1]), NETWORK, 'boot', bytes(range(8))).store.close()"
    )
    kills = 0
    for _ in range(chance.randint(1, 4)):
        child = subprocess.Popen([sys.executable, "-c", code, str(paths[1])], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.random() * 0.25)
        child.kill()
        kills += child.wait() == -9
        child.stdout.close()
    ends = [open_verified(path, damage.NETWORK, BOOT, FRESH) for path in paths]
    assert ends[0].logs == ends[1].logs and set(ends[0].proofs) == set(ends[1].proofs)
    for end in ends:
        end.store.close()
    return {"kills": kills, "kept": ends[1].recovery.entries, "of": damage.past_entries(past)}


@contextmanager
def small_disk(at: Path, size: int = TMPFS_BYTES) -> Iterator[Path]:
    """A file system of its own with little room. Needs root."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


def fill(disk: Path, left_bytes: int) -> Path:
    """Take the room of a disk but for so much."""
    free = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - left_bytes)))
    return filler


def full_disk_trial(directory: Path, _template: Path, _kind: str, seed: int) -> dict[str, int]:
    """ENOSPC at a random moment; with room again it goes on."""
    chance, mouth = random.Random(f"full {seed}"), Mouth()
    with small_disk(directory / "disk") as disk:
        mouth.hear(run_writer(disk, chance.randint(1, 20)).said)
        filler = fill(disk, chance.randint(0, 300_000))
        ended = run_writer(disk, 100_000)
        assert ended.failed_honestly() and os.strerror(errno.ENOSPC) in ended.error
        mouth.hear(ended.said)
        filler.unlink()
        return _goes_on(disk, mouth)


def io_error_trial(directory: Path, _template: Path, kind: str, seed: int) -> dict[str, int]:
    """EIO from one system call of the store's, at a random moment."""
    chance, mouth = random.Random(f"{kind} {seed}"), Mouth()
    call = kind.rpartition(" ")[2]
    mouth.hear(run_writer(directory, 10).said)
    when = chance.randint(1, 60)
    prefix = [STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={when}"]
    if call == "write":
        logs = [directory / "db" / f"{number:06}.{kind}" for number in range(1, 60) for kind in ("log", "ldb")]
        prefix += [word for path in logs for word in ("-P", str(path))]
    ended = run_writer(directory, 200, prefix)
    failed = ended.failed_honestly()
    assert not failed or os.strerror(errno.EIO) in ended.error
    mouth.hear(ended.said)
    return {"failed": int(failed), **_goes_on(directory, mouth)}


def _goes_on(directory: Path, mouth: Mouth) -> dict[str, int]:
    """The next life says more, contradicts nothing, and in the end everything ever said is there."""
    before = len(mouth.said)
    run = run_writer(directory, 30)
    assert run.code == 0, run.error
    mouth.hear(run.said)
    assert len(mouth.said) > before
    opened = open_verified(directory / "db", NETWORK, BOOT, FRESH)
    mouth.check(opened)
    opened.store.close()
    return {"said": len(mouth.said), "damaged": int(run.opened == "open damaged")}


def may_mount() -> bool:
    """Whether a file system can be mounted here."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def may_trace() -> bool:
    """Whether strace works here."""
    if not os.access(STRACE, os.X_OK):
        return False
    return subprocess.run([STRACE, "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0
