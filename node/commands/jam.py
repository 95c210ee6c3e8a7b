"""`symjam jam`: a recorded or made-up performance, in real time, through the running node.

Events are stamped with the moment at which they sound and sent when that moment has come: what the log holds is the
performer's timing, not this program's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click
import trio

from consensus.events import Event, onsets
from consensus.quality.grid import Grid
from crdt.errors import OperatingFailure
from crdt.types import Micros
from jam.grid import choose_subdivision
from jam.midi import Performance, load, quantised
from jam.synthetic import make
from node.client import Client
from node.commands.common import as_json_line, client, short
from node.feed import PlayFeed, open_feed

LEAD_US: Final = 500_000  # time to get ready before the first bar
CHUNK_US: Final = 2_000  # events closer than this go out together
PROGRESS_EVERY_US: Final = 2_000_000
TIME_WAIT_S: Final = 8.0
TIME_LOOK_S: Final = 0.1
SYNTHETIC_TEMPO_MBPM: Final = 100_000

Doc = dict[str, Any]


def run(
    data: Path | None,
    midi: Path | None,
    synthetic_s: int | None,
    seconds: int | None,
    seed: int,
    quantise: bool,
    title: str | None,
    join: bool,
    as_json: bool,
) -> int:
    """Play, or tell where to play."""
    node = client(data)
    if midi is None and synthetic_s is None:
        page = node.address.page_url
        as_json_line({"schema": "symjam.page/1", "page": page}) if as_json else click.echo(page)
        return 0
    performance, grid = _performance(midi, synthetic_s or 0, seed, quantise)
    if seconds is not None:
        performance = first_seconds(performance, seconds)
    session = _joined(node) if join else None
    if session is None:
        session = node.open_session(_wish(performance, grid, title, synthetic=midi is None))
    if not as_json:
        click.echo(f"playing {performance.title!r} into jam {short(session['id'])}", err=True)
    try:
        result = trio.run(_play, node, performance, session, as_json)
    finally:
        if not join:
            _close(node)
    if as_json:
        as_json_line(result)
    else:
        click.echo(f"{result['saved']} of {result['events']} events saved", err=True)
    return 0 if result["saved"] == result["events"] else 1


def _joined(node: Client) -> Doc:
    """The jam that is on, once its time is known here."""
    deadline_s = time.monotonic() + TIME_WAIT_S
    while True:
        session: Doc | None = node.status()["session"]
        if session is None:
            raise OperatingFailure("cannot join a jam", "none is on", "Leave out --join to open one.")
        if session["clock"] is not None:
            return session
        if time.monotonic() > deadline_s:
            why = "nobody here can tell its time, for its creator is not linked"
            raise OperatingFailure("cannot join the jam", why, "Leave out --join to open another one.")
        time.sleep(TIME_LOOK_S)


def _performance(midi: Path | None, synthetic_s: int, seed: int, quantise: bool) -> tuple[Performance, Grid]:
    performance = load(midi) if midi else make(seed, synthetic_s * 1_000_000, SYNTHETIC_TEMPO_MBPM)
    grid = grid_of(performance)
    return (quantised(performance, grid) if quantise else performance), grid


def first_seconds(performance: Performance, seconds: int) -> Performance:
    """The beginning of a performance."""
    end_us = min(seconds * 1_000_000, performance.duration_us)
    return performance._replace(events=tuple(e for e in performance.events if e.t_us < end_us), duration_us=end_us)


def grid_of(performance: Performance) -> Grid:
    """The grid to declare: the file's tempo, and the subdivision that its player kept to."""
    played = tuple(Event(Micros(n.t_us), n.kind, n.lane, n.pitch, n.velocity) for n in performance.events)
    subdivision = choose_subdivision(onsets(played), performance.tempo_mbpm, performance.beats_per_bar)
    return Grid(performance.tempo_mbpm, performance.beats_per_bar, subdivision)


def _wish(performance: Performance, grid: Grid, title: str | None, synthetic: bool) -> Doc:
    return {
        "title": (title or performance.title)[:80],
        "tempo_mbpm": grid.tempo_mbpm,
        "beats_per_bar": grid.beats_per_bar,
        "subdivision": grid.subdivision,
        "tags": ["synthetic"] if synthetic else ["recording"],
    }


def _close(node: Client) -> None:
    try:
        node.close_session()
    except OperatingFailure as failure:
        click.echo(f"symjam: the jam was left open: {failure.why}", err=True)


async def _play(node: Client, performance: Performance, session: Doc, as_json: bool) -> Doc:
    async with trio.open_nursery() as nursery, open_feed(node.address, nursery) as feed:
        await _feed(feed, performance, session, as_json)
        await feed.drain()
        nursery.cancel_scope.cancel()
    refusals = [f"{refusal.what}: {refusal.why}" for refusal in feed.refusals[:3]]
    return {
        "schema": "symjam.jam/1",
        "session": session["id"],
        "title": performance.title,
        "events": len(performance.events),
        "saved": feed.saved_events,
        "refusals": refusals,
    }


def first_bar_us(session: Doc, now_us: int) -> int:
    """The node-clock moment of the next bar line that leaves time to get ready."""
    t0_at_us = session["t0_at_us"]
    bar = Grid(session["tempo_mbpm"], session["beats_per_bar"], session["subdivision"])
    elapsed = now_us + LEAD_US - t0_at_us
    steps = max(0, -(-bar.step(elapsed) // bar.steps_per_bar)) * bar.steps_per_bar
    while bar.step_at_us(steps) < elapsed:
        steps += bar.steps_per_bar
    return int(t0_at_us + bar.step_at_us(steps))


async def _feed(feed: PlayFeed, performance: Performance, session: Doc, as_json: bool) -> None:
    start_us = first_bar_us(session, feed.node_us())
    events = performance.events
    shown_us = 0
    at = 0
    while at < len(events):
        due_us = start_us + events[at].t_us
        await trio.sleep(max(0, due_us - feed.node_us()) / 1_000_000)
        upto = at
        while upto < len(events) and events[upto].t_us <= events[at].t_us + CHUNK_US:
            upto += 1
        chunk = [(start_us + e.t_us, e.kind, e.lane, e.pitch, e.velocity) for e in events[at:upto]]
        wait_us = chunk[-1][0] - feed.node_us()
        if wait_us > 0:
            await trio.sleep(wait_us / 1_000_000)
        await feed.play(chunk)
        at = upto
        if not as_json and events[at - 1].t_us - shown_us >= PROGRESS_EVERY_US:
            shown_us = events[at - 1].t_us
            click.echo(f"\r{shown_us / 1e6:5.0f} of {performance.duration_us / 1e6:.0f} s", nl=False, err=True)
    if not as_json:
        click.echo("", err=True)
