"""Finding each other by multicast on loopback: no root, no network."""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from zeroconf import Zeroconf
from zeroconf._dns import DNSPointer, DNSText
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR, _TYPE_TXT

from crdt.keys import Identity
from crdt.limits import SIGHTINGS_PER_S_MAX
from node.mesh import discovery as discovery_module
from node.mesh import dnssd
from node.mesh.address import Address, at
from node.mesh.discovery import Discovery
from node.mesh.guard import Guard
from node.mesh.peerid import peer_id_of
from node.mesh.tcp import TcpSettings
from tests.node.mesh.helpers import LOOPBACK, NETWORK, Node, started, until
from tests.node.mesh.process import child

PLAYER = Identity(secrets.token_bytes(32)).player


class Watcher:
    """A Discovery by itself, and what it reports."""

    def __init__(self, **options: Any) -> None:
        self.found: list[Address] = []
        self.moves = 0
        self.counters: Counter[str] = Counter()
        self.guard = Guard(Counter())
        options.setdefault("wanted", LOOPBACK)
        options.setdefault("network", NETWORK)
        self.discovery = Discovery(
            PLAYER,
            self.guard,
            self.counters,
            random.Random(),
            found=self.found.extend,
            moved=self._moved,
            **options,
        )

    def _moved(self) -> None:
        self.moves += 1

    def ports(self) -> set[int]:
        return {address.port for address in self.found}

    @asynccontextmanager
    async def running(self, port: int = 4001) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.discovery.run, port)
            nursery.start_soon(self.discovery.watch_interfaces)
            yield
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def announcer() -> AsyncIterator[Any]:
    """A stranger on the multicast group, who says records as they are given."""
    zeroconf = await trio.to_thread.run_sync(lambda: Zeroconf(interfaces=LOOPBACK))

    def say(name: str, text: bytes, ttl: int = 120) -> None:
        out = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        full = f"{name}.{dnssd.SERVICE}"
        out.add_answer_at_time(DNSPointer(dnssd.SERVICE, _TYPE_PTR, _CLASS_IN, ttl, full), 0)
        out.add_answer_at_time(DNSText(full, _TYPE_TXT, _CLASS_IN, ttl, text), 0)
        zeroconf.send(out)

    try:
        yield say
    finally:
        await trio.to_thread.run_sync(zeroconf.close)


async def repeat(say: Any, records: Iterable[tuple[str, bytes]], condition: Any) -> None:
    """Say records again and again, as mDNS peers do, until they were heard."""
    records = list(records)
    with trio.fail_after(15):
        while not condition():
            for name, text in records:
                say(name, text)
            await trio.sleep(0.1)


async def test_nodes_of_one_process_find_each_other() -> None:
    nodes = [Node(mdns=True) for _ in range(3)]
    async with started(*nodes):
        for one in nodes:
            others = {other.player for other in nodes if other is not one}
            await until(lambda one=one, others=others: others <= set(one.mesh.links()), "the links")


async def test_processes_of_one_machine_find_each_other() -> None:
    seeds = [secrets.token_bytes(32) for _ in range(2)]
    players = [Identity(seed).player for seed in seeds]
    async with started(a := Node(mdns=True)), child(seeds[0], "--mdns") as one, child(seeds[1], "--mdns") as two:
        await until(lambda: set(players) <= set(a.mesh.links()), "links to both")
        await until(lambda: f"joined {peer_id_of(players[1])}" in one.lines, "the link between the two")
        await until(lambda: f"joined {peer_id_of(players[0])}" in two.lines, "the link between the two")
        assert a.send(players[0], b"found you")
        await until(lambda: (players[0], b"echo:found you") in a.owner.frames, "the echo")


async def test_a_return_on_a_new_port_is_found() -> None:
    seed = secrets.token_bytes(32)
    async with started(a := Node(mdns=True)) as nursery:
        for life in (1, 2):
            b = Node(seed=seed, mdns=True)
            await nursery.start(b.run)
            await until(lambda life=life: a.owner.told(Identity(seed).player)["joined"] == life, f"life {life}")
            b.stop()
            await until(lambda life=life: a.owner.told(Identity(seed).player)["left"] == life, "the end")


async def test_peers_that_answer_without_srv_records_are_seen() -> None:
    """Trap: libp2p's mDNS cannot see JavaScript or Rust peers, which answer PTR and TXT without A or SRV."""
    watcher, player = Watcher(), Identity(secrets.token_bytes(32)).player
    async with watcher.running(), announcer() as say:
        await repeat(
            say, [("a" * 32, dnssd.to_txt([at("127.0.0.1", 7001, player)], NETWORK))], lambda: 7001 in watcher.ports()
        )


async def test_peers_are_known_by_their_key_and_not_by_the_instance_name() -> None:
    """Trap: Rust invents a new instance name for every answer."""
    async with started(a := Node(), b := Node(mdns=True)), announcer() as say:
        text = dnssd.to_txt(a.mesh.tcp.announced, NETWORK)
        names = [secrets.token_hex(16) for _ in range(20)]
        await repeat(say, [(name, text) for name in names], lambda: a.player in b.mesh.links())
        before = b.mesh.counters["sightings"]
        await repeat(say, [(name, text) for name in names], lambda: b.mesh.counters["sightings"] > before + 20)
        assert len(b.mesh.tcp.host.connections(a.player)) == 1
        assert b.owner.told(a.player) == {"joined": 1}


