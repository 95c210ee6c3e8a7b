"""What commands print with `--json` beside what the API answers, and which command prints what."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from node.shapes import keeping, notices
from node.shapes.common import Hex, Micro, Shape
from node.shapes.jam import Chart
from node.shapes.ledger import Block, Blocks, OwnWindow
from node.shapes.money import History, HowEarned, Place, SignedEntry, Wallet
from node.shapes.status import Check, Peer, Status


class Up(Shape, frozen=True, tag_field="schema", tag="symjam.up/1"):
    """A node runs."""

    page: str
    player: Hex
    addresses: list[str]
    pid: int
    guests: list[str]


class Stopped(Shape, frozen=True, tag_field="schema", tag="symjam.stop/1"):
    """The node ends (`stopping`, as the API answers), or has ended (`stopped`, as the command says)."""

    stopping: bool | msgspec.UnsetType = msgspec.UNSET
    stopped: bool | msgspec.UnsetType = msgspec.UNSET


class Page(Shape, frozen=True, tag_field="schema", tag="symjam.page/1"):
    """Where to play."""

    page: str


class Performance(Shape, frozen=True, tag_field="schema", tag="symjam.jam/1"):
    """What was played into a jam, and what of it was refused."""

    session: Hex
    title: str
    events: int
    saved: int
    refusals: list[str]


class Peers(Shape, frozen=True, tag_field="schema", tag="symjam.peers/1"):
    """The players that the running node is linked with."""

    player: Hex
    peers: list[Peer]


class Doctor(Shape, frozen=True, tag_field="schema", tag="symjam.doctor/1"):
    """What is wrong around a node. `level`: the worst of the checks."""

    running: bool
    level: Literal["ok", "warning", "fail"]
    checks: list[Check]


class LogLine(Shape, frozen=True, tag_field="schema", tag="symjam.log/1"):
    """One line of the node's log. `left_out`: how many before it were, because there were too many at once."""

    at: str
    level: Literal["debug", "info", "warning", "error", "critical"]
    from_: str = msgspec.field(name="from")
    text: str
    trace: str | msgspec.UnsetType = msgspec.UNSET
    left_out: int | msgspec.UnsetType = msgspec.UNSET


class SettingShown(Shape, frozen=True):
    """A setting of a node. `variable`: its name in the environment."""

    key: str
    value: str | int | bool | list[str] | None
    origin: Literal["default", "file", "environment", "command line"]
    variable: str


class Settings(Shape, frozen=True, tag_field="schema", tag="symjam.config/1"):
    """With which settings a node runs (`running`), or would."""

    file: str
    running: bool
    settings: list[SettingShown]


class ReportPart(Shape, frozen=True):
    """A file in a report."""

    name: str
    bytes: int


class BugReport(Shape, frozen=True, tag_field="schema", tag="symjam.bugreport/1"):
    """A report was written."""

    file: str
    contents: list[ReportPart]


class Service(Shape, frozen=True, tag_field="schema", tag="symjam.service/1"):
    """A systemd unit, and whether it is there now."""

    file: str
    unit: str
    installed: bool


class Completion(Shape, frozen=True, tag_field="schema", tag="symjam.completion/1"):
    """A script for a shell."""

    shell: Literal["bash", "zsh", "fish"]
    script: str


class Explained(Shape, frozen=True, tag_field="schema", tag="symjam.explain/1"):
    """Why, in words. `block`: of a verdict or reward; `about`: the entry or window of the others."""

    what: Literal["verdict", "reward", "refusal", "balance", "operation"]
    words: list[str]
    block: Hex | msgspec.UnsetType = msgspec.UNSET
    about: str | msgspec.UnsetType = msgspec.UNSET


class Balance(Shape, frozen=True, tag_field="schema", tag="symjam.balance/1"):
    """The balance, also as people write it."""

    player: Hex
    balance_micro: Micro
    pending_blocks: int
    balance: str


class OwnKey(Shape, frozen=True, tag_field="schema", tag="symjam.key/1"):
    """A key file; never what is in it."""

    player: Hex
    file: str
    protected: bool
    words_written_down: bool
    may_have_signed_elsewhere: bool


class Address(Shape, frozen=True, tag_field="schema", tag="symjam.address/1"):
    """Where this player is paid."""

    player: Hex


class KnownKey(Shape, frozen=True):
    """A public key, and what this wallet calls it."""

    player: Hex
    kind: Literal["own", "watched"]
    name: str


class Keys(Shape, frozen=True, tag_field="schema", tag="symjam.keys/1"):
    """This player's public key, and those that are watched."""

    keys: list[KnownKey]


class ValuedLot(Shape, frozen=True):
    """Coins and what they are worth to their owner; `path`: what led to the weight."""

    block: Hex
    place: Place
    amount_micro: Micro
    proposer: str
    role: HowEarned
    tags: list[str]
    weight_q16: int
    value_micro: Micro
    path: list[str]


class Value(Shape, frozen=True, tag_field="schema", tag="symjam.value/1"):
    """What this player's coins are worth to it."""

    by: Literal["trust", "tags", "provenance"]
    value_micro: Micro
    lots: list[ValuedLot]


class JudgedWindow(Shape, frozen=True):
    """A window of a recording, and what it is worth; measures are shares of 65536."""

    index: int
    accepted: bool
    reason: str
    words: str
    liveness: int
    accuracy: int
    diversity: int
    harmony: int
    humanness: int
    originality: int
    total: int
    explain: list[str]


class JudgedRecording(Shape, frozen=True, tag_field="schema", tag="symjam.quality/1"):
    """What the windows of a MIDI file are worth."""

    title: str
    preset: str
    tempo_mbpm: int
    beats_per_bar: int
    subdivision: int
    windows: list[JudgedWindow]


class DemoLine(msgspec.Struct, frozen=True, tag_field="schema", tag="symjam.demo/1", kw_only=True):
    """One thing that happened in a demonstration; what more there is follows from its kind."""

    at_s: float
    kind: str
    block: Block | None = None
    window: OwnWindow | None = None


# By the words of the command; those of `symjam sim` are in sim/shapes.py.
SAYS: Final[dict[str, Any]] = {
    "up": Up,
    "jam": Page | Performance | Chart,
    "status": Status,
    "config show": Settings,
    "bugreport": BugReport,
    "completion": Completion,
    "doctor": Doctor,
    **{f"service {name}": Service for name in ("install", "show", "uninstall")},
    "logs": LogLine,
    "watch": notices.Notice,
    "peers": Peers,
    "blocks": Blocks,
    "explain": Explained,
    "stop": Stopped,
    "backup": keeping.Backup,
    "restore": keeping.Restore,
    "verify": keeping.Verified,
    "quality": JudgedRecording,
    "demo": DemoLine,
    "wallet init": OwnKey,
    "wallet restore": OwnKey,
    "wallet passwd": OwnKey,
    "wallet show": Wallet | OwnKey,
    "wallet address": Address,
    "wallet export": Keys,
    "wallet list": Keys,
    "wallet watch": Keys,
    "wallet balance": Balance,
    "wallet history": History,
    "wallet value": Value,
    "wallet explain": Explained,
    **{f"wallet {name}": SignedEntry for name in ("send", "stake", "unstake", "vouch", "unvouch", "report", "witness")},
}
