"""libp2p without the client of certificate authorities that its host imports and SymJam never calls.

It asks for certificates for public WebSocket addresses, and brings httpx, requests, rich and pygments with it: 11 MB of
every node's 98, and a twelfth of what importing all of the daemon costs (measured as in docs/performance.md). In its
place stand two modules with the three names that libp2p takes from them, each of which refuses to be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final, NoReturn

from crdt.errors import Misuse

_PACKAGE: Final = "libp2p.security.tls.autotls"
_NAMES: Final = {"acme": ("ACMEClient", "compute_b36_peer_id"), "broker": ("BrokerClient",)}


def _never(*_: Any, **__: Any) -> NoReturn:
    raise Misuse("SymJam asks nobody for certificates")


def leave_out() -> None:
    """Put the stand-ins where libp2p will find them; too late, and without effect, once libp2p is imported."""
    for module, names in _NAMES.items():
        path = f"{_PACKAGE}.{module}"
        if path not in sys.modules:
            standin = sys.modules[path] = ModuleType(path)
            for name in names:
                setattr(standin, name, _never)