async def test_what_a_node_announces() -> None:
    """Traps: /ip4/0.0.0.0 when listening everywhere; dnsaddr2= and dnsaddr3=; one's own address asked of 8.8.8.8."""
    watcher = Watcher(wanted=None, interfaces=lambda: [("eth0", "10.0.0.5"), ("wlan0", "192.168.1.7")])
    info = watcher.discovery.record(4001)
    assert [str(address) for address in dnssd.from_txt(info.text, NETWORK)] == [
        f"/ip4/{host}/tcp/4001/p2p/{peer_id_of(PLAYER)}" for host in ("10.0.0.5", "192.168.1.7")
    ]
    assert info.text.count(b"dnsaddr=") == 2
    assert b"0.0.0.0" not in info.text
    assert info.type == "_p2p._udp.local."
    assert watcher.discovery.record(4001).name != info.name


async def test_a_node_that_listens_everywhere_names_real_addresses() -> None:
    node = Node()
    node.mesh.tcp._settings = TcpSettings()
    node.mesh.tcp.discovery = Watcher(wanted=None, interfaces=lambda: [("eth0", "10.0.0.5")]).discovery
    async with started(node):
        assert node.mesh.addresses == [f"/ip4/10.0.0.5/tcp/{node.mesh.tcp.host.port}/p2p/{node.mesh.peer_id}"]
        assert "0.0.0.0" not in str(node.mesh.tcp.host.basic.get_addrs())


async def test_interfaces_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cable, a Wi-Fi, a wake-up: the new address is announced without a restart, and everybody is dialled again."""
    monkeypatch.setattr(discovery_module, "_REREAD_S", 0.05)
    hosts = [("lo", "127.0.0.1"), ("docker0", "172.17.0.1")]
    mover = Watcher(wanted=None, interfaces=lambda: list(hosts))
    other = Watcher()
    other.discovery._player = Identity(secrets.token_bytes(32)).player
    async with mover.running(4001), other.running(4002):
        await until(lambda: ("127.0.0.1", 4001) in [(one.host, one.port) for one in other.found], "the old address")
        hosts[:] = [("lo2", "127.0.0.1"), ("eth7", "10.77.0.1")]
        await until(lambda: mover.discovery.hosts == ["10.77.0.1"], "the new address")
        assert mover.moves == 1
        assert mover.counters["interfaces-changed"] == 1


async def test_a_network_without_multicast_does_not_end_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(discovery_module, "AsyncZeroconf", broken)
    async with started(a := Node(mdns=True)) as nursery:
        await until(lambda: a.mesh.guarded["discovery"], "the failure")
        b = Node(mdns=True, peers=[a.address])
        await nursery.start(b.run)
        await until(lambda: a.player in b.mesh.links(), "the given peer")
        assert a.mesh.counters["discovery-lost"] == 1


async def test_multicast_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = discovery_module.AsyncZeroconf, []

    def first_broken(*args: Any, **options: Any) -> Any:
        if not failures:
            failures.append(1)
            raise OSError(19, "No such device")
        return real(*args, **options)

    monkeypatch.setattr(discovery_module, "AsyncZeroconf", first_broken)
    monkeypatch.setattr(discovery_module, "_RETRY_S", 0.05)
    a, b = Node(mdns=True), Node(mdns=True)
    async with started(a, b):
        await until(lambda: a.player in b.mesh.links(), "the link")
    assert failures


async def test_zeroconf_lives_in_a_thread_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: libp2p's mDNS stalls the trio loop for 1.7 s at its start."""
    real, threads = discovery_module.AsyncZeroconf, []

    def watched(*args: Any, **options: Any) -> Any:
        threads.append(threading.current_thread())
        assert asyncio.get_running_loop()
        return real(*args, **options)

    monkeypatch.setattr(discovery_module, "AsyncZeroconf", watched)
    async with Watcher().running():
        await until(lambda: threads, "zeroconf")
    assert threads[0] is not threading.current_thread()


async def test_goodbyes_rubbish_and_one_s_own_records_are_passed_over() -> None:
    watcher, player = Watcher(), Identity(secrets.token_bytes(32)).player
    async with watcher.running(), announcer() as say:
        say("b" * 32, dnssd.to_txt([at("127.0.0.1", 7002, player)], NETWORK), 0)
        records = [
            ("c" * 32, b"\x05hello"),
            ("d" * 32, b"\xff"),
            ("e" * 32, dnssd.to_txt([at("127.0.0.1", 7003, PLAYER)], NETWORK)),
            ("f" * 32, dnssd.to_txt([at("127.0.0.1", 7004, player)], NETWORK)),
        ]
        await repeat(say, records, lambda: 7004 in watcher.ports())
        assert not watcher.ports() & {7002, 7003}


def test_sightings_are_bounded_per_second() -> None:
    """A flood of records costs parsing, but does not fill the queue to the trio thread."""

    class Update:
        new = DNSText(f"x.{dnssd.SERVICE}", _TYPE_TXT, _CLASS_IN, 120, b"\x01x")

    taken: list[bytes] = []
    listener: Any = discovery_module._Listener(taken.append)
    zero: Any = type("Zero", (), {"cache": None})
    for _ in range(10):
        listener.async_update_records(zero, 5_000.0, [Update()] * SIGHTINGS_PER_S_MAX)
    assert len(taken) == SIGHTINGS_PER_S_MAX
    listener.async_update_records(zero, 6_000.0, [Update()])
    assert len(taken) == SIGHTINGS_PER_S_MAX + 1
