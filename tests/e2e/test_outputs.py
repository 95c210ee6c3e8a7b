"""What every command prints: with --json a document of its type, else lines for people that fit a narrow terminal.

One node serves all of it; commands run in this process, piped, with NO_COLOR, as scripts run them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner, Result

from jam.midi import write
from jam.synthetic import make
from node.cli import main
from node.commands.processes import Process
from node.shapes.commands import SAYS
from node.shapes.common import Error
from tests.conftest import own_directories
from tests.fitting import COLUMNS, misfit, untidy

STRANGER = "ab" * 32
PLAYED_S = 12  # a window of the small preset, and more
# Left to their own tests, for what they start or how long they run, or because they print others' lines as they are:
# tests/e2e/test_demo.py, tests/node/shell/test_logbook.py
ELSEWHERE = {"demo", "logs", "up", "watch"}


class Scene(NamedTuple):
    """A running node, what it and a watcher said, and a MIDI file."""

    node: Process
    up: bytes
    watched: list[bytes]
    midi: Path
    home: Path

    def run(self, *words: str, **secrets: str) -> Result:
        """A command about this node, or about another directory where `--data` is among its words."""
        fds = {name: _holding(secret) for name, secret in secrets.items()}
        given = [part for name, fd in fds.items() for part in (f"--{name.replace('_', '-')}-fd", str(fd))]
        data = (
            []
            if "--data" in words or words[0] in ("completion", "quality", "sim")
            else ["--data", str(self.node.data_dir)]
        )
        try:
            return CliRunner(env={"NO_COLOR": "1", "COLUMNS": str(COLUMNS)}).invoke(main, [*words, *data, *given])
        finally:
            for fd in fds.values():
                os.close(fd)


def _holding(text: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("outputs")
    patch = pytest.MonkeyPatch()
    own_directories(home, patch)
    midi = home / "take.mid"
    write(make(3, PLAYED_S * 1_000_000, 100_000), midi)
    node = Process("A", home / "a", room=home.name)
    node.start()
    watcher = subprocess.Popen(
        (sys.executable, "-m", "node", "watch", "--json", "--data", str(node.data_dir)), stdout=subprocess.PIPE
    )
    try:
        assert watcher.stdout is not None
        watched = [watcher.stdout.readline()]
        player = CliRunner().invoke(main, ["jam", "--midi", str(midi), "--json", "--data", str(node.data_dir)])
        assert not player.exit_code and not misfit(player.stdout, SAYS["jam"]), player.output
        watcher.terminate()
        watched += watcher.stdout.read().splitlines()
        assert watcher.wait() == 128 + signal.SIGTERM
        up = next(line for line in (node.data_dir / "node.log").read_bytes().splitlines() if b"symjam.up/" in line)
        yield Scene(node, up, watched, midi, home)
    finally:
        watcher.kill()
        watcher.wait()
        node.stop()
        patch.undo()


def commands(group: click.Group = main, before: str = "") -> Iterator[str]:
    """Every command's words, but for the simulator's, whose documents are its own types."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from () if name == "sim" else commands(found, f"{name} ")
        else:
            yield before + name


ASKED: dict[str, list[list[str]]] = {
    "jam": [[], ["--chart", "MIDI"]],
    "bugreport": [["REPORT"]],
    "completion": [["bash"], ["fish"]],
    "backup": [["BACKUP", "--force"], ["BACKUP", "--force", "--without-key"]],
    "restore": [["BACKUP", "--data", "NEW"]],
    "explain": [["balance"], ["refusal"]],
    "quality": [["MIDI", "--preset", "small"], ["MIDI", "--explain"]],
    "wallet explain": [["balance"]],
    "wallet value": [["--by", by] for by in ("trust", "tags", "provenance")],
    "wallet watch": [[STRANGER, "a friend"]],
    "wallet vouch": [[STRANGER, "--yes", "--wait", "0"]],
    "wallet unvouch": [[STRANGER, "--yes", "--wait", "0"]],
    "wallet report": [[STRANGER, "--why", "replay", "--yes", "--wait", "0"]],
    "wallet send": [[STRANGER, "1", "--yes", "--new-player"]],
    "wallet stake": [["1", "--yes"]],
    "wallet unstake": [["0", "--yes"]],
    "wallet witness": [[STRANGER, "--yes", "--rate", "groove=4", "--wait", "0"]],
}
SCRIPTS = {"completion"}  # read by a shell
WITH_KEYS = {"wallet init", "wallet restore", "wallet passwd"}
LAST = {"stop"}


