"""All checks, in the order in which they are shown: with a running node or without one.

A running node has seen much already and says so (node/shell/health.py); what only trying can show is tried here, from a
process of its own, so that a node that hangs is examined too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crdt.errors import OperatingFailure
from crdt.types import NetworkId, PlayerId
from node.client import Client
from node.doctor import clock, disk, key, multicast, neighbours, store, versions, wires
from node.doctor.check import Check, Level, fail, ok
from node.mesh import dnssd
from node.mesh.interfaces import all_ipv4
from node.runtime import NoNode

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """With what a node is started here, as far as it matters."""

    interfaces: tuple[str, ...] | None = None
    port: int = 0
    mdns: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of it. `status`: the running node's, None when none runs."""

    checks: list[Check]
    status: Doc | None

    @property
    def failed(self) -> list[Check]:
        """Those that say that something does not work."""
        return [check for check in self.checks if check.level is Level.FAIL]


def examine(data_dir: Path, settings: Settings, progress: Callable[[str], None]) -> Examined:
    """Everything. `progress` is told what takes a moment."""
    status, answer = _ask(data_dir)
    checks = [versions.check(status["version"] if status else None), *answer, *_files(data_dir)]
    if status is None:
        checks += at_rest(data_dir)
    said = [Check(**{**one, "level": Level(one["level"])}) for one in status.get("checks", ())] if status else []
    checks += [one for one in said if one.name not in ("multicast", "firewall", "identity", "disk-space")]
    checks.append(clock.system(clock.is_synchronised()))
    around = _Around(status, settings, key.player_in(data_dir / "keys"))
    checks += around.checks(progress)
    return Examined(_told_once(checks, said), status)


def at_rest(data_dir: Path) -> list[Check]:
    """What files alone show while no node runs: quick, and touches nothing."""
    return [clock.gone_back(clock.newest_us(data_dir), time.time_ns() // 1_000), *store.look(data_dir)]


def quick(data_dir: Path) -> list[Check]:
    """Why a node that does not run may not run, in a fraction of a second."""
    return [*_files(data_dir), *at_rest(data_dir), wires.interfaces(all_ipv4(), None)[0]]


def _files(data_dir: Path) -> list[Check]:
    place = data_dir if data_dir.exists() else data_dir.parent
    return [
        disk.runtime(data_dir),
        disk.permissions(data_dir),
        disk.space(disk.free_bytes(place)),
        disk.writable(data_dir),
        key.file(data_dir / "keys"),
    ]


def _ask(data_dir: Path) -> tuple[Doc | None, list[Check]]:
    try:
        return Client.of(data_dir).status(), [ok("node", "it runs, and answers")]
    except NoNode as absent:
        return None, [ok("node", f"none runs: {absent.why}")]
    except OperatingFailure as failure:
        return None, [fail("node", f"{failure.what}: {failure.why}", "nothing works without it", failure.remedy)]


class _Around:
    """The network around this machine."""

    def __init__(self, status: Doc | None, settings: Settings, me: PlayerId | None) -> None:
        self._status = status
        self._settings = settings
        self._me = me
        self._linked = {PlayerId(bytes.fromhex(peer["player"])) for peer in (status or {}).get("peers", ())}
        self._tag = dnssd.tag_of(NetworkId(bytes.fromhex(status["network"]))) if status else ""
        self._own = [_place(one) for one in status["addresses"] if one.startswith("/ip")] if status else []

    def checks(self, progress: Callable[[str], None]) -> list[Check]:
        """Interfaces, port, multicast, and who is near."""
        wanted = self._settings.interfaces or (tuple({host for host, _ in self._own}) or None)
        interfaces, hosts = wires.interfaces(all_ipv4(), wanted)
        port = wires.own_port(wires.dial(self._own)) if self._status else wires.port_free(self._settings.port)
        found = [interfaces, port]
        if not self._settings.mdns:
            return [*found, ok("multicast", "not looked for: --no-mdns"), neighbours.peers(len(self._linked), 0)]
        progress("listening for other nodes (2 s) ...")
        return [*found, *self._near(hosts)]

    def _near(self, hosts: Sequence[str]) -> list[Check]:
        linked, count = self._linked, len(self._linked)
        heard = multicast.listen(hosts)
        near = [one for one in heard.neighbours if any(a.player != self._me for a in one.addresses)]
        dialled = wires.dial(neighbours.places(near, linked, self._me, self._tag))
        mine = [one for one in near if not self._tag or one.tag in ("", self._tag)]
        twins = neighbours.twin_addresses(heard.neighbours, self._me, self._own, self._tag)
        if self._status is None:  # whoever announces this key is in use elsewhere, and that may be on purpose
            found = [key.twins(twins)]
        else:
            found = [key.twins(twins), neighbours.other_networks(near, self._tag, count)]
            found.append(neighbours.peers(count, len(mine)))
        silent = neighbours.unanswered(near, dialled)
        return [multicast.judge(hosts, heard, count), neighbours.unlinked(silent, count), *found]


def _told_once(checks: list[Check], said: Sequence[Check]) -> list[Check]:
    """What the node saw wrong and this look did not goes in its place: the node has looked for longer."""
    worse = {one.name: one for one in said if one.level is not Level.OK}
    return [worse.get(one.name, one) if one.level is Level.OK else one for one in checks]


def _place(multiaddr: str) -> tuple[str, int]:
    _, _, host, _, port, *_ = multiaddr.split("/")
    return host, int(port)
