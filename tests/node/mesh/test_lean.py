"""What libp2p brings along for nothing stays outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crdt.errors import Misuse
from node.mesh import lean

_SHOW = "import sys, node.shell.daemon; print(*sorted(n for n in ('httpx', 'requests', 'rich') if n in sys.modules))"


def test_a_daemon_loads_no_client_of_web_pages() -> None:
    shown = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.split() == []


def test_the_names_left_out_are_those_that_libp2p_asks_for() -> None:
    """A libp2p that takes another name from there would fail to import: then its module is to be looked at again."""
    show = "import sys; sys.path.insert(0, ''); import libp2p.host.basic_host as h; print(h.ACMEClient.__module__)"
    shown = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "libp2p.security.tls.autotls.acme"


def test_what_was_left_out_cannot_be_called_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "libp2p.security.tls.autotls.acme", raising=False)
    lean.leave_out()
    with pytest.raises(Misuse, match="certificates"):
        sys.modules["libp2p.security.tls.autotls.acme"].ACMEClient()
