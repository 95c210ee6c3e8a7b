"""What other implementations of libp2p say by mDNS, and what hostile ones say: on loopback, no root."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import trio

from crdt.keys import Identity
from crdt.limits import KNOWN_PEERS_MAX, MDNS_CACHE_MAX_BYTES, SIGHTINGS_PER_S_MAX
from crdt.types import NetworkId
from node.mesh import discovery as discovery_module
from node.mesh import dnssd
from node.mesh.address import Address, at
from tests.node.mesh import mdns
from tests.node.mesh.helpers import Node, started, until
from tests.node.mesh.test_discovery import Watcher

ALONE = NetworkId(secrets.token_bytes(32))  # nodes of other tests on this machine are heard of, and passed over
QUIC = "/ip4/127.0.0.1/udp/4001/quic-v1"
Spoken = Callable[[list[str]], bytes | list[bytes]]


def somebody(*ports: int) -> list[Address]:
    player = Identity(secrets.token_bytes(32)).player
    return [at("127.0.0.1", port, player) for port in ports]


async def say(packets: Iterable[bytes], condition: Callable[[], object]) -> None:
    """Say packets again and again, as mDNS peers do, until they were heard."""
    packets = list(packets)
    with mdns.speaker() as socket, trio.fail_after(15):
        while not condition():
            for packet in packets:
                socket.send(packet)
            await trio.sleep(0.1)


@pytest.mark.parametrize("spoken", [mdns.go, mdns.javascript, mdns.rust], ids=["go", "javascript", "rust"])
async def test_every_address_of_other_implementations_is_seen(spoken: Spoken) -> None:
    """Among addresses that are not for us: QUIC, a relay, no peer id."""
    addresses = somebody(7101, 7102, 7103)
    texts = [QUIC + str(addresses[0])[-55:], *map(str, addresses), f"{addresses[0]}/p2p-circuit", "/ip4/1.2.3.4/tcp/1"]
    said = spoken(texts)
    watcher = Watcher(network=ALONE)
    async with watcher.running():
        await say([said] if isinstance(said, bytes) else said, lambda: watcher.ports() >= {7101, 7102, 7103})
    assert set(watcher.found) == set(addresses)


@pytest.mark.parametrize("spoken", [mdns.go, mdns.javascript, mdns.rust], ids=["go", "javascript", "rust"])
async def test_a_node_named_by_another_implementation_is_dialled(spoken: Spoken) -> None:
    async with started(a := Node(), b := Node(mdns=True)):
        said = spoken([str(one) for one in a.mesh.tcp.announced])
        await say([said] if isinstance(said, bytes) else said, lambda: a.player in b.mesh.links())


async def test_a_new_instance_name_in_every_answer_is_one_peer() -> None:
    addresses = somebody(7110)
    watcher = Watcher(network=ALONE)
    async with watcher.running():
        packets = [packet for _ in range(30) for packet in mdns.rust([str(addresses[0])])]
        await say(packets, lambda: watcher.counters["sightings"] >= 30)
    assert set(watcher.found) == set(addresses)


def hostile() -> dict[str, bytes]:
    """Packets that no honest implementation sends."""
    who = mdns.name(mdns.instance(), *mdns.SERVICE)
    good = mdns.string(f"dnsaddr={somebody(7120)[0]}")
    header = struct.pack(">6H", 0, mdns.ANSWER, 0, 1, 0, 0)
    return {
        "oversize": mdns.packet([mdns.record(who, mdns.TXT, mdns.string(b"x" * 255) * 34)]),
        "longer than said": header + who + struct.pack(">HHIH", mdns.TXT, mdns.IN, 120, 60_000) + good,
        "string past the end": mdns.packet([mdns.record(who, mdns.TXT, b"\xff" + good)]),
        "wrong keys": mdns.packet(
            [
                mdns.record(who, mdns.TXT, b"".join(mdns.string(f"{key}{somebody(7121)[0]}") for key in keys))
                for keys in (["dnsaddr2=", "DNSADDR=", "dnsaddr", "=", " dnsaddr=", "dnsaddr=="],)
            ]
        ),
        "a name that points at itself": header + mdns.pointer(12) + struct.pack(">HHIH", mdns.TXT, 1, 120, 0),
        "names that point at each other": header + mdns.pointer(14) + mdns.pointer(12),
        "endless labels": header + b"\x3f" + b"a" * 63 + mdns.pointer(12),
        "nothing but a header": header,
        "half a header": header[:7],
        "counts that lie": struct.pack(">6H", 0, mdns.ANSWER, 9, 65_535, 9, 65_535) + who,
        "not ascii": mdns.packet([mdns.record(who, mdns.TXT, mdns.string(b"dnsaddr=/ip4/\xff\xfe\x00"))]),
        "empty": mdns.packet([mdns.record(who, mdns.TXT, b"")]),
    }


async def test_hostile_packets_report_nothing_and_end_nothing() -> None:
    """After each of them an honest answer is still heard."""
    watcher = Watcher(network=ALONE)
    async with watcher.running():
        for port, (what, packet) in enumerate(hostile().items(), 7130):
            after = somebody(port)
            await say([packet, mdns.go([str(after[0])])], lambda port=port: port in watcher.ports())
            assert set(watcher.found) == set(after), what
            watcher.found.clear()
    assert watcher.guard.counts == {}
    assert watcher.counters["discovery-lost"] == 0


async def test_four_thousand_invented_peers_do_not_keep_an_honest_one_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """They fill the book up to its bound, nothing more; the honest one, heard of last, is dialled all the same."""
    monkeypatch.setattr(discovery_module, "SIGHTINGS_PER_S_MAX", 100_000)
    flood = [at("127.0.0.1", 1 + i % 60_000, Identity(i.to_bytes(32, "big")).player) for i in range(4_000)]
    async with started(a := Node(), b := Node(mdns=True)):
        with mdns.speaker() as socket:
            for i, one in enumerate(flood):
                socket.send(mdns.javascript([str(one)]))
                if i % 100 == 0:
                    await trio.sleep(0.01)
        await until(lambda: len(b.mesh.tcp.book) == KNOWN_PEERS_MAX, "a full book")
        await say([mdns.go([str(one) for one in a.mesh.tcp.announced])], lambda: a.player in b.mesh.links())
        assert len(b.mesh.tcp.book) <= KNOWN_PEERS_MAX


def test_what_zeroconf_remembers_is_bounded_in_bytes() -> None:
    """It bounds its cache in records only; 10,000 of 8,900 bytes would be 89 MB."""

    class Cache:
        def __init__(self) -> None:
            self.cache: dict[str, dict[Any, Any]] = {}

        def async_remove_records(self, records: Iterable[Any]) -> None:
            for record in list(records):
                self.cache[record.key].pop(record)
                if not self.cache[record.key]:
                    del self.cache[record.key]

    class Zero:
        cache = Cache()

    listener: Any = discovery_module._Listener(lambda _: None)
    most = 0
    for i in range(2_000):
        text = discovery_module.DNSText(f"{i}.{dnssd.SERVICE}", 16, 1, 120, bytes(8_000))
        update: Any = type("Update", (), {"new": text, "old": None})
        listener.async_update_records(Zero, 5_000.0, [update])
        Zero.cache.cache.setdefault(text.key, {})[text] = text
        listener.async_update_records_complete()
        most = max(most, sum(len(one.text) for held in Zero.cache.cache.values() for one in held))
    assert 0 < most <= MDNS_CACHE_MAX_BYTES
    assert SIGHTINGS_PER_S_MAX < 2_000
