"""Child nodes for tests: started here, stopped here, and ended by the id of the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.node.mesh.helpers import until

_ROOT = Path(__file__).resolve().parents[3]


class Child:
    """A running child node and the lines that it has said."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self.errors = b""

    @property
    def address(self) -> str:
        return self.lines[0]

    def freeze(self) -> None:
        """SIGSTOP: as a closed laptop does it, the sockets stay open and nothing answers."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)

    async def publish(self, hint: str) -> None:
        assert self._process.stdin is not None
        await self._process.stdin.send_all(hint.encode() + b"\n")

    async def listen(self) -> None:
        assert self._process.stdout is not None
        rest = b""
        async for data in self._process.stdout:
            *whole, rest = (rest + data).split(b"\n")
            self.lines += [line.decode() for line in whole]

    async def complain(self) -> None:
        assert self._process.stderr is not None
        async for data in self._process.stderr:
            self.errors += data


@asynccontextmanager
async def child(seed: bytes, *arguments: str) -> AsyncIterator[Child]:
    """A child node, started; killed when the block is left, frozen or not."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "tests.node.mesh.child", seed.hex(), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
    )
    one = Child(process)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.listen)
            nursery.start_soon(one.complain)
            await until(lambda: one.lines or process.poll() is not None, "the child's start", 30)
            assert one.lines, one.errors.decode()
            yield one
            nursery.cancel_scope.cancel()
    finally:
        if process.poll() is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
