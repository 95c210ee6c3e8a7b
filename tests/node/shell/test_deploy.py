"""deploy/: dashboard and alert rules name what a node exposes, in expressions that hold together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.node.shell.test_backend import Scene

DEPLOY = Path(__file__).parents[3] / "deploy"
OF_PROMETHEUS = {"up"}
FUNCTIONS = {"sum", "rate", "increase", "topk", "max", "label_values"}
WORDS = {"by", "and", "or", "unless", "on"}
PAIRS = {")": "(", "]": "[", "}": "{"}


def _dashboard() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(places) == len(set(places))
    assert all(panel["title"] and panel["description"] for panel in dashboard["panels"])
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    yield from (one["query"].replace(", instance)", ")") for one in dashboard["templating"]["list"][1:])


def _alerts() -> Iterator[str]:
    (group,) = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names))
    for rule in group["rules"]:
        assert rule["annotations"]["summary"] and rule["annotations"]["remedy"] and rule["labels"]["severity"]
        assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "0s"))
        yield rule["expr"]


def _metrics(expression: str) -> set[str]:
    """The metrics that an expression names. AssertionError for one that does not hold together."""
    opened: list[str] = []
    for letter in re.sub(r'"[^"]*"', '""', expression):
        if letter in "([{":
            opened.append(letter)
        elif letter in PAIRS:
            assert opened and opened.pop() == PAIRS[letter], expression
    assert not opened, expression
    assert all(re.fullmatch(r"\[[0-9]+[smh]\]", span) for span in re.findall(r"\[[^]]*\]", expression)), expression
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)", " ", expression)
    called = set(re.findall(r"\b([a-z_]+) *\(", bare)) - WORDS
    assert called <= FUNCTIONS, expression
    assert not re.search(r"(?:[<>=+*/-]|\band|\bor) *\)?$", bare), expression
    return set(re.findall(r"\b[a-z_]{2,}\b", bare)) - called - WORDS


@pytest.mark.parametrize("wrong", ["sum(x", "rate(x[5])", "avg(x)", "x >", "sum by (y) (x))", "x and"])
def test_the_check_can_fail(wrong: str) -> None:
    with pytest.raises(AssertionError):
        _metrics(wrong)


def test_what_is_looked_at_is_exposed_and_explained(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    text = scene.backend.metrics().decode()
    scene.node.close()
    helped = set(re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE))
    typed = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert helped == set(typed) and {name for name in helped if name.startswith("symjam_")}
    named = {name for expression in (*_dashboard(), *_alerts()) for name in _metrics(expression)}
    assert len(named) > 10 and named <= helped | OF_PROMETHEUS, named - helped
    for name, kind in typed.items():
        assert (kind == "counter") == name.endswith("_total"), name
