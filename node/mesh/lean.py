"""libp2p without the parts that importing it brings along and SymJam never calls.

libp2p's packages import all that there is in them: QUIC, relays, a hash table, a client of certificate authorities with
httpx, requests, rich and pygments. Together that is a third of what importing all of the daemon costs, and 23 MB of it
(measured as in docs/performance.md). So some of its packages stand here bare: their modules are found and are libp2p's
own, but what their `__init__` does waits until somebody wants a name of it, as no module of a node does. And in place
of some modules stand others with the few names that libp2p takes from them, each of which refuses to be called.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final

import dns._features

from crdt.errors import Misuse

_BARE: Final = (
    "libp2p",
    "libp2p.discovery",
    "libp2p.discovery.bootstrap",
    "libp2p.discovery.mdns",
    "libp2p.discovery.upnp",
    "libp2p.metrics",
    "libp2p.relay",
    "libp2p.relay.circuit_v2",
    "libp2p.transport",
)
_NAMES: Final = {
    "libp2p.discovery.bootstrap.bootstrap": ("BootstrapDiscovery",),
    "libp2p.discovery.mdns.mdns": ("MDNSDiscovery", "create_mdns_discovery"),
    "libp2p.discovery.upnp.upnp": ("UpnpManager",),
    "libp2p.security.tls.autotls.acme": ("ACMEClient", "compute_b36_peer_id"),
    "libp2p.security.tls.autotls.broker": ("BrokerClient",),
    "libp2p.transport.quic.config": ("QUICTransportConfig",),
    "libp2p.transport.quic.exceptions": ("QUICStreamClosedError", "QUICStreamResetError"),
    "libp2p.transport.quic.stream": ("QUICStream",),
}


class _Never(Exception):
    """What stands for a class or a function that nobody calls; it may stand in an `except`, as some do."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise Misuse(f"{type(self).__name__} was left out of libp2p: node/mesh/lean.py")


class _StandIn(ModuleType):
    """A module of such names."""


class _Bare(ModuleType):
    """A package that is filled once a name of it is wanted that is no module of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        for path in _NAMES:
            if isinstance(sys.modules.get(path), _StandIn):
                del sys.modules[path]
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def leave_out() -> None:
    """Put the stand-ins where libp2p will find them; too late, and without effect, once libp2p is imported."""
    for package in _BARE:
        spec = find_spec(package) if package not in sys.modules else None
        if spec is not None:
            module = module_from_spec(spec)
            module.__class__ = _Bare
            _put(package, module)
    for path, names in _NAMES.items():
        if path not in sys.modules:
            standin = sys.modules[path] = _StandIn(path)
            for name in names:
                setattr(standin, name, type(name, (_Never,), {"__module__": path}))
    dns._features.force("doq", False)  # names asked for over QUIC, for which dnspython would import all of that again


def _put(path: str, module: ModuleType) -> None:
    """As the import system does: what is imported is an attribute of its package too."""
    sys.modules[path] = module
    package, _, name = path.rpartition(".")
    if package:
        setattr(sys.modules[package], name, module)
