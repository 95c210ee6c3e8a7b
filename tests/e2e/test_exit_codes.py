"""Every failing situation, as a script sees it: exit code, three parts on standard error, nothing on standard output,
and with --json a typed object there (docs/errors.md). One node is shared by all; what is slow runs with --json only.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from consensus.params import SMALL, network_id
from crdt.errors import OperatingFailure
from crdt.store.keys import entry_item
from crdt.store.recover import close_clean, open_verified
from crdt.types import NO_NONCE
from node.client import Client
from node.failures import KINDS, kind_of
from node.shapes.commands import Doctor
from node.shapes.common import Error
from node.shell.config import Config, boot_id
from tests.consensus.world import World
from tests.crdt.authors import BOB
from tests.e2e.test_broken_places import NO_MDNS, filtered
from tests.fitting import misfit
from tests.lan.wires import Namespace, missing
from tests.soak.crash import small_disk
from wallet import keystore
from wallet.keyfile import Cost, Form, Key, new_key

PASSPHRASE, WRONG = "four words for opening", "four words for nothing"
PAY = ("wallet", "send", BOB.player.hex(), "--new-player")
UP = ("up", "--preset", "small", "--no-mdns", "--interface", "127.0.0.1")
DOCS = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")


class Row(NamedTuple):
    """A situation: in which directory, which command, what it reads at descriptor 3, and how it ends."""

    where: str
    arguments: tuple[str, ...]
    code: int
    reason: str
    typed: str = ""


SITUATIONS: dict[str, Row] = {
    "no daemon": Row("nothing", ("status",), 3, "no-node"),
    "wrong passphrase of a file": Row("locked", UP, 4, "wrong-passphrase", WRONG),
    "wrong passphrase for a signature": Row("running", (*PAY, "0.01", "--yes"), 4, "wrong-passphrase", WRONG),
    "locked file": Row("locked", UP, 4, "locked"),
    "locked for a signature": Row("running", (*PAY, "0.01", "--yes"), 4, "locked"),
    "unknown player": Row("running", ("wallet", "send", "the bassist", "1", "--yes"), 1, "unknown-player"),
    "too little balance": Row("running", (*PAY, "1000", "--yes"), 1, "too-little"),
    "malformed amount": Row("running", (*PAY, "1,5", "--yes"), 2, "not-an-amount"),
    "running already": Row("running", UP, 1, "already-running", PASSPHRASE),
    "record damaged": Row("damaged", UP, 6, "record-damaged"),
    "port taken": Row("fresh", (*UP, "--port", "PORT"), 1, "port-taken"),
    "disk full": Row("full", UP, 1, "disk-full"),
    "key open to others": Row("open", ("wallet", "address"), 4, "key-refused"),
    "malformed file of a player": Row("running", ("blocks", "--limit", "0"), 2, ""),
}  # fmt: skip
EXAMINED = {"clock off by ten minutes": ("future", "clock-back"), "no multicast": ("deaf", "multicast")}
NEEDS_ROOT = {"full", "deaf"}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Place(NamedTuple):
    """The directories, the port that is taken, the machine without multicast."""

    root: Path
    port: int
    deaf: Namespace | None

    def symjam(self, where: str, *arguments: str, typed: str = "") -> Ended:
        words = tuple(str(self.port) if word == "PORT" else word for word in arguments)
        command: tuple[str, ...] = (sys.executable, "-m", "node", *words, "--data", str(self.root / where))
        if where == "deaf" and self.deaf is not None:
            command = self.deaf.command(*command)
        reading, writing = os.pipe()
        os.write(writing, f"{typed}\n".encode())
        os.close(writing)
        command += ("--passphrase-fd", str(reading)) if typed else ()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            pass_fds=(reading,),
        )
        os.close(reading)
        return Ended(done.returncode, done.stdout, done.stderr)


def prepared(root: Path) -> None:
    for name in ("nothing", "fresh", "running", "locked", "damaged", "open", "future", "deaf", "full"):
        (root / name).mkdir(mode=0o700)
    earned(root / "running")
    keystore.put(root / "locked" / "keys", new_key(), PASSPHRASE, Cost(1, 1_024))
    for name in ("damaged", "open"):
        keystore.create(root / name / "keys")
    (root / "open" / "keys" / keystore.FILE_NAME).chmod(0o644)
    (root / "future" / "note").touch()
    os.utime(root / "future" / "note", (time.time() + 600, time.time() + 600))


def earned(data: Path) -> None:
    """A player under a passphrase, who has earned something."""
    world = World(3, SMALL)
    window = SMALL.window_at(time.time_ns() // 1_000) - SMALL.epoch_windows
    world.open_session(world.people[0], window)
    world.round(window)
    key = Key(Form.SEED, world.people[0].identity.seed())
    keystore.put(data / "keys", key, PASSPHRASE, Cost(1, 1_024))
    opened = open_verified(Config(data, preset="small").store_path, network_id(world.params), boot_id(), NO_NONCE)
    opened.store.write([entry_item(entry) for entry in world.entries], sync=True)
    close_clean(opened.store)


def damaged_record(data: Path) -> None:
    """Where a node of this very network looks for what was signed last."""
    Config(data, preset="small").signed_path.write_bytes(b"not what was written")


def filled(disk: Path) -> None:
    keystore.create(disk / "keys")
    with (disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(65_536))


def begun(place: Place, undo: ExitStack) -> None:
    """The shared node."""
    reading, writing = os.pipe()
    os.write(writing, f"{PASSPHRASE}\n".encode())
    os.close(writing)
    command = (
        sys.executable,
        "-m",
        "node",
        *UP,
        "--data",
        str(place.root / "running"),
        "--passphrase-fd",
        str(reading),
    )
    supervisor = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    supervisor.bind(str(place.root / "notify"))
    told = {**os.environ, "NOTIFY_SOCKET": str(place.root / "notify")}
    node = subprocess.Popen(
        command, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(reading,)
    )
    os.close(reading)
    undo.callback(node.wait)
    undo.callback(node.terminate)
    for _ in range(600):
        try:
            Client.of(place.root / "running").status()
            supervisor.settimeout(30)
            assert supervisor.recv(4_096).startswith(b"READY=1\nSTATUS=page at port ")
            return
        except OperatingFailure:
            assert node.poll() is None
            time.sleep(0.1)
    raise AssertionError("it did not start")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, bool], Ended]]:
    """How every command of the table ended, plain and with --json; those that need root are left out without it."""
    root = tmp_path_factory.mktemp("codes")
    prepared(root)
    damaged_record(root / "damaged")
    can_all = not missing()
    with ExitStack() as undo:
        taken = undo.enter_context(socket.create_server(("127.0.0.1", 0)))
        deaf = None
        if can_all:
            deaf = Namespace(f"sj-{root.parent.name[-6:]}-deaf")
            undo.callback(deaf.remove)
            filtered(deaf, "input", NO_MDNS)
            (root / "full").rmdir()
            filled(undo.enter_context(small_disk(root / "full")))
        place = Place(root, taken.getsockname()[1], deaf)
        begun(place, undo)
        with ThreadPoolExecutor(2) as crew:
            said: dict[tuple[str, bool], Future[Ended]] = {}
            for as_json in (False, True):
                flag = ("--json",) if as_json else ()
                for name, row in SITUATIONS.items():
                    is_cheap = row.arguments is not UP and row.arguments[0] != "up"
                    if (can_all or row.where not in NEEDS_ROOT) and (as_json or is_cheap):
                        said[name, as_json] = crew.submit(
                            place.symjam, row.where, *row.arguments, *flag, typed=row.typed
                        )
                for name, (where, _) in EXAMINED.items():
                    if can_all or where not in NEEDS_ROOT:
                        said[name, as_json] = crew.submit(place.symjam, where, "doctor", *flag)
        yield {key: one.result() for key, one in said.items()}


def of(ended: dict[tuple[str, bool], Ended], name: str, as_json: bool) -> Ended:
    if (name, as_json) not in ended:
        pytest.skip("it takes root")
    return ended[name, as_json]


@pytest.mark.parametrize("name", [name for name, row in SITUATIONS.items() if row.reason])
def test_a_command_that_fails(ended: dict[tuple[str, bool], Ended], name: str) -> None:
    row, typed = SITUATIONS[name], of(ended, name, True)
    plain = ended.get((name, False))
    assert plain is None or (plain.code, plain.out) == (row.code, ""), plain
    for said in (plain, typed):
        if said is not None:
            *_, first, remedy = said.err.splitlines()
            assert first.startswith("symjam: ") and first.count(": ") >= 2, said.err
            assert remedy.startswith("  ") and remedy.strip()
            assert "Traceback" not in said.err
    assert typed.code == row.code
    assert not misfit(typed.out, Error)
    error: dict[str, Any] = json.loads(typed.out)
    assert error["reason"] == row.reason
    assert f"symjam: {error['what']}: {error['why']}\n  {error['remedy']}\n" in typed.err
    assert f"`{row.reason}`" in DOCS


def test_wrong_usage_is_clicks_own_and_an_object_for_programs(ended: dict[tuple[str, bool], Ended]) -> None:
    plain, typed = (ended["malformed file of a player", as_json] for as_json in (False, True))
    assert (plain.code, plain.out) == (2, "") and "--limit" in plain.err
    assert typed.code == 2 and "--limit" in typed.err
    assert not misfit(typed.out, Error)
    assert json.loads(typed.out)["reason"] == "usage"


@pytest.mark.parametrize("name", EXAMINED)
def test_what_doctor_finds_ends_it_with_1(ended: dict[tuple[str, bool], Ended], name: str) -> None:
    """Its report is its data, and so on standard output; what failed is said on standard error as well."""
    plain, typed = of(ended, name, False), of(ended, name, True)
    check = EXAMINED[name][1]
    assert plain.code == typed.code == 1
    assert "checks failed: " in plain.err and check in plain.err.splitlines()[-1]
    assert not misfit(typed.out, Doctor)
    found = {one["name"]: one for one in json.loads(typed.out)["checks"]}[check]
    assert found["level"] == "fail" and found["why"] and found["remedy"]


def test_every_kind_of_failure_is_documented() -> None:
    assert not [kind.reason for kind in KINDS.values() if f"`{kind.reason}`" not in DOCS]
    for failure in (OperatingFailure("a", "b"), OperatingFailure("a", "IO error: x: No space left on device")):
        assert f"`{kind_of(failure).reason}`" in DOCS
