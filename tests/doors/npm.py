"""Node.js for tests: packages installed once per lock file, outside the tree, and programs that talk in JSON lines."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from platformdirs import user_cache_path

HERE: Final = Path(__file__).parent
FOLDERS: Final = {"yjs": HERE / "yjs", "libp2p": HERE / "libp2p"}
CACHE: Final = user_cache_path("symjam-tests")  # asked before any test moves the caches
INSTALL_TIMEOUT_S: Final = 300
TIMEOUT_S: Final = 20.0

IS_WANTED = os.environ.get("CI") == "true" or os.environ.get("SYMJAM_NPM") == "1"

needs_npm = [
    pytest.mark.npm,
    pytest.mark.skipif(not IS_WANTED, reason="downloads packages with npm: set SYMJAM_NPM=1 to run it"),
    pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm"),
]


def installed(name: str) -> Path:
    """A folder with a package.json's packages and our programs beside it; skips when npm cannot have them."""
    folder = FOLDERS[name]
    lock = (folder / "package-lock.json").read_bytes()
    kept = CACHE / f"{name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (kept / "node_modules").is_dir():
        _install(folder, kept)
    for program in folder.glob("*.mjs"):
        _replace(program, kept / program.name)
    return kept


def _install(folder: Path, kept: Path) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(folder / file, scratch)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            done = subprocess.run(
                command, cwd=scratch, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not install {folder.name}'s packages in {INSTALL_TIMEOUT_S} s")
        if done.returncode:
            pytest.skip(f"npm cannot install {folder.name}'s packages: {done.stderr[-300:]}")
        if not kept.is_dir():
            os.rename(scratch, kept)
            Path(scratch).mkdir()


def _replace(source: Path, target: Path) -> None:
    if not target.is_file() or target.read_bytes() != source.read_bytes():
        shutil.copy(source, target)


def node_version() -> tuple[int, ...]:
    """The version of the `node` on the path."""
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.strip().lstrip("v").split("."))


class Program:
    """A Node.js program that reads commands and writes what happens, a JSON object a line each."""

    def __init__(self, folder: Path, name: str, question: Mapping[str, Any], prefix: Sequence[str] = ()) -> None:
        self._child = subprocess.Popen(
            [*prefix, "node", name, json.dumps(question)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._errors: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._lines.put(json.loads(line))
        self._lines.put({"event": "ended"})

    def _read_errors(self) -> None:
        assert self._child.stderr is not None
        self._errors.extend(self._child.stderr)

    def poll(self, timeout_s: float) -> dict[str, Any] | None:
        """The next line, if one comes in time."""
        try:
            return self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def next(self, event: str, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """The next line about an event; others before it are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event} in {timeout_s} s; it said {''.join(self._errors)[-800:]}") from None
            if line["event"] == event:
                return line
            assert line["event"] != "ended", f"it ended before {event}: {''.join(self._errors)[-800:]}"

    def tell(self, **command: Any) -> None:
        """Give a command."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(command) + "\n")
        self._child.stdin.flush()

    def ask(self, **command: Any) -> dict[str, Any]:
        """Give a command and take its answer."""
        self.tell(**command)
        return self.next("answer")

    def ask_until(self, is_enough: Callable[[dict[str, Any]], bool], **command: Any) -> dict[str, Any]:
        """Ask again until the answer is enough."""
        deadline = time.monotonic() + TIMEOUT_S
        while not is_enough(answer := self.ask(**command)):
            assert time.monotonic() < deadline, f"still {str(answer)[:400]}"
            time.sleep(0.02)
        return answer

    def stop(self) -> None:
        """End it."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
