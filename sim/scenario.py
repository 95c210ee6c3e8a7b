"""What is run: a small TOML file that says who is there, over which network, by which rules, with which faults.

    title = "A band"                 one line
    about = "..."                    a paragraph, for `symjam sim list`
    fidelity = "network"             or "economy" (sim/economy/plan.py says what such a file holds)
    nodes, windows, preset, ...      the fields of `Setup` below
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
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from consensus.params import PRESETS, Params
from crdt.errors import Misuse
from sim.case import ABOUT, TITLE, Case, case_of
from sim.case import NAME as SOAK
from sim.crypto import Kind
from sim.economy.plan import HONEST, Plan, checked
from sim.faults import Kind as Fault
from sim.network import Gossip, Line
from sim.people.options import Strategy

SUFFIX: Final = ".toml"
FILE_MAX_BYTES: Final = 65_536
REST: Final = "rest"

Value = int | float | str | bool
Share = Annotated[float, Meta(ge=0, le=1)]


class Mesh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is linked with whom, and what links are like."""

    links: Annotated[int, Meta(ge=0, le=64)] = 0  # of a node, about; 0: everyone with everyone
    line: Line = Line()
    gossip: Gossip = Gossip()


class Clocks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far from true time nodes begin, and how fast they drift; each its own, evenly, either way."""

    offset_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    drift_ppm: Annotated[int, Meta(ge=0, le=500)] = 0


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of faults (sim/faults.py), drawn from the seed."""

    kinds: tuple[Fault, ...] = ()
    intensity: Annotated[float, Meta(ge=0, le=100)] = 1.0
    until: Share = 0.8  # of the run; after that nothing new goes wrong


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of the nodes by themselves, from the beginning of a window for so many."""

    at: Annotated[float, Meta(ge=0, le=10_000)]
    windows: Annotated[float, Meta(gt=0, le=10_000)]
    share: Share = 0.5


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of the result, and between what it has to lie."""

    figure: str
    least: float | None = None
    most: float | None = None


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run in which every node has its engine."""

    people: Annotated[tuple[Strategy, ...], Meta(min_length=1, max_length=64)]
    nodes: Annotated[int, Meta(ge=1, le=2_000)]
    windows: Annotated[int, Meta(ge=1, le=10_000)]
    preset: Literal["main", "small"] = "small"
    rules: dict[str, Any] = {}  # numbers of consensus/params.py that are others here
    founders: Annotated[int, Meta(ge=0, le=256)] = 0  # the first so many players
    signatures: Kind = "real"
    tick_ms: Annotated[int, Meta(ge=10, le=2_000)] = 50
    handful_ms: Annotated[int, Meta(ge=0, le=2_000)] = 250  # notes of so long go into one entry
    tempo_bpm: Annotated[int, Meta(ge=30, le=300)] = 100
    settle_s: Annotated[int, Meta(ge=1, le=3_600)] = 30  # in which all must hold the same once nothing goes wrong
    mesh: Mesh = Mesh()
    clocks: Clocks = Clocks()
    faults: Faults = Faults()
    splits: tuple[Split, ...] = ()
    checks: bool = True  # that the laws of sim/checks are looked after; it costs time
    expected: tuple[Expected, ...] = ()

    def params(self, founders: tuple[bytes, ...] = ()) -> Params:
        """Its rules."""
        changed = {**msgspec.structs.asdict(PRESETS[self.preset]), **self.rules, "founders": founders}
        return msgspec.convert(tuple(changed.values()), Params)


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
    setup = msgspec.convert(told, Setup)
    there = sum(table.count for table in setup.people)
    if there != setup.nodes:
        raise Misuse(f"nodes is {setup.nodes}, and the tables of people name {there}")
    if setup.founders > setup.nodes:
        raise Misuse(f"founders is {setup.founders}, and there are {setup.nodes} nodes")
    unknown = sorted(setup.rules.keys() - (set(Params.__struct_fields__) - {"founders"}))
    if unknown:
        raise Misuse(f"rules: there is no {', '.join(unknown)} (consensus/params.py has them all)")
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
