"""Libraries that would write on the user's console are given a logger of their own that leads nowhere.

libp2p logs expected events (a peer that closed, a dial that failed) as warnings and errors, and one of its modules
logs through the root logger, which installs a console handler as a side effect.
"""

from __future__ import annotations

import logging
from typing import Final

_NOISY: Final = ("libp2p", "zeroconf", "multiaddr", "multistream")


def quieten() -> None:
    """Keep libp2p and zeroconf off the console, whatever handlers the root logger has. May be called again."""
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.CRITICAL)  # their messages are costly to format, too
    from libp2p.network.connection import swarm_connection

    # The module calls logging.debug() and friends: a logger has the same methods.
    swarm_connection.logging = logging.getLogger("libp2p.network.connection.swarm_connection")
