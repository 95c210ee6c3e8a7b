"""Where a setting comes from: command line before environment, environment before file, file before default."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from node import settings
from node.cli import main
from node.runtime import Runtime

ALL = {
    "preset": "small",
    "room": "kitchen",
    "interfaces": ["10.0.0.1", "10.1.0.1"],
    "port": 4100,
    "page_port": 4101,
    "peers": ["ws://10.0.0.9:1"],
    "websocket_port": 0,
    "mdns": False,
    "founders": "founders.txt",
    "checkpoint": "ab" * 32,
    "refuse": ["cd" * 32],
    "guests": True,
}


def written(value: Any) -> str:
    return json.dumps(value)  # these shapes are TOML as well


def config(data: Path, text: str, *words: str, **environment: str) -> Result:
    (data / settings.FILE_NAME).write_text(text)
    return CliRunner(env=environment).invoke(main, ["config", "show", "--json", "--data", str(data), *words])


def shown(result: Result) -> dict[str, tuple[Any, str]]:
    return {one["key"]: (one["value"], one["origin"]) for one in json.loads(result.stdout)["settings"]}


def test_every_setting_can_be_in_the_file_and_comes_back_as_it_was(tmp_path: Path) -> None:
    text = "\n".join(f"{key} = {written(value)}" for key, value in ALL.items())
    assert shown(config(tmp_path, text)) == {key: (value, "file") for key, value in ALL.items()}
    assert {one.key for one in settings.SETTINGS} == set(ALL)
    printed = CliRunner().invoke(main, ["config", "show", "--data", str(tmp_path)]).stdout
    assert shown(config(tmp_path, printed)) == {key: (value, "file") for key, value in ALL.items()}


def test_what_is_nearer_goes_first(tmp_path: Path) -> None:
    text = 'port = 1\nroom = "a"\npage_port = 2\nmdns = true\n'
    found = shown(config(tmp_path, text, "--port", "7", "--no-mdns", SYMJAM_PORT="5", SYMJAM_ROOM="b"))
    assert found["port"] == (7, "command line")
    assert found["mdns"] == (False, "command line")
    assert found["room"] == ("b", "environment")
    assert found["page_port"] == (2, "file")
    assert found["guests"] == (False, "default")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('rom = "a"', "Did you mean `room`?"),
        ("zzz = 1", "There are preset, "),
        ("port = true", "port is a number"),
        ('port = "4100"', "port is a number"),
        ("peers = [1]", "peers is a list of texts"),
        ('mdns = "no"', "mdns is true or false"),
        ("port = ", "It is TOML"),
        ("[room]\nname = 1", "room is text"),
        ("\x00", "It is TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text: str, words: str, tmp_path: Path) -> None:
    for command in (["config", "show"], ["doctor"], ["up"]):
        (tmp_path / settings.FILE_NAME).write_text(text)
        result = CliRunner().invoke(main, [*command, "--data", str(tmp_path)])
        assert (result.exit_code, result.stdout) == (1, "")
        assert str(tmp_path / settings.FILE_NAME) in result.stderr and words in result.stderr


def test_a_running_nodes_settings_are_shown_and_that_others_would_come(tmp_path: Path) -> None:
    (tmp_path / settings.FILE_NAME).write_text("port = 1")
    given = json.loads(config(tmp_path, "port = 1", "--room", "x").stdout)["settings"]
    with Runtime(tmp_path) as runtime:
        runtime.publish(4_242, "t" * 40, "r" * 40)
        settings.leave(tmp_path / "run", given)
        found = CliRunner().invoke(main, ["config", "show", "--origin", "--data", str(tmp_path)])
        assert '"x"' in found.stdout and "# command line" in found.stdout and "have changed" in found.stderr
        (tmp_path / "run" / "settings.json").write_text("rubbish")
        assert shown(config(tmp_path, "port = 1"))["room"] == ("", "default")


def test_doctor_looks_at_the_port_of_the_file(tmp_path: Path) -> None:

    with socket.create_server(("0.0.0.0", 0)) as taken:
        (tmp_path / settings.FILE_NAME).write_text(f"port = {taken.getsockname()[1]}\nmdns = false")
        result = CliRunner().invoke(main, ["doctor", "--json", "--data", str(tmp_path)])
    found = {one["name"]: one for one in json.loads(result.stdout)["checks"]}
    assert found["port"]["level"] == "fail" and "--no-mdns" in found["multicast"]["seen"]
