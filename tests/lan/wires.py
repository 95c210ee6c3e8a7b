"""A LAN of network namespaces: a switch in one of them, a host in each of the others, a cable between.

Everything is made here and removed here, under names of this run's own. Nothing leads out: the switch is a bridge in a
namespace that has no other way to anywhere.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_NETNS = Path("/run/netns")


def missing() -> str:
    """Why this machine cannot have such a LAN; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    tools = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    if tools:
        return f"not installed: {', '.join(tools)} (iproute2, nftables)"
    name = f"sj-{secrets.token_hex(3)}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"no network namespaces here: {tried.stderr.strip()}"
    run("ip", "netns", "del", name)
    return ""


def run(*command: str) -> str:
    """Run a command to its end; its output. AssertionError with its words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout


class Namespace:
    """A machine without a machine: interfaces, addresses and packet filters of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")
        self._inside = ThreadPoolExecutor(1, initializer=self.enter)

    def ip(self, *arguments: str) -> str:
        """`ip` in here."""
        return run("ip", "-n", self.name, *arguments)

    def nft(self, *arguments: str) -> str:
        """`nft` in here."""
        return run("ip", "netns", "exec", self.name, "nft", *arguments)

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The command line that runs something in here, under the same process id."""
        return ("ip", "netns", "exec", self.name, *arguments)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function whose sockets are then in here."""
        return self._inside.submit(function).result(timeout=30)

    def lose(self, percent: int) -> None:
        """Drop that share of the packets that come in by cable, by chance."""
        self.nft("add", "table", "ip", "lan")
        self.nft("add", "chain", "ip", "lan", "in", "{ type filter hook input priority 0 ; }")
        rule = ("iifname", "!=", "lo", "numgen", "random", "mod", "100", "<", str(percent), "counter", "drop")
        self.nft("add", "rule", "ip", "lan", "in", *rule)

    def lose_nothing(self) -> int:
        """Undo `lose`; how many packets were dropped."""
        words = self.nft("list", "table", "ip", "lan").split()
        self.nft("delete", "table", "ip", "lan")
        return int(words[words.index("packets") + 1])

    def remove(self) -> None:
        """End it; interfaces in it go with it."""
        self._inside.shutdown(wait=True)
        run("ip", "netns", "del", self.name)

    def enter(self) -> None:
        """Move the calling thread in here, for good: sockets that it makes are then in here."""
        with (_NETNS / self.name).open() as file:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(file.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")


class Lan:
    """Hosts on one switch. Host i has the address 10.83.0.(i + 1) on its interface `eth0`."""

    def __init__(self, hosts: int) -> None:
        tag = secrets.token_hex(2)
        self._all: list[Namespace] = []
        with ExitStack() as undo:
            undo.callback(self.remove)
            self.switch = self._namespace(f"sj-{tag}-switch")
            self.switch.ip("link", "add", "br0", "type", "bridge")
            self.switch.ip("link", "set", "br0", "up")
            self.hosts = [self._namespace(f"sj-{tag}-{i}") for i in range(hosts)]
            for i in range(hosts):
                self.cable(i, "eth0", f"10.83.0.{i + 1}/24")
            undo.pop_all()

    def _namespace(self, name: str) -> Namespace:
        made = Namespace(name)
        self._all.append(made)
        return made

    def cable(self, host: int, interface: str, address: str) -> None:
        """One more cable from a host to the switch."""
        port, inside = f"p{host}-{interface}", self.hosts[host]
        self.switch.ip("link", "add", port, "type", "veth", "peer", "name", interface, "netns", inside.name)
        self.switch.ip("link", "set", port, "master", "br0")
        self.switch.ip("link", "set", port, "up")
        inside.ip("addr", "add", address, "dev", interface)
        inside.ip("link", "set", interface, "up")

    def pull(self, host: int, interface: str = "eth0") -> None:
        """Pull a cable out: the carrier is gone on both ends."""
        self.switch.ip("link", "set", f"p{host}-{interface}", "down")

    def plug(self, host: int, interface: str = "eth0") -> None:
        """Put it back in."""
        self.switch.ip("link", "set", f"p{host}-{interface}", "up")

    def remove(self) -> None:
        """End all of it."""
        while self._all:
            self._all.pop().remove()


@contextmanager
def lan(hosts: int) -> Iterator[Lan]:
    """A LAN for the duration of the block."""
    made = Lan(hosts)
    try:
        yield made
    finally:
        made.remove()
