"""What is run: a small TOML file that says who is there, over which network, by which rules, with which faults.

    title = "A band"                 one line
    about = "..."                    a paragraph, for `symjam sim list`
    fidelity = "network"             or "economy" (sim/economy/plan.py says what such a file holds)
    nodes, windows, preset, ...      the fields of `Setup` (sim/setup.py)
    [[people]]                       tables of people (sim/people/options.py); one may say count = "rest"

Anything can be set from the command line by its place in the file: `--set mesh.links=4`,
`--set people.0.habits.share=1`, `--set rules.decay_blocks=10`. Whatever is wrong is a Misuse that names the place and
says what may stand there.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from consensus.params import Params
from crdt.errors import Misuse
from sim.case import ABOUT, TITLE, Case, case_of, numbers_in
from sim.case import NAME as SOAK
from sim.economy.plan import HONEST, Plan, checked
from sim.faults import parse_kinds
from sim.setup import Setup

SUFFIX: Final = ".toml"
FILE_MAX_BYTES: Final = 65_536
REST: Final = "rest"

Value = int | float | str | bool


class Scenario(NamedTuple):
    """A file that was read. `settings` are what was asked for beyond it, `content` all that decides what is run."""

    name: str
    place: str  # as the user named it
    title: str
    about: str
    setup: Setup | Plan | Case
    settings: dict[str, Value]
    content: bytes

    @property
    def fidelity(self) -> Literal["network", "economy"]:
        """In which of the two ways it is run."""
        return "economy" if isinstance(self.setup, Plan) else "network"


def names() -> list[str]:
    """The scenarios that come with the program."""
    return sorted(file.name.removesuffix(SUFFIX) for file in _shelf().iterdir() if file.name.endswith(SUFFIX))


def load(name: str, settings: Mapping[str, Value] | None = None) -> Scenario:
    """A scenario by name, or by the path of a TOML file. Misuse for what cannot be run."""
    settings = dict(settings or {})
    if name == SOAK:
        case = case_of(0, settings)
        return Scenario(SOAK, SOAK, TITLE, ABOUT, case, settings, msgspec.json.encode([SOAK, case], order="sorted"))
    told = _parsed(name)
    for place, value in settings.items():
        _put(told, place, value)
    short = Path(name).name.removesuffix(SUFFIX)
    title, about = (told.pop(word, "") for word in ("title", "about"))
    fidelity = told.pop("fidelity", "network")
    if not (isinstance(title, str) and title and isinstance(about, str) and about):
        raise Misuse(f"scenario {short}: it needs a title and a paragraph about it")
    if fidelity not in ("network", "economy"):
        raise Misuse(f"scenario {short}: fidelity is network or economy")
    try:
        setup = _economy(told, short, about) if fidelity == "economy" else _network(told)
    except msgspec.ValidationError as error:
        raise Misuse(f"scenario {short}: {_plainly(str(error))}") from None
    except Misuse as misuse:
        raise Misuse(f"scenario {short}: {misuse}") from None
    return Scenario(short, name, title, about, setup, settings, msgspec.json.encode([short, setup], order="sorted"))


class Heads(NamedTuple):
    """How many people each table of a file stands for, by its number; which one has the rest, if one has."""

    counts: dict[int, int]
    rest: int | None


def heads_of(scenario: Scenario) -> Heads:
    """The people of a scenario in `network` fidelity."""
    told = _parsed(scenario.place)
    for place, value in scenario.settings.items():
        _put(told, place, value)
    counts = {number: table.get("count", 1) for number, table in enumerate(told["people"])}
    left = told["nodes"] - sum(count for count in counts.values() if count != REST)
    rest = next((number for number, count in counts.items() if count == REST), None)
    return Heads(counts | ({} if rest is None else {rest: left}), rest)


def value_of(word: str) -> Value:
    """A value as a file has it: a number, true or false; else a word."""
    try:
        value = tomllib.loads(f"value = {word}")["value"]
    except tomllib.TOMLDecodeError:
        return word
    return value if isinstance(value, int | float | str | bool) else word


def parse_settings(words: tuple[str, ...]) -> dict[str, Value]:
    """`place=value`, several times."""
    found: dict[str, Value] = {}
    for word in words:
        place, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", place):
            raise Misuse(f"--set {word!r}: say place=value, for example mesh.links=4")
        found[place] = value_of(value)
    return found


def _shelf() -> Traversable:
    return resources.files("sim") / "scenarios"


def _parsed(name: str) -> dict[str, Any]:
    text = _text(name)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misuse(f"scenario {name}: not TOML: {error}") from None


def _text(name: str) -> str:
    if name in names():
        return (_shelf() / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    if not name.endswith(SUFFIX):
        raise Misuse(
            f"no scenario {name!r}; there are {', '.join([*names(), SOAK])}, and your own files ending in {SUFFIX}"
        )
    try:
        raw = Path(name).read_bytes()[: FILE_MAX_BYTES + 1]
        text = raw.decode()
    except OSError as error:
        raise Misuse(f"{name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise Misuse(f"{name} is not UTF-8") from None
    if len(raw) > FILE_MAX_BYTES:
        raise Misuse(f"{name} is longer than {FILE_MAX_BYTES} bytes, which no scenario is")
    return text


def _put(told: dict[str, Any], place: str, value: Value) -> None:
    """Set what stands at a dotted place; tables on the way are made, lists are not."""
    *way, last = place.split(".")
    at: Any = told
    for step in way:
        at = at.setdefault(step, {}) if isinstance(at, dict) else _item(at, step, place)
    if isinstance(at, dict):
        at[last] = value
    elif isinstance(at, list):
        _item(at, last, place)
        at[int(last)] = value
    else:
        raise Misuse(f"--set {place}: nothing can be set there")


def _item(items: Any, step: str, place: str) -> Any:
    if not isinstance(items, list) or not step.isdigit() or int(step) >= len(items):
        raise Misuse(f"--set {place}: there is no {step}")
    return items[int(step)]


def _network(told: dict[str, Any]) -> Setup:
    told = copy.deepcopy(told)
    tables, nodes = told.get("people"), told.get("nodes")
    if isinstance(tables, list) and isinstance(nodes, int):
        told["people"] = _filled(tables, nodes)
    faults = told.get("faults")
    if isinstance(faults, dict) and isinstance(faults.get("kinds"), str):  # from the command line there are no lists
        faults["kinds"] = sorted(parse_kinds(faults["kinds"]))
    setup = msgspec.convert(told, Setup)
    there = sum(table.count for table in setup.people)
    if there != setup.nodes:
        raise Misuse(f"nodes is {setup.nodes}, and the tables of people name {there}")
    if setup.founders > setup.nodes:
        raise Misuse(f"founders is {setup.founders}, and there are {setup.nodes} nodes")
    unknown = sorted(setup.rules.keys() - (set(Params.__struct_fields__) - {"founders"}))
    if unknown:
        raise Misuse(f"rules: there is no {', '.join(unknown)} (consensus/params.py has them all)")
    numbers_in(str(setup.faults.left_out))
    try:
        setup.params()
    except msgspec.ValidationError as error:
        raise Misuse(f"rules: {_plainly(str(error))}") from None
    return setup


def _filled(tables: list[Any], nodes: int) -> list[Any]:
    """The table that has the rest of the people has a number."""
    known = sum(
        count for table in tables if isinstance(table, dict) and isinstance(count := table.get("count", 1), int)
    )
    open_ = [table for table in tables if isinstance(table, dict) and table.get("count") == REST]
    if len(open_) > 1:
        raise Misuse(f'people: only one table can have count = "{REST}"')
    if nodes < known:
        raise Misuse(f"nodes is {nodes}, and the tables of people name {known} without the rest")
    for table in open_:
        table["count"] = nodes - known
    return [table for table in tables if not isinstance(table, dict) or table.get("count") != 0]


def _economy(told: dict[str, Any], name: str, about: str) -> Plan:
    """With `nodes`, there are so many players, by more or fewer honest ones."""
    told = copy.deepcopy(told)
    nodes = told.pop("nodes", None)
    plan = msgspec.convert({"name": name, "words": about, **told}, Plan)
    if nodes is not None:
        if not isinstance(nodes, int):
            raise Misuse("nodes is a whole number")
        others = sum(group.count for group in plan.groups if group.name != HONEST)
        if nodes <= others:
            raise Misuse(f"nodes is {nodes}, and {others} players are not honest")
        groups = tuple(
            msgspec.structs.replace(group, count=nodes - others) if group.name == HONEST else group
            for group in plan.groups
        )
        plan = msgspec.structs.replace(plan, groups=groups)
    return checked(plan)


def _plainly(error: str) -> str:
    """msgspec's words with the place first: `mesh.links: expected int <= 64`."""
    words, _, place = error.partition(" - at `$")
    named = re.sub(r"\[(\d+)\]", r".\1", place.rstrip("`")).lstrip(".").replace("[...]", "")
    words = words.replace("Object ", "it ")[:1].lower() + words.replace("Object ", "it ")[1:]
    return f"{named}: {words}" if named else words
