"""What was played in a session, read back from the entries that all hold: a recording nobody had to start."""

from __future__ import annotations

from consensus.events import Event, Kind, decode_events
from crdt.limits import RECORDING_EVENTS_MAX
from crdt.types import PlayerId, SessionId, jam_session
from jam.midi import Note
from node.engine.documents import Documents


def recorded(documents: Documents, session: SessionId) -> dict[PlayerId, tuple[Event, ...]]:
    """Each player's events by session time, of all parts of the session that are held, oldest parts first; no more
    than RECORDING_EVENTS_MAX of them."""
    named = sorted((jam[1], name) for name in documents.replicas if (jam := jam_session(name)) and jam[0] == session)
    found: dict[PlayerId, list[Event]] = {}
    room = RECORDING_EVENTS_MAX
    for _, name in named:
        logs = documents.replicas[name].logs
        for key in sorted(logs):
            for entry in logs[key].entries:
                events = decode_events(entry.body.payload)[:room]
                room -= len(events)
                found.setdefault(key.author, []).extend(events)
    return {player: tuple(sorted(events, key=lambda e: (e.t_us, e.kind))) for player, events in found.items() if events}


def notes_of(events: tuple[Event, ...]) -> tuple[Note, ...]:
    """The notes among them, every one ended: what a MIDI file holds."""
    notes: list[Note] = []
    sounding: dict[tuple[int, int], None] = {}
    for event in events:
        key = (event.lane, event.pitch)
        if event.kind == Kind.NOTE_ON and event.velocity > 0:
            if key in sounding:
                notes.append(Note(event.t_us, Kind.NOTE_OFF, event.lane, event.pitch, 0))
            sounding[key] = None
            notes.append(Note(event.t_us, Kind.NOTE_ON, event.lane, event.pitch, event.velocity))
        elif event.kind in (Kind.NOTE_ON, Kind.NOTE_OFF) and key in sounding:
            del sounding[key]
            notes.append(Note(event.t_us, Kind.NOTE_OFF, event.lane, event.pitch, 0))
    last_us = max((event.t_us for event in events), default=0)
    notes.extend(Note(last_us, Kind.NOTE_OFF, lane, pitch, 0) for lane, pitch in sounding)
    return tuple(notes)
