"""`symjam bugreport FILE`: what somebody else needs to look into a fault, without what is nobody else's business.

Never in it: keys, the store, balances, names of the watched, titles, what was played or said. All else goes through
node/shell/redact.py. What is in it is listed before it is written.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import secrets
import socket
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from crdt.errors import OperatingFailure
from node import settings
from node.client import Client
from node.commands.common import as_json_line
from node.commands.doctor import document
from node.commands.logs import read
from node.doctor import versions
from node.doctor.examine import Settings, examine
from node.shell.config import default_data_dir
from node.shell.logbook import files_in
from node.shell.redact import GONE, Redactor

LOG_LINES_MAX: Final = 2_000
PRIVATE: Final = frozenset({"title", "tags", "memo", "quarantine", "score", "riff"})
_ABOUT: Final = """A report of SymJam about one node. Ids, players and addresses are pseudonyms
(`id-...~`, `ip-...~`) that hold within this report only; names, paths and whatever
looked like a secret are left out. Look through it before you give it away.
"""

Doc = dict[str, Any]


def run(data: Path | None, file: Path, origins: list[Doc], checked: Settings, yes: bool, as_json: bool) -> int:
    """Gather, list, ask, write. The file must not be there yet; it is of mode 0600."""
    data_dir = data or default_data_dir()
    if file.exists():
        raise OperatingFailure("no report was written", f"{file} is there already", "Name another file.")
    contents = gather(data_dir, origins, checked, _redactor(data_dir))
    for name, raw in contents.items():
        click.echo(f"{len(raw):>9,} bytes  {name}", err=True)
    if not yes and sys.stdin.isatty() and not click.confirm(f"Write these to {file}?", default=True, err=True):
        return 1
    write(file, contents)
    if as_json:
        parts = [{"name": name, "bytes": len(raw)} for name, raw in contents.items()]
        as_json_line({"schema": "symjam.bugreport/1", "file": str(file), "contents": parts})
    else:
        click.echo(str(file))
        click.echo("look through it before you give it away: tar xzf", err=True)
    return 0


def gather(data_dir: Path, origins: list[Doc], checked: Settings, redactor: Redactor) -> dict[str, bytes]:
    """What goes into it, cleaned, by name."""
    found = examine(data_dir, checked, lambda words: click.echo(words, err=True))
    lines = [line for path in files_in(data_dir) for line in read(path)][-LOG_LINES_MAX:]
    raw = {
        "README.txt": _ABOUT,
        "versions.json": _text({"packages": versions.installed(), "machine": versions.machine_words()}),
        "config.json": _text([_unnamed(one) for one in settings.left(data_dir / "run") or origins]),
        "doctor.json": _text(document(found)),
        "log.jsonl": "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines),
        "files.txt": _listing(data_dir),
    }
    if found.status is not None:
        raw["status.json"] = _text(_public(found.status))
        raw["metrics.txt"] = _or_why(Client.of(data_dir).metrics)
    for text in raw.values():
        redactor.meet(text)
    return {name: redactor.clean(text).encode() for name, text in raw.items()}


def write(file: Path, contents: dict[str, bytes]) -> None:
    """As a tar.gz that its owner alone can read. OperatingFailure when that does not work."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out, tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, raw in contents.items():
                info = tarfile.TarInfo(f"symjam-report/{name}")
                info.size, info.mode, info.mtime = len(raw), 0o600, int(time.time())
                archive.addfile(info, io.BytesIO(raw))
    except OSError as error:
        remedy = "Name a file in a directory that you may write to, with room."
        raise OperatingFailure("no report was written", f"{file}: {error.strerror}", remedy) from error


def _redactor(data_dir: Path) -> Redactor:
    from wallet.words import every_word

    home = Path.home()
    names = [(str(data_dir.resolve()), "DATA"), (str(data_dir), "DATA"), (str(home), "~")]
    names += [(socket.gethostname(), "HOST"), (_user(), "USER")]
    return Redactor(secrets.token_bytes(32), _tokens(data_dir), names, every_word())


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return ""
    return "" if name == "root" else name  # which is a word of its own


def _tokens(data_dir: Path) -> list[str]:
    """Those of the API, to be taken out to the letter wherever they should stand."""
    found: list[str] = []
    for name in ("api.json", "seat.json"):
        try:
            said = json.loads((data_dir / "run" / name).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(said, dict):
            found += [value for key, value in said.items() if "token" in key and isinstance(value, str)]
    return found


def _listing(data_dir: Path) -> str:
    lines = []
    for path in sorted(data_dir.rglob("*"))[:LOG_LINES_MAX]:
        try:
            found = path.lstat()
        except OSError:
            continue
        lines.append(f"{found.st_mode & 0o7777:04o} {found.st_size:>12} {path.relative_to(data_dir)}\n")
    return "".join(lines)


def _public(value: Any) -> Any:
    """Without what people called things, and what they played."""
    if isinstance(value, dict):
        return {key: GONE if key in PRIVATE and one else _public(one) for key, one in value.items()}
    return [_public(one) for one in value] if isinstance(value, list) else value


def _unnamed(setting: Doc) -> Doc:
    """A room's name lets in whoever knows it."""
    return {**setting, "value": GONE} if setting["key"] == "room" and setting["value"] else setting


def _or_why(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except OperatingFailure as failure:
        return f"{failure.what}: {failure.why}\n"


def _text(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
