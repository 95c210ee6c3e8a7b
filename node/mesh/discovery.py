"""Finding peers on the local network by multicast DNS, and being found.

zeroconf lives on an asyncio loop in a thread of its own, because sockets opened on the trio loop stall it for seconds
(notes/libp2p.md); what it sees crosses over with the trio token. A network without multicast is no failure of the
node: it is counted, tried again later, and given addresses go on working.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import trio
from zeroconf import RecordUpdate, RecordUpdateListener, ServiceInfo, Zeroconf
from zeroconf._cache import DNSCache
from zeroconf._dns import DNSQuestion, DNSText
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_PTR

from crdt.limits import MDNS_CACHE_MAX_BYTES, SIGHTINGS_PER_S_MAX
from crdt.types import NetworkId, PlayerId
from node.mesh import dnssd
from node.mesh.address import Address, at
from node.mesh.guard import Guard
from node.mesh.interfaces import all_ipv4, usable

TTL_S: Final = 120
_REREAD_S: Final = 1.0  # how soon a new interface is noticed; a look costs well under a millisecond
_RETRY_S: Final = 10.0  # after multicast could not be opened
_QUERY_AFTER_S: Final = (0.0, 0.5, 2.0, 6.0)  # early questions, then one every _QUERY_EVERY_S
_QUERY_EVERY_S: Final = 20.0
_GOODBYE_TIMEOUT_S: Final = 0.5
_TWINS_MAX: Final = 8
_OWN_MAX: Final = 64  # addresses of one's own that are remembered, to tell an echo from a twin
_RECORD_BYTES: Final = 500  # about what a cached record takes beside its text
_MESSAGE_MAX_BYTES: Final = 9_000

Interfaces = Callable[[], list[tuple[str, str]]]


class Discovery:
    """Announces this node and reports who else announces.

    `found` is called in the trio thread with the addresses of one record; `moved` whenever the machine's own
    addresses have changed (they are in `hosts`).
    """

    def __init__(
        self,
        player: PlayerId,
        guard: Guard,
        counters: Counter[str],
        chance: random.Random,
        *,
        network: NetworkId,
        found: Callable[[list[Address]], None],
        moved: Callable[[], None],
        wanted: Sequence[str] | None = None,
        interfaces: Interfaces = all_ipv4,
    ) -> None:
        self._player = player
        self._network = network
        self._guard = guard
        self._counters = counters
        self._chance = chance
        self._found = found
        self._moved = moved
        self._wanted = wanted
        self._interfaces = interfaces
        self.hosts: list[str] = usable(interfaces(), wanted)
        self.opened_s: float | None = None  # since when it announces on these addresses (trio's clock)
        self.echoed = False  # whether one's own announcement came back since
        self.twins: dict[str, float] = {}  # where others announce this very player, and when that was heard last
        self._own: dict[str, None] = {}

    async def watch_interfaces(self) -> None:
        """Keep `hosts` up to date."""
        while True:
            await trio.sleep(_REREAD_S)
            hosts = usable(self._interfaces(), self._wanted)
            if hosts != self.hosts:
                self.hosts = hosts
                self._counters["interfaces-changed"] += 1
                self._begin_anew()
                self._moved()

    async def run(self, port: int) -> None:
        """Announce `port` on every usable address and listen, until cancelled."""
        token = trio.lowlevel.current_trio_token()
        while True:
            self._begin_anew()
            responder = _Responder(self, port, token)
            failed = await self._guard.run("discovery", responder.run)
            self._counters["discovery-lost"] += failed is not None
            await trio.sleep(_RETRY_S)

    def addresses(self, port: int) -> list[Address]:
        """What is announced."""
        return [at(host, port, self._player) for host in self.hosts]

    def record(self, port: int) -> ServiceInfo:
        """The service under a fresh random name."""
        name = dnssd.instance_name(self._chance)
        self._remember_own(self.addresses(port))
        return ServiceInfo(
            dnssd.SERVICE,
            f"{name}.{dnssd.SERVICE}",
            port=port,
            properties=dnssd.to_txt(self.addresses(port), self._network),
            server=f"{name}.local.",
            host_ttl=TTL_S,
            other_ttl=TTL_S,
        )

    def saw(self, text: bytes) -> None:
        """A TXT record came in (trio thread)."""
        said = dnssd.from_txt(text, self._network)
        for own in (address.transport for address in said if address.player == self._player):
            if own in self._own:
                self.echoed = True
            elif own in self.twins or len(self.twins) < _TWINS_MAX:
                self.twins[own] = trio.current_time()
        addresses = [address for address in said if address.player != self._player]
        if addresses:
            self._counters["sightings"] += 1
            self._guard.call("discovery.found", self._found, addresses)

    def _begin_anew(self) -> None:
        self.opened_s, self.echoed = trio.current_time(), False

    def _remember_own(self, addresses: list[Address]) -> None:
        """In zeroconf's thread, before it announces them."""
        for address in addresses:
            self._own.pop(address.transport, None)
            self._own[address.transport] = None
        while len(self._own) > _OWN_MAX:
            del self._own[next(iter(self._own))]


