"""Who is near and not linked, and why that may be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from crdt.limits import LINKS_MIN
from crdt.types import PlayerId
from node.doctor.check import Check, fail, ok, warning
from node.doctor.multicast import Neighbour
from node.doctor.wires import Place

_FIREWALL = (
    "a firewall, here or there, drops TCP, or the Wi-Fi keeps its clients apart (guest networks do)",
    "Let the nodes' port in on both machines (`symjam up --port N`, then `ufw allow N/tcp`), or use another network.",
)


def unlinked(silent: Collection[str], linked: int) -> Check:
    """Peers that announce themselves and cannot be reached. `silent`: their addresses."""
    if not silent:
        return ok("firewall", "nobody is announced who cannot be reached")
    shown = ", ".join(sorted(silent)[:4]) + (" and others" if len(silent) > 4 else "")
    seen = f"announced by multicast, but nothing answers there: {shown}"
    return warning("firewall", seen, *_FIREWALL) if linked else fail("firewall", seen, *_FIREWALL)


def places(near: Sequence[Neighbour], linked: Collection[PlayerId], me: PlayerId | None, tag: str) -> list[Place]:
    """Where to dial: nodes of one's own network without a link. `tag`: of that network, "" when it is not known."""
    if len(linked) >= LINKS_MIN:  # in a crowd nobody is linked with everybody
        return []
    return [
        (address.host, address.port)
        for one in near
        if not tag or one.tag in ("", tag)
        for address in one.addresses
        if address.player != me and address.player not in linked
    ]


def unanswered(near: Sequence[Neighbour], dialled: Mapping[Place, str]) -> set[str]:
    """The addresses of those of whom no address answered."""
    found = set()
    for one in near:
        tried = {place: dialled[place] for a in one.addresses if (place := (a.host, a.port)) in dialled}
        if tried and "answers" not in tried.values():
            found |= {f"{host} port {port} ({how})" for (host, port), how in tried.items()}
    return found


def peers(linked: int, near: int) -> Check:
    """Whether anybody is there."""
    if linked:
        return ok("peers", f"linked with {linked}")
    if near:
        why = "they are there, and not linked (yet): within seconds they should be"
        return warning(
            "peers", f"linked with nobody, though {near} announce themselves", why, "Ask again in ten seconds."
        )
    why = "blocks need others who attest; alone one can play, and is paid nothing"
    remedy = "Start a node on another machine of this network, or name one: `symjam up --peer ADDRESS`."
    return warning("peers", "linked with nobody, and nobody else announces itself", why, remedy)


def other_networks(near: Sequence[Neighbour], tag: str, linked: int) -> Check:
    """Nodes in reach that are of another network."""
    strange = [one for one in near if tag and one.tag not in ("", tag)]
    if not strange:
        return ok("network", "nobody near belongs to another network")
    seen = f"{len(strange)} nodes near belong to another network"
    if linked:
        return ok("network", seen)
    why = "nodes link only with the same --preset, --room and --founders, and the same version of the rules"
    return warning("network", seen, why, "Compare the line `network` of `symjam status` on both machines.")


def twin_addresses(near: Sequence[Neighbour], me: PlayerId | None, own: Collection[Place], tag: str) -> list[str]:
    """Where somebody announces this player's own key, in the same network, at places that are not this node's."""
    return sorted(
        {
            f"{address.host} port {address.port}"
            for one in near
            if not tag or one.tag in ("", tag)
            for address in one.addresses
            if address.player == me and (address.host, address.port) not in own
        }
    )
