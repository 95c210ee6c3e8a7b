"""`symjam jam --chart FILE`: a MIDI file becomes the chart of the jam that is on, for all who play in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crdt.errors import OperatingFailure
from crdt.limits import CHART_FILE_MAX_BYTES
from node.commands.common import as_json_line, client


def share(data: Path | None, file: Path, wish: dict[str, Any], as_json: bool) -> int:
    """Share it, and say what its parts are. OperatingFailure for what is no piece."""
    what = f"cannot make a chart of {file.name}"
    try:
        with file.open("rb") as stream:
            raw = stream.read(CHART_FILE_MAX_BYTES + 1)
    except OSError as error:
        raise OperatingFailure(what, error.strerror or "it cannot be read", "Give the path of a MIDI file") from None
    if len(raw) > CHART_FILE_MAX_BYTES:
        raise OperatingFailure(what, f"larger than {CHART_FILE_MAX_BYTES} bytes", "Give a shorter piece")
    shared = client(data).share_chart(raw, {**wish, "title": (wish["title"] or file.stem)[:80]})
    if as_json:
        as_json_line(shared)
        return 0
    chart = shared["chart"]
    click.echo(f"{chart['title']}: {chart['bars']} bars on {chart['lanes']} lanes", err=True)
    for part in chart["parts"]:
        click.echo(f"{part['part']}\t{len(part['notes'])} notes")
    return 0
