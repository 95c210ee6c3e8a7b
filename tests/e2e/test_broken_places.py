"""`symjam status` and `symjam doctor` where something is wrong for real: what it is, is named, with what to do.

Five machines on one switch, each a network namespace: a clock that is ten minutes off, two nodes with one key, no
multicast, a firewall; beside them a machine without a network, a full disk, a damaged store. The clock is shifted in
the node's own process, at time.time_ns: a namespace has no wall clock of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from node.doctor.check import Level
from tests.lan.nodes import START_S, LanNode, until
from tests.lan.wires import Lan, Namespace, lan, missing
from tests.soak.crash import small_disk
from wallet import keystore

SHIFT_S = 600
SHIFTED = (
    sys.executable,
    "-c",
    f"import time; true = time.time_ns; time.time_ns = lambda: true() + {SHIFT_S} * 10**9\n"
    "from node.cli import main; main()",
)
PATIENCE_S = 30.0
NO_MDNS = ("udp", "dport", "5353", "drop")
NO_TCP = ("iifname", "eth0", "ip", "protocol", "tcp", "drop")


class Said(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str

    def check(self, name: str) -> dict[str, str]:
        found: dict[str, dict[str, str]] = {one["name"]: one for one in json.loads(self.out)["checks"]}
        return found[name]


def symjam(data: Path, *arguments: str, host: Namespace | None = None) -> Said:
    command: tuple[str, ...] = (sys.executable, "-m", "node", *arguments, "--data", str(data))
    done = subprocess.run(
        host.command(*command) if host else command, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def doctor(data: Path, host: Namespace | None = None) -> Said:
    return symjam(data, "doctor", "--json", host=host)


def at_once(data: Path, *commands: tuple[str, ...], host: Namespace | None = None) -> list[Said]:
    with ThreadPoolExecutor(len(commands)) as crew:
        return list(crew.map(lambda command: symjam(data, *command, host=host), commands))


def filtered(host: Namespace, hook: str, rule: tuple[str, ...]) -> None:
    host.nft("add", "table", "ip", "broken")
    host.nft("add", "chain", "ip", "broken", hook, f"{{ type filter hook {hook} priority 0 ; }}")
    host.nft("add", "rule", "ip", "broken", hook, *rule)


def trouble(node: LanNode, name: str) -> Callable[[], bool]:
    return lambda: any(one["name"] == name and one["level"] != Level.OK for one in node.status()["checks"])


def same_key(one: LanNode, other: LanNode) -> None:
    keystore.create(one.data_dir / "keys")
    shutil.copytree(one.data_dir / "keys", other.data_dir / "keys")


class Place(NamedTuple):
    """The machines, by what is wrong with them."""

    wrong_clock: LanNode
    twin: LanNode
    other_twin: LanNode
    deaf: LanNode
    walled: LanNode
    doctors: dict[str, Said]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """All of them at once, until each node knows; then every doctor's word."""
    if why := missing():
        pytest.skip(why)
    root = tmp_path_factory.mktemp("broken")
    with ExitStack() as undo:
        wires: Lan = undo.enter_context(lan(5))
        for hook in ("input", "output"):
            filtered(wires.hosts[3], hook, NO_MDNS)
        filtered(wires.hosts[4], "input", NO_TCP)
        made = [LanNode(host, root / f"host{i}") for i, host in enumerate(wires.hosts)]
        made[0] = LanNode(wires.hosts[0], root / "host0", program=SHIFTED)
        same_key(made[1], made[2])
        for node in made:
            undo.callback(node.stop)
            node.begin()
        until(lambda: all(node.is_up() for node in made), "the start", START_S)
        names = Place._fields[:5]
        nodes = dict(zip(names, made, strict=True))
        for who, name, *_ in WRONG:
            until(trouble(nodes[who], name), f"{name} being noticed", PATIENCE_S)
        with ThreadPoolExecutor(5) as crew:
            said = dict(zip(names, crew.map(lambda node: doctor(node.data_dir, node.host), made), strict=True))
        yield Place(*made, said)


