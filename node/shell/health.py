"""What a running node knows to be wrong, out of what it has seen already: nothing is tried, nothing is sent.

`symjam status` says it, and `symjam doctor` adds what only trying can show.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from node.doctor import clock, disk, key, neighbours, store
from node.doctor.check import Check, Level, fail, ok, warning
from node.engine.engine import Engine
from node.mesh.mesh import Mesh
from node.shell.status import Facts

_NO_MULTICAST = (
    "this node's own announcements do not come back to it",
    "nodes find each other by multicast DNS; without it this one finds nobody, and nobody finds it",
    "Let UDP port 5353 through the firewall, or name a peer: `symjam up --peer ADDRESS`. `symjam doctor` says more.",
)


def checks(engine: Engine, mesh: Mesh, facts: Facts, now_us: int, wall_skew_us: int) -> list[Check]:
    """All of it. `wall_skew_us`: how far the wall clock was set since the node started."""
    readings = [reading for peer in engine.peers.values() if (reading := peer.clock.reading(now_us))]
    around = mesh.surroundings()
    linked = len(engine.peers)
    proofs = [one for one in engine.documents.equivocations() if one.first.body.author == engine.player]
    return [
        clock.against_peers([one.offset_us for one in readings], engine.params.window_s, clock.is_synchronised()),
        clock.stepped(wall_skew_us),
        disk.space(disk.free_bytes(Path(facts.data_dir))),
        store.recovered(facts.store_recovered, facts.store_detail),
        _multicast(around.multicast, linked),
        neighbours.unlinked([_words(place) for place in around.silent], linked),
        key.twins([_words(place) for place in around.twins]),
        key.equivocated(len(proofs)),
    ]


class Watch:
    """What was wrong at the last look, to tell what is new."""

    def __init__(self) -> None:
        self._wrong: dict[str, Level] = {}

    def news(self, found: Iterable[Check]) -> list[tuple[int, str]]:
        """What to log, with the level of logging, when this is what is found now."""
        said = []
        for check in found:
            before = self._wrong.pop(check.name, Level.OK)
            if check.level is not Level.OK:
                self._wrong[check.name] = check.level
            if check.level is before:
                continue
            if check.level is Level.OK:
                said.append((logging.INFO, f"{check.name} is right again: {check.seen}"))
            else:
                level = logging.WARNING if check.level is Level.FAIL else logging.INFO
                said.append((level, f"{check.name}: {check.seen}; {check.why}. {check.remedy}"))
        return said


def _multicast(works: bool | None, linked: int) -> Check:
    if works is None:
        return ok("multicast", "not looked for by it, or not known yet")
    if works:
        return ok("multicast", "this node's own announcements come back to it")
    return warning("multicast", *_NO_MULTICAST) if linked else fail("multicast", *_NO_MULTICAST)


def _words(multiaddr: str) -> str:
    _, _, host, _, port = multiaddr.split("/", 4)
    return f"{host} port {port}"
