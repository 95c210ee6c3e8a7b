"""`symjam service`: a systemd unit of the user's own, so that a node runs from boot on, and again when it failed.

The node says by itself when it is ready. What is refused here is what it has no need of: other kinds of sockets, new
privileges, namespaces, a core image, files that others can read. Nothing is started: the next commands are said.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

import click

from crdt.errors import OperatingFailure, Unusable
from crdt.store.atomic import replace_file
from node.commands.common import as_json_line
from node.shell.config import default_data_dir, keys_in
from wallet import keystore
from wallet.keyfile import KeyLocked

_MARK: Final = "# Made by `symjam service install`."
_UNIT: Final = """{mark}
[Unit]
Description=SymJam node in {data}
Documentation=man:systemd.service(5)
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
{credential}Restart=on-failure
RestartSec=5
# Usage, a locked key, a damaged record: another start would change nothing.
RestartPreventExitStatus=2 4 6
TimeoutStopSec=15
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=default.target
"""


def show(data: Path | None, name: str, credential: Path | None, as_json: bool) -> int:
    """Print the unit as it would be installed."""
    return _said(_file(name), unit(data or default_data_dir(), credential), as_json)


def install(data: Path | None, name: str, credential: Path | None, as_json: bool) -> int:
    """Write it. A unit of that name that somebody else made is left alone."""
    data_dir, file = data or default_data_dir(), _file(name)
    _require_opened(data_dir, credential)
    text = unit(data_dir, credential)
    _require_own(file)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Make that directory, or set XDG_CONFIG_HOME."
        raise OperatingFailure("the unit cannot be written", f"{file.parent}: {error.strerror}", remedy) from error
    replace_file(file, text.encode())
    _next(f"systemctl --user daemon-reload && systemctl --user enable --now {name}", "loginctl enable-linger")
    return _said(file, text, as_json)


def uninstall(name: str, as_json: bool) -> int:
    """Remove it."""
    file = _file(name)
    if not file.exists():
        raise OperatingFailure(
            "there is no unit to remove", f"{file} does not exist", "`symjam service install` makes it."
        )
    _require_own(file)
    text = file.read_text(encoding="utf-8", errors="replace")
    file.unlink()
    _next(f"systemctl --user disable --now {name}; systemctl --user daemon-reload")
    return _said(file, text, as_json)


def unit(data_dir: Path, credential: Path | None) -> str:
    """The unit's text. `credential`: a file with the passphrase in its first line."""
    up = shlex.join((sys.executable, "-m", "node", "up", "--data", str(data_dir.absolute())))
    loaded = ""
    if credential is not None:
        loaded = f"LoadCredential=passphrase:{_quoted(str(credential.absolute()))}\n"
        up = shlex.join(("/bin/sh", "-c", f'exec {up} --passphrase-fd 3 3<"$CREDENTIALS_DIRECTORY/passphrase"'))
        up = up.replace("$", "$$")  # the shell's, not systemd's
    return _UNIT.format(mark=_MARK, data=_quoted(str(data_dir)), command=_quoted(up), credential=loaded)


def _quoted(text: str) -> str:
    """Percent signs are systemd's specifiers; a line's end would begin another setting."""
    if any(not letter.isprintable() for letter in text):
        raise Unusable("no unit can be made", f"{text!r} is no path that it can name", "Choose another directory.")
    return text.replace("%", "%%")


def _file(name: str) -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "systemd" / "user" / f"{name}.service"


def _require_own(file: Path) -> None:
    if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(_MARK):
        remedy = "Choose another --name, or move that one away."
        raise OperatingFailure("the unit is left alone", f"{file} was not made by this command", remedy)


def _require_opened(data_dir: Path, credential: Path | None) -> None:
    """A service has nobody to ask."""
    keys = keys_in(data_dir)
    if keystore.exists(keys) and keystore.look(keys).is_locked and credential is None:
        remedy = "--credential FILE, with the passphrase in its first line, of mode 600 (docs/keystore.md)."
        raise KeyLocked(
            "the service could not start", "its key is under a passphrase, and nobody is there to ask", remedy
        )
    if credential is not None:
        try:
            mode = credential.stat().st_mode
        except OSError as error:
            remedy = "Write the passphrase into that file, of mode 600."
            raise Unusable("the passphrase cannot be had", f"{credential}: {error.strerror}", remedy) from error
        if mode & 0o077:
            raise Unusable("the passphrase is open to others", str(credential), f"chmod 600 {credential}")


def _next(*commands: str) -> None:
    for command in commands:
        click.echo(f"next: {command}", err=True)


def _said(file: Path, text: str, as_json: bool) -> int:
    if as_json:
        as_json_line({"schema": "symjam.service/1", "file": str(file), "unit": text, "installed": file.exists()})
    else:
        click.echo(text, nl=False)
        click.echo(f"in {file}" if file.exists() else f"for {file}", err=True)
    return 0
