"""Who plays in the same jam: whom the mesh links directly before others, when there are more players than links."""

from __future__ import annotations

from crdt.types import jam_session
from node.engine.engine import Engine
from node.mesh.degree import Kin


def kin(engine: Engine, now_us: int) -> Kin:
    """The creator of the jam that is on, and everybody who has played in it; nobody when none is on."""
    placed = engine.current_session(now_us)
    if placed is None:
        return Kin()
    jams = ((name, jam_session(name)) for name in engine.documents.names())
    played = frozenset(
        head.author
        for name, jam in jams
        if jam is not None and jam[0] == placed.facts.id
        for head in engine.documents.replicas[name].heads()
    )
    return Kin(placed.facts.creator, played | {placed.facts.creator})
