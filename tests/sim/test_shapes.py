"""What the simulator's commands print with `--json` is of the types that are documented."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sim.cli import sim
from sim.shapes import SAYS
from tests.fitting import misfit

SMALL = ("--nodes", "4", "--windows", "1", "--signatures", "cheap", "--set", "checks=false")
FAILING = (*SMALL, "--set", "expected.0.least=2")
ASKED = {
    "list": (),
    "run": ("band", *SMALL),
    "sweep": ("band", *SMALL, "--seeds", "2", "--jobs", "1", "--out", "SWEPT"),
    "report": ("SWEPT",),
    "soak": ("--runs", "1", "--nodes", "2"),
    "shrink": ("band", *FAILING, "--tries", "2"),
}


def test_every_command_has_a_type() -> None:
    assert {f"sim {name}" for name in sim.list_commands(click.Context(sim))} == set(SAYS)
    assert set(ASKED) == set(sim.commands)


def test_what_each_prints_is_of_its_type(tmp_path: Path) -> None:
    wrong = []
    for name, words in ASKED.items():
        told = [str(tmp_path / "swept") if word == "SWEPT" else word for word in words]
        done = CliRunner().invoke(sim, [name, *told, "--json"])
        assert done.exit_code == 0, f"{name}: {done.output}"
        wrong += [(name, misfit(line, SAYS[f"sim {name}"])) for line in done.stdout.splitlines() or [""]]
    assert [(name, said) for name, said in wrong if said] == []


@pytest.mark.parametrize("name", SAYS)
def test_another_document_is_of_none(name: str) -> None:
    assert misfit('{"schema": "symjam.sim.other/1"}', SAYS[name])


def test_a_run_that_breaks_a_law_prints_its_result_too() -> None:
    done = CliRunner().invoke(sim, ["run", "band", *FAILING, "--json"])
    assert done.exit_code == 1 and not misfit(done.stdout, SAYS["sim run"])