def _all(scene: Scene, as_json: bool) -> Iterator[tuple[str, Result]]:
    new = scene.home / f"restored-{as_json}"
    places = {"MIDI": str(scene.midi), "BACKUP": str(scene.home / "backup.tar"), "NEW": str(new)}
    places["REPORT"] = str(scene.home / "report.tgz")
    for name in sorted(set(commands()) - ELSEWHERE - WITH_KEYS - LAST):
        for words in ASKED.get(name, [[]]):
            told = [places.get(word, word) for word in words]
            yield name, scene.run(*name.split(), *told, *(["--json"] if as_json else []))


def _fits(name: str, result: Result) -> str:
    """What is wrong with what a command printed for programs; a failure is a document too."""
    if result.exit_code not in (0, 1, 2, 4, 5) or (result.exception and not isinstance(result.exception, SystemExit)):
        return f"{name}: {result.exit_code} {result.exception!r}"
    kinds = [SAYS[name]] if result.exit_code == 0 else [Error, SAYS[name]]
    wrong = [misfit(result.stdout, kind) for kind in kinds]
    return "" if "" in wrong else f"{name}: {wrong}: {result.stdout[:300]!r}"


def test_every_command_has_a_type() -> None:
    assert set(commands()) == set(SAYS)


def test_the_checks_can_fail() -> None:
    assert untidy("x " * 41) and untidy("\x1b[1mbold\x1b[0m") and not untidy("player   " + "ab" * 40)
    assert misfit('{"schema": "symjam.stop/1", "more": 1}', SAYS["stop"])


def test_every_command_prints_documents_of_its_type(scene: Scene) -> None:
    wrong = [fault for name, result in _all(scene, as_json=True) if (fault := _fits(name, result))]
    assert not wrong, "\n".join(wrong)
    assert not misfit(scene.up, SAYS["up"])
    kinds = {json.loads(line)["type"] for line in scene.watched}
    assert kinds >= {"hello", "status", "event", "session", "score"}
    assert set(map(misfit, scene.watched, repeat(SAYS["watch"]))) == {""}


def test_people_read_it_on_a_narrow_terminal_without_colour(scene: Scene) -> None:
    wrong = {}
    for name, result in _all(scene, as_json=False):
        assert result.exit_code in (0, 1, 2, 4, 5), (name, result.output, result.exception)
        assert result.stdout or result.stderr, name
        if name not in SCRIPTS:
            wrong[name] = [*wrong.get(name, []), *untidy(result.stdout), *untidy(result.stderr)]
    assert not any(wrong.values()), json.dumps({name: lines for name, lines in wrong.items() if lines}, indent=1)


def test_keys_and_the_end(scene: Scene) -> None:
    """A key of its own, made, put under another passphrase, shown and restored without a node; then the node ends."""
    elsewhere = ["--data", str(scene.home / "keys")]
    kept, typed = scene.home / "words", ["--passphrase-fd", str(_holding("a long passphrase\n"))]
    with kept.open("w") as file:
        made = CliRunner().invoke(
            main,
            ["wallet", "init", "--json", "--yes", "--words-fd", str(file.fileno()), *elsewhere, *typed],
        )
    asked: list[tuple[str, Any]] = [("wallet init", made)]
    again = {"passphrase": "a long passphrase\n", "new_passphrase": "another long passphrase\n"}
    asked.append(("wallet passwd", scene.run("wallet", "passwd", "--json", *elsewhere, **again)))
    asked.append(("wallet show", scene.run("wallet", "show", "--json", *elsewhere)))
    back = {"words": kept.read_text(), "passphrase": "a long passphrase\n"}
    asked.append(
        ("wallet restore", scene.run("wallet", "restore", "--json", "--data", str(scene.home / "back"), **back))
    )
    asked.append(("stop", scene.run("stop", "--json")))
    asked.append(("status", scene.run("status", "--json")))
    assert [name for name, result in asked if result.exit_code] == ["status"]
    wrong = [fault for name, result in asked if (fault := _fits(name, result) if name != "status" else "")]
    assert not wrong, wrong
    assert asked[-1][1].exit_code == 3 and not misfit(asked[-1][1].stdout, Error)
