"""Where a running node says how to reach it.

`run/` in the data directory is of mode 0700 and holds four files. `lock` is held by the daemon with flock(2) for as
long as it lives: the kernel drops it with the process, however that ends, so a left-over file is never mistaken for a
living node, and two daemons never share a data directory. `api.json` is the address of the running one, written whole
or not at all and removed at a clean end. `seat.json` remembers port and token for the next run, so that an open page
finds the node again after a restart. `read.token` is the read-only token alone, in the form that metrics collectors
read. All are of mode 0600: whoever reads the token is the user.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crdt.errors import OperatingFailure

_FILE_MAX_BYTES: Final = 4_096
_CLAIM_TRIES: Final = 20  # a client that looks whether a node is alive holds the lock for an instant
_CLAIM_PAUSE_S: Final = 0.02


class NoNode(OperatingFailure):
    """No node is running in this data directory."""

    def __init__(self, why: str) -> None:
        super().__init__("no node is running", why, "Start one with `symjam up`.")


class AlreadyRunning(OperatingFailure):
    """Another node holds this data directory."""

    def __init__(self, data_dir: Path) -> None:
        remedy = "Use it, end it with `symjam stop`, or give this one another directory: --data DIR."
        super().__init__("cannot start a node here", f"one is running already in {data_dir}", remedy)


@dataclass(frozen=True)
class ApiAddress:
    """How to reach a node's API. The token is not printed with it."""

    port: int
    token: str = field(repr=False)
    pid: int
    read_token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The API's root."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def page_url(self) -> str:
        """The page, with the key to it in the fragment, which browsers never send."""
        return f"{self.url}/#token={self.token}"


class Runtime:
    """The daemon's hold on its runtime directory. A context manager: claims on entering, releases on leaving."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.directory = data_dir / "run"
        self._lock = -1

    def __enter__(self) -> Runtime:
        self._claim()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def seat(self) -> tuple[int, str, str]:
        """Port, token and read-only token to use: the last run's, or 0 (any) and new tokens of 256 bits."""
        last = _read(self.directory / "seat.json") or ApiAddress(0, secrets.token_urlsafe(32), 0)
        return last.port, last.token, last.read_token or secrets.token_urlsafe(32)

    def publish(self, port: int, token: str, read_token: str = "") -> ApiAddress:
        """Say where the API is, once it listens."""
        address = ApiAddress(port, token, os.getpid(), read_token)
        _write(self.directory / "seat.json", _content(address))
        _write(self.directory / "read.token", read_token)
        _write(self.directory / "api.json", _content(address))
        return address

    def _claim(self) -> None:
        """AlreadyRunning when another daemon is there; OperatingFailure when the directory cannot be used."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.directory.chmod(0o700)
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            remedy = "Check the directory's owner and free space, or use another one: --data DIR."
            raise OperatingFailure("cannot use the runtime directory", str(error), remedy) from error
        for _ in range(_CLAIM_TRIES):
            if _try_lock(self._lock, fcntl.LOCK_EX):
                (self.directory / "api.json").unlink(missing_ok=True)
                return
            time.sleep(_CLAIM_PAUSE_S)
        os.close(self._lock)
        self._lock = -1
        raise AlreadyRunning(self._data_dir)

    def _release(self) -> None:
        if self._lock >= 0:
            (self.directory / "api.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


def find(data_dir: Path) -> ApiAddress:
    """The address of the node that runs in a data directory.

    NoNode when there is none; OperatingFailure when the directory is open to others, for then its token may be known.
    """
    directory = data_dir / "run"
    try:
        mode = directory.stat()
        lock = os.open(directory / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NoNode(f"nothing has run in {data_dir} yet") from None
    except OSError as error:
        raise OperatingFailure("cannot look for a running node", str(error), "Check the directory's owner.") from error
    try:
        alive = not _try_lock(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)
    if not alive:
        raise NoNode(f"the one in {data_dir} has ended")
    if mode.st_uid != os.getuid() or stat.S_IMODE(mode.st_mode) & 0o077:
        why = f"{directory} can be read by others, and so can the node's token"
        raise OperatingFailure("will not trust the runtime directory", why, f"chmod 700 {directory}, restart the node.")
    address = _read(directory / "api.json")
    if address is None:
        raise NoNode(f"the one in {data_dir} is still starting or just ending")
    return address


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _content(address: ApiAddress) -> str:
    kept = {"port": address.port, "token": address.token, "read_token": address.read_token, "pid": address.pid}
    return json.dumps({"schema": "symjam.api/1", **kept})


def _write(path: Path, content: str) -> None:
    """Whole or not at all: written beside, then renamed over."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    beside.replace(path)


def _read(path: Path) -> ApiAddress | None:
    """None for a missing or damaged file: the daemon writes a new one, a client sees no node."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_FILE_MAX_BYTES))
        port, token, pid, read_token = content["port"], content["token"], content["pid"], content.get("read_token", "")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not (type(port) is int and 0 < port < 65_536 and type(pid) is int and type(token) is str and len(token) >= 32):
        return None
    is_token = type(read_token) is str and len(read_token) >= 32 and read_token != token
    return ApiAddress(port, token, pid, read_token if is_token else "")
