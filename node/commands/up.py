"""`symjam up`: the daemon in the foreground."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crdt.keys import Identity
from node import settings
from node.commands.asking import new_passphrase, no_core_dumps, open_key
from node.founders import digest_of, founders_in, player_of
from node.runtime import ApiAddress
from node.shell import logbook
from node.shell.collector import no_collecting
from node.shell.config import Config, default_data_dir
from node.shell.logbook import ENDS
from wallet import keystore
from wallet.keyfile import new_key

if TYPE_CHECKING:
    from node.shell.daemon import Daemon


def run(
    origins: list[dict[str, Any]],
    data: Path | None,
    preset: str,
    room: str,
    interfaces: tuple[str, ...],
    port: int,
    page_port: int,
    peers: tuple[str, ...],
    mdns: bool,
    websocket_port: int | None,
    founders: Path | None,
    checkpoint: str | None,
    refused: tuple[str, ...],
    passphrase_fd: int | None,
    guests: bool,
    as_json: bool,
) -> int:
    """Run until told to stop. The page's address is all that goes to standard output. `origins`: of the settings."""
    no_core_dumps()
    os.umask(0o077)  # whatever the node leaves is this user's alone
    _to_the_console()
    config = Config(
        data_dir=data or default_data_dir(),
        preset=preset,
        room=room,
        interfaces=interfaces or None,
        port=port,
        api_port=page_port,
        static_peers=peers,
        mdns=mdns,
        websocket_port=websocket_port,
        founders=founders_in(founders) if founders else (),
        checkpoint=digest_of(checkpoint) if checkpoint else None,
        refused=tuple(player_of(word) for word in refused),
        guests=guests,
    )
    return _go_on(config, origins, passphrase_fd, as_json)


def _go_on(config: Config, origins: list[dict[str, Any]], passphrase_fd: int | None, as_json: bool) -> int:
    is_new = not keystore.exists(config.keys_path)
    identity = unlocked(config.keys_path, passphrase_fd)
    if not as_json:
        click.echo("starting ...", err=True)
    with no_collecting():  # what a program is made of is no garbage
        import trio

        from node.shell.daemon import Daemon

    def announce(daemon: Daemon, address: ApiAddress) -> None:
        settings.leave(config.data_dir / "run", origins)
        _say(daemon, address, is_new and identity is None, as_json)

    with logbook.kept(config.data_dir):
        trio.run(Daemon(config, identity).run, announce)
    return 0


def _to_the_console() -> None:
    """Warnings go to the terminal as well as to the log, but for what the command itself says at its end."""
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.addFilter(lambda record: not hasattr(record, ENDS))
    logging.basicConfig(level=logging.WARNING, handlers=[console], format="%(asctime)s %(name)s: %(message)s")


def _say(daemon: Daemon, address: ApiAddress, is_new: bool, as_json: bool) -> None:
    """`symjam.up/1`, or where to play."""
    links = daemon.backend.door.links()
    if as_json:
        ready = {"schema": "symjam.up/1", "page": address.page_url, "player": daemon.engine.player.hex()}
        more = {"addresses": list(daemon.mesh.addresses), "pid": address.pid, "guests": links}
        click.echo(json.dumps({**ready, **more}))
    else:
        click.echo("playing needs no more than this page:", err=True)
        click.echo(address.page_url)
        click.echo("peers on this network are found by themselves; Ctrl-C ends the node", err=True)
        if is_new:
            click.echo("a key was made for you, under no passphrase: `symjam wallet init` protects it", err=True)
        if daemon.engine.authoring.signs_from() is not None:
            click.echo("this key was restored: `symjam status` says when it signs in the ledger again", err=True)
        show_invitation(links)
        daemon.backend.door.renewed = lambda: show_invitation(daemon.backend.door.links())
    sys.stdout.flush()


def unlocked(keys: Path, passphrase_fd: int | None) -> Identity | None:
    """The key, where it is under a passphrase, or is to be made under one; None: the node finds or makes it itself."""
    if not keystore.exists(keys):
        if passphrase_fd is None:
            return None
        key = new_key()
        keystore.put(keys, key, new_passphrase(passphrase_fd))
        return key.identity()
    found = keystore.look(keys)
    return open_key(found, passphrase_fd)[0].identity() if found.is_locked else None


def show_invitation(links: Sequence[str]) -> None:
    """The guests' link as a code for a phone's camera, with the address beside it; nothing while none are let in."""
    if not links:
        return
    import segno

    click.echo("guests on this Wi-Fi scan this code with their phone, or open the address:", err=True)
    segno.make(links[0], error="l").terminal(out=sys.stderr, border=2, compact=True)
    for link in links:
        click.echo(link, err=True)
