"""What whoever runs a node asks and does, apart from playing and the wallet. Only parsing, as in node/cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from node import options
from node.failures import guarded


@click.command()
@options.data
@click.option(
    "--interface", "interfaces", multiple=True, metavar="ADDRESS", help="As the node is given it (repeatable)."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port that the node is to take.")
@click.option("--no-mdns", is_flag=True, help="The node does not look for peers by multicast.")
@options.as_json
@guarded
def doctor(data: Path | None, interfaces: tuple[str, ...], port: int, no_mdns: bool, as_json: bool) -> int:
    """What is wrong, why it matters, and what to do next: clock, network, firewall, disk, key, store, peers.

    Works with a running node and without one. Exit code 1 when something does not work, 0 also for warnings.
    """
    from node.commands.doctor import run
    from node.doctor.examine import Settings

    return run(data=data, settings=Settings(interfaces or None, port, not no_mdns), as_json=as_json)


COMMANDS: Final = (doctor,)
