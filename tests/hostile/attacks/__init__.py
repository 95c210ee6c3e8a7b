"""The attacks, by name. Each runs until it is cancelled, or until the node has thrown it out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.hostile.attacks import entries, page, streams, talk, wire
from tests.hostile.site import Site, Talker

# By a peer with a key, which comes back with another one whenever it was thrown out
PEERS: dict[str, Callable[[Talker], Awaitable[None]]] = {**streams.ATTACKS, **entries.ATTACKS, **talk.ATTACKS}
# By somebody who has a socket and no key
STRANGERS: dict[str, Callable[[Site], Awaitable[None]]] = wire.ATTACKS

# By a program of the same machine, at the page's port
PAGE: dict[str, Callable[[Site], Awaitable[None]]] = page.ATTACKS

NAMES = (*STRANGERS, *PEERS, *PAGE)
NOTHING = "nothing"  # the pair by itself, to compare with
