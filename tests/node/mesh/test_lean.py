"""What libp2p brings along for nothing stays outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crdt.errors import Misuse
from node.mesh import lean

LEFT_OUT = ("aioquic", "httpx", "libp2p.kad_dht", "libp2p.relay.circuit_v2.protocol", "requests", "rich")


def said(program: str) -> str:
    """What a program of its own prints."""
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_daemon_loads_nothing_that_it_never_calls() -> None:
    assert said(f"import sys, node.shell.daemon; print(*(n for n in {LEFT_OUT} if n in sys.modules))") == ""
    assert said("import sys, libp2p; print('aioquic' in sys.modules)") == "True", "nothing to leave out any more"


@pytest.mark.parametrize(
    ("module", "name", "of"),
    [
        ("libp2p.host.basic_host", "ACMEClient", "libp2p.security.tls.autotls.acme"),
        ("libp2p.host.basic_host", "UpnpManager", "libp2p.discovery.upnp.upnp"),
        ("libp2p.network.swarm", "QUICTransportConfig", "libp2p.transport.quic.config"),
        ("libp2p.custom_types", "QUICStream", "libp2p.transport.quic.stream"),
    ],
)
def test_the_names_left_out_are_those_that_libp2p_asks_for(module: str, name: str, of: str) -> None:
    """A libp2p that takes another name from there would fail to import: then its module is to be looked at again."""
    assert said(f"import {module} as m; print(m.{name}.__module__)") == of


def test_who_wants_a_whole_libp2p_beside_a_node_has_it() -> None:
    use = "import node.shell.daemon, libp2p.transport; print(libp2p.new_host, libp2p.transport.WebsocketTransport)"
    assert "new_host" in said(use)
    real = "from libp2p import new_host; from libp2p.transport.quic.config import QUICTransportConfig as c; print(c())"
    assert "QUICTransportConfig" in said("import node.shell.daemon; " + real)


def test_what_was_left_out_cannot_be_called_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "libp2p.security.tls.autotls.acme", raising=False)
    lean.leave_out()
    with pytest.raises(Misuse, match="ACMEClient was left out"):
        sys.modules["libp2p.security.tls.autotls.acme"].ACMEClient()
