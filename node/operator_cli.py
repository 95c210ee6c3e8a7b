"""What whoever runs a node asks and does, apart from playing and the wallet. Only parsing, as in node/cli.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from node import options
from node.failures import guarded


@click.command()
@options.node_settings
@options.as_json
@guarded
def doctor(data: Path | None, as_json: bool, **given: Any) -> int:
    """What is wrong, why it matters, and what to do next: clock, network, firewall, disk, key, store, peers.

    Works with a running node and without one; settings are those that `symjam up` would be given. Exit code 1 when
    something does not work, 0 also for warnings.
    """
    from node.commands.doctor import run
    from node.doctor.examine import Settings

    settings = Settings(given["interfaces"] or None, given["port"], not given["no_mdns"])
    return run(data=data, settings=settings, as_json=as_json)


@click.command()
@options.data
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("--since", metavar="TIME", help="10m, 2h or 3d ago, or a date and time.")
@click.option(
    "--level",
    type=click.Choice(["debug", "info", "warning", "error", "critical"]),
    default="info",
    show_default=True,
    help="And what is worse.",
)
@click.option("--limit", type=click.IntRange(0), default=200, show_default=True, help="The latest so many; 0: all.")
@options.as_json
@guarded
def logs(data: Path | None, follow: bool, since: str | None, level: str, limit: int, as_json: bool) -> int:
    """What the node wrote down: links, troubles, failures. Needs no running node."""
    from node.commands.logs import run

    return run(data=data, follow=follow, since=since, level=level, limit=limit, as_json=as_json)


@click.group()
def config() -> None:
    """The settings of a node, and where each comes from."""


@config.command("show")
@options.node_settings
@click.option("--origin", is_flag=True, help="Say where each comes from: default, file, environment, command line.")
@options.as_json
@guarded
def config_show(data: Path | None, origin: bool, as_json: bool, **_: Any) -> int:
    """With which settings the node runs that runs here, or else would: defaults, then config.toml in the data
    directory, then SYMJAM_ variables, then the command line."""
    from node import settings
    from node.commands.config import show

    return show(data, settings.origins(click.get_current_context()), origin, as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.node_settings
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@options.as_json
@guarded
def bugreport(data: Path | None, file: Path, yes: bool, as_json: bool, **given: Any) -> int:
    """Write FILE, a tar.gz for whoever looks into a fault: versions, settings, status, doctor, log, metrics.

    No keys, no balances, nothing that was played or said; players and addresses as pseudonyms, secrets and names taken
    out. What is in it is listed first.
    """
    from node import settings
    from node.commands.bugreport import run
    from node.doctor.examine import Settings

    checked = Settings(given["interfaces"] or None, given["port"], not given["no_mdns"])
    origins = settings.origins(click.get_current_context())
    return run(data=data, file=file, origins=origins, checked=checked, yes=yes, as_json=as_json)


@click.group()
def service() -> None:
    """A systemd unit of the user's own, for a node that runs from boot on."""


def _of_a_service(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        options.as_json,
        click.option(
            "--credential",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Holds the passphrase of the key, in its first line (mode 600).",
        ),
        options.data,
        _unit_name,
    ):
        command = option(command)
    return command


def _named(_: click.Context, __: click.Parameter, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise click.BadParameter("letters, digits, - and _ only")
    return name


_unit_name = click.option(
    "--name", default="symjam", show_default=True, callback=_named, help="Of the unit; a node each."
)


@service.command("show")
@_of_a_service
@guarded
def service_show(data: Path | None, name: str, credential: Path | None, as_json: bool) -> int:
    """Print the unit."""
    from node.commands.service import show

    return show(data, name, credential, as_json)


@service.command("install")
@_of_a_service
@guarded
def service_install(data: Path | None, name: str, credential: Path | None, as_json: bool) -> int:
    """Write the unit, and say how to start it."""
    from node.commands.service import install

    return install(data, name, credential, as_json)


@service.command("uninstall")
@options.data
@_unit_name
@options.as_json
@guarded
def service_uninstall(data: Path | None, name: str, as_json: bool) -> int:
    """Remove the unit, and say how to end it. The data directory stays."""
    from node.commands.service import uninstall

    return uninstall(name, as_json)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@options.as_json
@click.pass_context
@guarded
def completion(context: click.Context, shell: str, as_json: bool) -> int:
    """A script with which a shell completes what is typed: eval "$(symjam completion bash)"."""
    from node.commands.completion import run

    return run(context.find_root().command, shell, as_json)


COMMANDS: Final = (doctor, logs, config, bugreport, service, completion)
