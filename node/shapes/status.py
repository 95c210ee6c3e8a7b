"""Is it working? What a running node says of itself and of its peers."""

from __future__ import annotations

from typing import Literal

from node.shapes.common import Counts, Hex, Micro, Shape
from node.shapes.jam import Riff, Score, Session


class PeerClock(Shape, frozen=True):
    """A peer's clock minus this node's."""

    offset_us: int
    uncertainty_us: int


class InDocument(Shape, frozen=True):
    """So many entries of a document."""

    document: str
    entries: int


class Peer(Shape, frozen=True):
    """A player this node is linked with. Behind: what this node lacks of it; ahead: what it lacks of this node."""

    player: Hex
    peer_id: str
    address: str
    rtt_us: int | None
    loss_permille: int
    transport: str
    transports: list[str]
    clock: PeerClock | None
    synced: bool
    synced_us: int | None
    behind_entries: int
    ahead_entries: int
    behind: list[InDocument]
    ahead: list[InDocument]
    links: list[Hex]
    since_us: int
    violations: Counts


class HeldDocument(Shape, frozen=True):
    """A document: its authors, its entries, those held before their predecessors, and a hash of it."""

    name: str
    authors: int
    entries: int
    held: int
    digest: str


class BlockCounts(Shape, frozen=True):
    """Blocks by state."""

    pending: int
    local: int
    final: int
    rejected: int


class FinalCheckpoint(Shape, frozen=True):
    """The last final checkpoint; `wanted`: one whose content is being fetched."""

    epoch: int | None
    digest: Hex | None
    voters: int
    votes: bool
    wanted: Hex | None


class LedgerState(Shape, frozen=True):
    """The ledger. `checkpoint` is null in a network without founders, `signs_from_epoch` for most keys."""

    root: Hex
    entries: int
    blocks: BlockCounts
    skipped_ops: int
    supply_micro: Micro
    ready: bool
    signs_from_epoch: int | None
    checkpoint: FinalCheckpoint | None


class Giver(Shape, frozen=True):
    """Who gave what was refused, counted by reason; null: this machine's own clients."""

    giver: Hex | None
    refused: Counts


class Suspect(Shape, frozen=True):
    """Something that failed verification; `begins`: its first 64 bytes, in hex."""

    reason: str
    detail: str
    giver: Hex | None
    at_us: int
    times: int
    size_bytes: int
    digest: str
    begins: str


class Quarantine(Shape, frozen=True):
    """What failed verification: never merged, stored or sent on."""

    kept: int
    bytes: int
    givers: list[Giver]
    suspects: list[Suspect]


class KnownGuest(Shape, frozen=True):
    """Who is known to be a guest, and at whose node."""

    player: Hex
    host: Hex
    here: bool


class StoreState(Shape, frozen=True):
    """What lies on the disk."""

    kind: str
    recovered: bool
    detail: str


class Check(Shape, frozen=True):
    """What was seen to be right or wrong; why it matters and what to do, where something is wrong."""

    name: str
    level: Literal["ok", "warning", "fail"]
    seen: str
    why: str
    remedy: str


class Status(Shape, frozen=True, tag_field="schema", tag="symjam.status/1"):
    """Everything countable about a running node. `total`: equal on two nodes exactly when they hold the same."""

    version: str
    preset: str
    network: Hex
    player: Hex
    peer_id: str
    data_dir: str
    now_us: int
    started_us: int
    window: int
    window_s: int
    window_ends_us: int
    epoch: int
    addresses: list[str]
    peers: list[Peer]
    listeners: int
    total: str
    documents: list[HeldDocument]
    ledger: LedgerState
    session: Session | None
    riff: Riff | None
    score: Score | None
    guests: list[KnownGuest]
    counters: Counts
    refused: Counts
    quarantine: Quarantine
    guarded: Counts
    equivocations: int
    store: StoreState
    checks: list[Check]
