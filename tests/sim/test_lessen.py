"""A failing scenario is made smaller and still breaks the same law, by one command."""

from __future__ import annotations

import json
import shlex

import pytest
from click.testing import CliRunner

from sim.cli import sim
from sim.faults import Kind
from sim.lessen import first_broken, lessen
from sim.result import Broken
from sim.scenario import Scenario, heads_of, load, parse_settings
from sim.setup import LEAD_US, Setup
from sim.shrink import law_of

SEED = 5


def setup_of(scenario: Scenario) -> Setup:
    assert isinstance(scenario.setup, Setup)
    return scenario.setup


def test_all_that_is_not_needed_goes_and_what_is_left_is_one_command() -> None:
    """A law that breaks 20 s after the first power cut, with five nodes, or else at once with one."""
    tried = []

    def fails(scenario: Scenario) -> Broken | None:
        setup = setup_of(scenario)
        tried.append(setup)
        cuts = [fault for fault in setup.plan(SEED) if fault.kind is Kind.POWER]
        at_us = 1_000 * cuts[0].at_ms + 20_000_000 if cuts else 0
        if setup.nodes == 1:
            return Broken("heals", 0, "another law")
        if not cuts or setup.nodes < 5 or LEAD_US + setup.windows * setup.params().window_us < at_us:
            return None
        return Broken("kept", at_us, "gone")

    whole = load("troubles", {"mesh.line.loss": 0.1, "founders": 9, "faults.intensity": 8.0})
    broken = fails(whole)
    assert broken is not None and len(setup_of(whole).plan(SEED)) > 5
    small = lessen(whole, SEED, broken, fails)
    setup = setup_of(small.scenario)
    assert setup.nodes == 5 and setup.founders == 0 and setup.faults.kinds == (Kind.POWER,)
    assert len(setup.plan(SEED)) == 1 and setup.mesh.line.loss == 0 and setup.clocks.drift_ppm == 0
    assert setup.windows < setup_of(whole).windows and small.broken == fails(small.scenario)
    assert small.tries < len(tried) <= 200
    words = shlex.split(" ".join(f"--set {place}={value}" for place, value in small.scenario.settings.items()))
    assert load("troubles", parse_settings(tuple(words[1::2]))).content == small.scenario.content


def test_a_split_and_strangers_are_left_out_too() -> None:
    whole = load("split-and-merge")
    broken = Broken("kept", 10**12, "")
    assert not setup_of(lessen(whole, 1, broken, lambda _: broken).scenario).plan(1)
    hostile = lessen(load("withholding"), 1, broken, lambda scenario: broken if setup_of(scenario).nodes > 2 else None)
    assert heads_of(hostile.scenario).counts == {0: 3, 1: 0, 2: 0} and setup_of(hostile.scenario).windows == 1


def test_another_figure_that_is_not_as_expected_is_another_law() -> None:
    words = ("blocks is 4, and should be at most 0", "blocks is missing, and", "votes is 4, and")
    laws = [law_of(Broken("expected", 1, said)) for said in words]
    assert len({*laws, law_of(Broken("heals", 1, words[0]))}) == 4
    assert laws[0] == law_of(Broken("expected", 2, "blocks is 7, and should be at most 0"))


def test_a_failing_run_is_made_smaller_from_the_command_line() -> None:
    words = ("--nodes", "4", "--windows", "1", "--signatures", "cheap", "--set", "people.0.count=2")
    wanted = ("--set", "expected.0.least=2")  # that all hold the same, twice
    small = CliRunner().invoke(sim, ["shrink", "band", *words, *wanted, "--tries", "4", "--json"])
    told = json.loads(small.stdout)
    assert small.exit_code == 0 and told["broken"]["invariant"] == "expected" and 0 < told["tries"] <= 4
    again = CliRunner().invoke(sim, shlex.split(told["replay"])[2:])
    assert again.exit_code == 1 and "converged is 1, and should be at least 2" in again.stderr
    assert "4 nodes, 1 windows: expected" in small.stderr and "--set nodes=1 " in told["replay"]
    sound = CliRunner().invoke(sim, ["shrink", "band", *words])
    assert sound.exit_code == 1 and "nothing is broken" in sound.stderr


def test_where_there_is_no_time_nothing_is_known() -> None:
    late = load("band", {"nodes": 2, "people.0.count": 2, "windows": 1, "expected.0.least": 2})
    assert first_broken(late, 1, lambda: True) is None


@pytest.mark.parametrize(("name", "words"), [("ring", "is an economy"), ("no-such", "no scenario")])
def test_what_cannot_be_made_smaller_is_said_with_what_to_do(name: str, words: str) -> None:
    ran = CliRunner().invoke(sim, ["shrink", name])
    assert ran.exit_code == 2 and words in ran.stderr and ("sim sweep" in ran.stderr or "there are" in ran.stderr)
