"""What a scenario may say, and that whatever is wrong is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from consensus.params import SMALL
from crdt.errors import Misuse
from sim.economy.plan import Plan
from sim.scenario import load, names, parse_settings, value_of
from sim.setup import Setup

WHOLE = """
title = "A title"
about = "What it is about."
nodes = 5
windows = 3
[[people]]
strategy = "honest"
count = "rest"
[[people]]
strategy = "faker"
count = 2
"""


def _load(tmp_path: Path, text: str, **settings: object) -> Setup:
    path = tmp_path / "own.toml"
    path.write_text(text)
    setup = load(str(path), settings).setup  # type: ignore[arg-type]
    assert isinstance(setup, Setup)
    return setup


@pytest.mark.parametrize("name", names())
def test_every_scenario_that_comes_with_the_program_can_be_run(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name and len(scenario.about) > 60
    assert scenario.fidelity == ("economy" if isinstance(scenario.setup, Plan) else "network")
    assert scenario.content == load(name).content


def test_the_rest_of_the_people_are_as_many_as_there_is_room_for(tmp_path: Path) -> None:
    assert [table.count for table in _load(tmp_path, WHOLE).people] == [3, 2]
    assert [table.count for table in _load(tmp_path, WHOLE, nodes=12).people] == [10, 2]
    assert [table.count for table in _load(tmp_path, WHOLE, nodes=2).people] == [2]


def test_anything_is_set_by_its_place(tmp_path: Path) -> None:
    settings = parse_settings(
        ("mesh.links=4", "mesh.line.loss=0.25", "people.0.habits.share=1", "rules.decay_blocks=7", "preset=main")
    )
    setup = _load(tmp_path, WHOLE, **settings)
    assert setup.mesh.links == 4 and setup.mesh.line.loss == 0.25 and setup.people[0].habits.share == 1
    assert setup.params().decay_blocks == 7 and setup.preset == "main"
    assert load(str(tmp_path / "own.toml"), settings).content != load(str(tmp_path / "own.toml")).content


def test_faults_are_named_and_left_out_from_the_command_line(tmp_path: Path) -> None:
    words = ("faults.kinds=power,kill", "faults.left_out=0")
    setup = _load(tmp_path, WHOLE + "[[splits]]\nat = 1\nwindows = 1\n", windows=60, **parse_settings(words))
    whole = _load(tmp_path, WHOLE + "[[splits]]\nat = 1\nwindows = 1\n", windows=60, **parse_settings(words[:1]))
    assert setup.faults.kinds == ("kill", "power") and setup.plan(1) == whole.plan(1)[1:] and len(whole.plan(1)) == 4
    assert not _load(tmp_path, WHOLE, **{"faults.kinds": "none"}).plan(1)
    for wrong in ({"faults.kinds": "fire"}, {"faults.left_out": "one"}):
        with pytest.raises(Misuse):
            _load(tmp_path, WHOLE, **wrong)


def test_founders_are_among_the_rules_and_nothing_else_changes(tmp_path: Path) -> None:
    params = _load(tmp_path, WHOLE).params((bytes(32),))
    assert params.founders == (bytes(32),)
    assert _load(tmp_path, WHOLE).params() == SMALL


WRONG = [
    ("nodes=0", "nodes is 0"),
    ("nodes=1", "nodes is 1, and the tables of people name 2"),
    ("nodes=many", "nodes: "),
    ("windows=1000000", "windows: "),
    ("colour=red", "colour"),
    ("preset=large", "preset: "),
    ("signatures=none", "signatures: "),
    ("mesh.links=-1", "mesh.links: "),
    ("mesh.line.loss=often", "mesh.line.loss: "),
    ("mesh.line.colour=1", "mesh.line: "),
    ("people.0.strategy=angel", "people.0"),
    ("people.1.kind=good", "people.1"),
    ("people.0.count=9", "the tables of people name 11"),
    ("people.1.count=rest", "only one table"),
    ("people.7.count=1", "there is no 7"),
    ("nodes.deep=1", "--set nodes.deep"),
    ("rules.no_such=1", "no_such"),
    ("rules.founders=1", "founders"),
    ("rules.window_s=long", "rules: "),
    ("founders=6", "founders is 6, and there are 5 nodes"),
    ("faults.intensity=101", "faults.intensity: "),
    ("title=", "title"),
    ("fidelity=film", "fidelity is network or economy"),
]


@pytest.mark.parametrize(("word", "said"), WRONG, ids=[word for word, _ in WRONG])
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, word: str, said: str) -> None:
    with pytest.raises(Misuse) as found:
        _load(tmp_path, WHOLE, **parse_settings((word,)))
    assert said in str(found.value) and str(found.value).startswith(("scenario own: ", "--set "))


@pytest.mark.parametrize("text", ["", "x = ", "title = 1\nabout = 2", WHOLE.replace("[[people]]", "[people]", 1)])
def test_what_is_no_scenario_is_a_misuse(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misuse):
        _load(tmp_path, text)


@pytest.mark.parametrize("name", ["no-such", "../band", "no/such.toml", "Band"])
def test_a_scenario_that_is_not_there_is_a_misuse_that_says_what_is(name: str) -> None:
    with pytest.raises(Misuse, match=r"there are|cannot be read"):
        load(name)


def test_a_file_that_is_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("#" * 70_000)
    with pytest.raises(Misuse, match="longer"):
        load(str(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Misuse, match="UTF-8"):
        load(str(path))


@pytest.mark.parametrize("word", ["loss", "=1", "a b=1", "a..b=1", "A=1"])
def test_settings_have_a_place_and_a_value(word: str) -> None:
    with pytest.raises(Misuse, match="place=value"):
        parse_settings((word,))


@pytest.mark.parametrize(
    ("word", "value"),
    [("1", 1), ("0.5", 0.5), ("true", True), ("cheap", "cheap"), ('"7"', "7"), ("[1]", "[1]"), ("", "")],
)
def test_values_are_as_a_file_has_them(word: str, value: object) -> None:
    assert value_of(word) == value
