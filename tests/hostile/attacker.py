"""One attacker as a process: `python -m tests.hostile.attacker NAME ADDRESS NETWORK SECONDS`.

It stands for another machine on the LAN, so it takes what the honest processes leave of this one (nice). A peer that
was thrown out tries its key again, once each second, and meanwhile comes back with others. What became of it is
printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from threading import Timer

import trio
from libp2p.exceptions import BaseLibp2pError

from crdt.types import NetworkId
from tests.hostile.attacks import NOTHING, PAGE, PEERS, STRANGERS
from tests.hostile.site import Site, Talker, is_kept_out

NICE = 5
_PAUSE_S = 0.05
_LEAVE_S = 1.5
_LOST = (BaseLibp2pError, OSError, trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError)


async def attack(site: Site, name: str, seconds: float) -> None:
    """Attack for so long; then see whether the first key is kept out."""
    ends = trio.current_time() + seconds
    if name == NOTHING:
        await trio.sleep_until(ends)
        return
    if name not in PEERS:
        with trio.move_on_at(ends):
            await {**STRANGERS, **PAGE}[name](site)
        return
    first: list[bytes] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lives, site, name, first, ends)
        await trio.sleep_until(ends + _LEAVE_S)
        if first:
            with trio.move_on_after(_LEAVE_S):
                site.tally["kept-out"] = int(await is_kept_out(site, first[0]))
        _end(site)


async def lives(site: Site, name: str, first: list[bytes], ends: float) -> None:
    """Attack until then, each time under another key; `first` is given the seed of the first one."""
    while trio.current_time() < ends:
        await _one_life(site, name, first, ends)
        await trio.sleep(_PAUSE_S)


async def _one_life(site: Site, name: str, first: list[bytes], ends: float) -> None:
    """From connecting to being thrown out, or to the end of the attack."""
    try:
        async with Talker(site) as peer:
            site.tally["keys"] += 1
            if not first:
                first.append(peer.identity.seed())
            with trio.move_on_at(ends):
                await _until_thrown_out(site, name, peer)
            site.tally["thrown-out"] += not peer.connected
    except _LOST as error:
        site.tally[f"ended-{type(error).__name__}"] += 1


async def _until_thrown_out(site: Site, name: str, peer: Talker) -> None:
    """Attack; again on the same connection when only a stream was lost."""
    while peer.connected:
        try:
            await PEERS[name](peer)
        except _LOST:
            site.tally["streams-lost"] += 1
        await trio.sleep(_PAUSE_S)


def _end(site: Site) -> None:
    """Report, and leave at once: whatever still waits for the node to read, or to answer, waits for ever."""
    print(json.dumps(site.tally), flush=True)
    os._exit(0)


def main() -> None:
    """Attack and report."""
    name, address, network, seconds = sys.argv[1:]
    os.nice(NICE)
    site = Site(address, NetworkId(bytes.fromhex(network)), Counter())
    last = Timer(float(seconds) + 3 * _LEAVE_S, _end, (site,))
    last.daemon = True
    last.start()
    trio.run(attack, site, name, float(seconds))
    _end(site)


if __name__ == "__main__":
    main()
