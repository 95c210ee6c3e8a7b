"""What a node is started with, and where its files lie."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from platformdirs import user_data_path

from consensus.params import Params, network_id, preset
from crdt.types import Digest, PlayerId


@dataclass(frozen=True, slots=True)
class Config:
    """One node's settings. Everything has a default that works."""

    data_dir: Path
    preset: str = "main"
    room: str = ""  # another name is another network
    interfaces: tuple[str, ...] | None = None  # addresses to listen on; None: every usable one
    port: int = 0  # of the mesh; 0: chosen by the system
    api_port: int = 0
    static_peers: tuple[str, ...] = field(default=())
    mdns: bool = True
    websocket_port: int | None = None  # of the mesh's second transport; None: do not listen
    founders: tuple[PlayerId, ...] = field(default=())  # sorted; others are another network
    checkpoint: Digest | None = None  # that a new node may start from, because its user says so
    refused: tuple[PlayerId, ...] = ()  # whose blocks this player does not judge
    guests: bool = False  # let guests in from the start

    @property
    def params(self) -> Params:
        """The rules of this node's network."""
        return msgspec.structs.replace(preset(self.preset), room=self.room, founders=self.founders)

    @property
    def network_name(self) -> str:
        """What the files of this node's network are named after."""
        return f"{self.preset}-{network_id(self.params).hex()[:8]}"

    @property
    def keys_path(self) -> Path:
        """Where the player's key lies, in a directory that nobody else may read."""
        return keys_in(self.data_dir)

    @property
    def store_path(self) -> Path:
        """Where LevelDB lives; one per network, so that a demonstration never touches what was earned."""
        return self.data_dir / f"store-{self.network_name}"

    @property
    def signed_path(self) -> Path:
        """The separately synced record of what was signed last."""
        return self.data_dir / f"last-signed-{self.network_name}"

    @property
    def restored_path(self) -> Path:
        """Since when a restored key has been in this network on this machine (node/shell/restored.py)."""
        return self.data_dir / f"restored-{self.network_name}"

    @property
    def journal_path(self) -> Path:
        """The history of what a final checkpoint has settled (node/shell/journal.py)."""
        return self.data_dir / f"history-{self.network_name}.jsonl"

    @property
    def remembered_path(self) -> Path:
        """Addresses at which peers were met."""
        return self.data_dir / f"peers-{self.network_name}.json"


def default_data_dir() -> Path:
    """SYMJAM_DATA_DIR, or the platform's place for user data."""
    override = os.environ.get("SYMJAM_DATA_DIR")
    return Path(override) if override else user_data_path("symjam")


def keys_in(data_dir: Path | None) -> Path:
    """Where the key lies in a data directory, or in the platform's."""
    return (data_dir or default_data_dir()) / "keys"


def boot_id() -> str:
    """Names the machine's current boot; tells the death of the process from that of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