WRONG = [
    ("wrong_clock", "clock-peers", "10.0 minutes ahead of 1 peer", "timedatectl set-ntp true"),
    ("twin", "identity", "another node runs with this player's key, at 10.83.0.3 port ", "End one of them, now."),
    ("other_twin", "identity", "another node runs with this player's key, at 10.83.0.2 port ", "End one of them, now."),
    ("deaf", "multicast", "10.83.0.4: Operation not permitted", "Let UDP port 5353 through the firewall"),
    ("walled", "firewall", "nothing answers there: 10.83.0.", "ufw allow"),
]


@pytest.mark.parametrize(("who", "name", "seen", "remedy"), WRONG, ids=[f"{row[0]}-{row[1]}" for row in WRONG])
def test_what_is_wrong_around_a_running_node_is_named(
    place: Place, who: str, name: str, seen: str, remedy: str
) -> None:
    said = place.doctors[who]
    check = said.check(name)
    assert (said.code, check["level"]) == (1, Level.FAIL)
    assert f"{name}" in said.err
    assert seen in check["seen"] and check["why"] and remedy in check["remedy"]
    node: LanNode = getattr(place, who)
    shown = symjam(node.data_dir, "status", host=node.host)
    assert shown.code == 0
    *_, words = " ".join(shown.out.split()).partition(f"trouble {name}: ")
    assert remedy.split(",", maxsplit=1)[0] in words


def test_what_is_right_is_not_named(place: Place) -> None:
    for who, said in place.doctors.items():
        wrong = {one["name"] for one in json.loads(said.out)["checks"] if one["level"] == Level.FAIL}
        if who in ("twin", "other_twin"):  # whom the wrong clock met, and whether both signed, is chance
            wrong -= {"clock-peers", "equivocation"}
        assert wrong == {name for one, name, *_ in WRONG if one == who}


def test_a_damaged_store_is_named_and_what_was_said_is_true(place: Place) -> None:
    data = place.walled.data_dir
    place.walled.stop()
    (store,) = data.glob("store-small-*")
    before = {path.name: path.read_bytes() for path in store.iterdir()}
    assert doctor(data).check(f"store {store.name.removeprefix('store-')}")["level"] == Level.OK
    assert {path.name: path.read_bytes() for path in store.iterdir()} == before
    (store / "CURRENT").unlink()
    check = doctor(data).check(f"store {store.name.removeprefix('store-')}")
    assert check["level"] == Level.FAIL and "no CURRENT file" in check["seen"] and "`symjam up`" in check["remedy"]
    shown = symjam(data, "status")
    assert (shown.code, shown.out) == (3, "") and "it is damaged" in shown.err
    assert not list(data.glob(".doctor-*"))


def test_no_network(tmp_path: Path) -> None:
    if why := missing():
        pytest.skip(why)
    alone = Namespace(f"sj-alone-{tmp_path.parent.name[-8:]}")
    try:
        said, shown = at_once(tmp_path, ("doctor", "--json"), ("status",), host=alone)
    finally:
        alone.remove()
    check = said.check("interfaces")
    assert said.code == 1 and "no network" in check["seen"] and "plug in a cable" in check["remedy"]
    assert shown.code == 3 and "no network" in shown.err


def test_a_full_disk(tmp_path: Path) -> None:
    if why := missing():
        pytest.skip(why)
    with small_disk(tmp_path / "disk") as disk:
        keystore.create(disk / "keys")
        with (disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(bytes(65_536))
        up = ("up", "--preset", "small", "--interface", "127.0.0.1", "--no-mdns")
        said, shown, begun = at_once(disk, ("doctor", "--json"), ("status",), up)
    assert said.code == 1 and said.check("disk-space")["level"] == Level.FAIL
    assert "No space left on device" in said.check("disk-write")["seen"]
    assert "Make room" in said.check("disk-space")["remedy"]
    assert shown.code == 3 and "disk-space" in shown.err
    assert (begun.code, begun.out) == (1, "")
    assert "No space left on device" in begun.err and "Make room" in begun.err
