"""`symjam up`: the daemon in the foreground."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import click

from node.founders import digest_of, founders_in, player_of
from node.runtime import ApiAddress
from node.shell.config import Config, default_data_dir


def run(
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
    as_json: bool,
) -> int:
    """Run until told to stop. The page's address is all that goes to standard output."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    if not as_json:
        click.echo("starting ...", err=True)
    import trio

    from node.shell.daemon import Daemon

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
    )

    def announce(daemon: Daemon, address: ApiAddress) -> None:
        if as_json:
            ready = {"schema": "symjam.up/1", "page": address.page_url, "player": daemon.engine.player.hex()}
            click.echo(json.dumps({**ready, "addresses": list(daemon.mesh.addresses), "pid": address.pid}))
        else:
            click.echo("playing needs no more than this page:", err=True)
            click.echo(address.page_url)
            click.echo("peers on this network are found by themselves; Ctrl-C ends the node", err=True)
        sys.stdout.flush()

    trio.run(Daemon(config).run, announce)
    return 0