class _Responder:
    """One life of the zeroconf thread."""

    def __init__(self, owner: Discovery, port: int, token: trio.lowlevel.TrioToken) -> None:
        self._owner = owner
        self._port = port
        self._token = token
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stopping = False

    async def run(self) -> None:
        """Run the thread; on cancellation let it say goodbye, briefly, before letting go of it."""
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope(shield=True)
            nursery.start_soon(self._end_when_cancelled, scope)
            with scope:
                await trio.to_thread.run_sync(  # the old name of this option is the one that the type stubs know
                    self._thread,
                    abandon_on_cancel=True,  # type: ignore[call-arg]
                    limiter=trio.CapacityLimiter(1),
                )
            nursery.cancel_scope.cancel()

    async def _end_when_cancelled(self, thread: trio.CancelScope) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._end()
            thread.deadline = trio.current_time() + _GOODBYE_TIMEOUT_S + 0.2

    def _thread(self) -> None:
        asyncio.run(self._main())

    def _end(self) -> None:
        self._stopping = True
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    async def _main(self) -> None:
        """The zeroconf side: open, announce, ask, follow the interfaces, and say goodbye."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._stopping:
            return
        hosts = list(self._owner.hosts)
        zero = AsyncZeroconf(interfaces=list(hosts))
        try:
            await zero.zeroconf.async_wait_for_start()
            zero.zeroconf.async_add_listener(_Listener(self._hand_over), None)
            info = self._owner.record(self._port)
            # the name is random enough: no probing for conflicts, which takes over a second
            await zero.async_register_service(info, cooperating_responders=True)
            await self._follow(zero, info, hosts)
        finally:
            async with asyncio.timeout(_GOODBYE_TIMEOUT_S):
                await zero.async_close()

    async def _follow(self, zero: AsyncZeroconf, info: ServiceInfo, hosts: list[str]) -> None:
        assert self._stop is not None
        waits = list(_QUERY_AFTER_S)
        due = time.monotonic() + waits.pop(0)
        while not self._stop.is_set():
            if time.monotonic() >= due:
                _ask(zero.zeroconf)
                due = time.monotonic() + (waits.pop(0) if waits else _QUERY_EVERY_S)
            if self._owner.hosts != hosts:
                hosts = list(self._owner.hosts)
                await zero.zeroconf.async_update_interfaces(interfaces=list(hosts))
                fresh = self._owner.record(self._port)
                await zero.async_unregister_service(info)
                await zero.async_register_service(fresh, cooperating_responders=True)
                info, due = fresh, time.monotonic()
            try:
                async with asyncio.timeout(min(1.0, max(0.01, due - time.monotonic()))):
                    await self._stop.wait()
            except TimeoutError:
                continue

    def _hand_over(self, text: bytes) -> None:
        try:
            self._token.run_sync_soon(self._owner.saw, text)
        except trio.RunFinishedError:
            self._stopping = True


class _Listener(RecordUpdateListener):
    """Every TXT record under the service, whoever asked for it, at a bounded rate.

    Nothing here reads zeroconf's cache, which is bounded in records but not in bytes; so it is emptied now and then.
    """

    def __init__(self, saw: Callable[[bytes], None]) -> None:
        self._saw = saw
        self._second = 0
        self._taken = 0
        self._cached_bytes = 0
        self._cache: DNSCache | None = None

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        self._cache = zc.cache
        for update in records:
            record = update.new
            self._cached_bytes += _RECORD_BYTES + (len(record.text) if isinstance(record, DNSText) else 0)
            if not isinstance(record, DNSText) or not record.name.lower().endswith(dnssd.SERVICE):
                continue
            if record.ttl == 0:  # a goodbye: connections tell more reliably who is gone
                continue
            second = int(now // 1000)
            if second != self._second:
                self._second, self._taken = second, 0
            self._taken += 1
            if self._taken <= SIGHTINGS_PER_S_MAX:
                self._saw(record.text)

    def async_update_records_complete(self) -> None:
        """The records of one message are in the cache. Others might arrive: one message has 9 kB at most."""
        if self._cache is None or self._cached_bytes < MDNS_CACHE_MAX_BYTES - _MESSAGE_MAX_BYTES:
            return
        for name in list(self._cache.cache):
            self._cache.async_remove_records(list(self._cache.cache[name]))
        self._cached_bytes = 0


def _ask(zeroconf: Zeroconf) -> None:
    """Ask who is there."""
    query = DNSOutgoing(_FLAGS_QR_QUERY)
    query.add_question(DNSQuestion(dnssd.SERVICE, _TYPE_PTR, _CLASS_IN))
    zeroconf.async_send(query)
