"""Interfaces and ports: is there a network, and can this node be reached over it?"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from node.doctor.check import Check, fail, ok, warning
from node.mesh.interfaces import LOOPBACK, usable

DIAL_TIMEOUT_S: Final = 1.5
DIALS_MAX: Final = 16
Place = tuple[str, int]  # host, port


def interfaces(found: Iterable[tuple[str, str]], wanted: Sequence[str] | None) -> tuple[Check, list[str]]:
    """Whether there is a network, and the addresses to use. `found`: (interface, IPv4 address)."""
    every = list(found)
    names = {host: name for name, host in every}
    hosts = usable(every, wanted)
    missing = [host for host in hosts if host not in names]
    if missing:
        remedy = "Leave --interface out, or give an address that `ip addr` shows."
        seen = f"no interface has the address {', '.join(missing)}"
        return fail("interfaces", seen, "the node was told to listen there only", remedy), hosts
    if hosts == [LOOPBACK] and wanted is None:
        why = "only nodes on this very machine can be found; what one plays alone is kept, and nobody attests to it"
        remedy = "Join a Wi-Fi or plug in a cable; a running node notices by itself."
        return fail("interfaces", "no network: there is no address but loopback", why, remedy), hosts
    return ok("interfaces", ", ".join(f"{host} ({names[host]})" for host in hosts)), hosts


def port_free(port: int, host: str = "") -> Check:
    """Whether the port that a node is to take is free. `port` 0: any."""
    if not port:
        return ok("port", "any free one will be taken")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            remedy = f"End the program that uses it (`ss -ltnp 'sport = :{port}'`), or choose another one: --port."
            return fail("port", f"port {port} cannot be had: {error.strerror}", "the node does not start", remedy)
    return ok("port", f"port {port} is free")


def dial(places: Iterable[Place]) -> dict[Place, str]:
    """What came of connecting to each place (DIALS_MAX of them): "answers", "refused", "silent", the system's words."""
    wanted = list(dict.fromkeys(places))[:DIALS_MAX]
    if not wanted:
        return {}
    with ThreadPoolExecutor(len(wanted)) as crew:
        return dict(zip(wanted, crew.map(_dial, wanted), strict=True))


def own_port(dialled: dict[Place, str]) -> Check:
    """Whether the running node answers at the addresses that it announces, dialled from this machine."""
    if not dialled:
        return warning("port", "the node listens nowhere", "nobody can link with it", "Restart it; see its log.")
    bad = [f"{host} port {port}: {how}" for (host, port), how in dialled.items() if how != "answers"]
    (port, *_) = {port for _, port in dialled}
    if bad:
        why = "a firewall on this machine drops or refuses what comes to the node's port"
        keep = f"`symjam up --port {port}` takes the same one at every start"
        remedy = f"Let TCP port {port} in (`ufw allow {port}/tcp`); {keep}."
        return fail("port", "; ".join(bad), why, remedy)
    seen = f"port {port} answers, from this machine; a firewall may still treat other machines differently"
    return ok("port", seen)


def _dial(place: Place) -> str:
    try:
        with socket.create_connection(place, timeout=DIAL_TIMEOUT_S):
            return "answers"
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return "silent" if error.errno == errno.ETIMEDOUT else (error.strerror or str(error))
