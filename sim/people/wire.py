"""Those who cheat at the wire: entries kept back, two entries at one number, and floods. Each is effects of an honest
engine that are dropped, replaced or added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from consensus.events import Event, decode_events, encode_events
from consensus.ops import ParamVote, decode_ops, encode_ops
from crdt.entry import Entry, LogKey, first_body, open_entry, sign
from crdt.types import (
    NO_NONCE,
    DocumentName,
    Micros,
    PlayerId,
    SessionId,
    Window,
    jam_document,
    jam_session,
    ledger_epoch,
)
from node.engine import frames
from node.engine.budget import TAG_ENTRIES, tag_of
from node.engine.effects import Effect, Hint, Send
from node.engine.frames import pack, unpack
from node.engine.inputs import Input, Tick
from sim.people.options import Equivocator, Flooder, Withholder
from sim.people.policy import Policy, Role, each_send

if TYPE_CHECKING:
    from sim.world import Host

GARBAGE_BYTES = 400
FORK = ParamVote("fork", 1)  # what the second of two entries says besides


def _entries(send: Send) -> frames.Entries | None:
    """The frame, if it is one of entries."""
    if tag_of(send.frame) != TAG_ENTRIES:
        return None
    frame = unpack(send.frame)
    return frame if isinstance(frame, frames.Entries) else None


class WithholderPolicy(Policy):
    """Nobody of the chosen gets an entry of its own while a window of theirs is withheld.

    It is asked for them all the same, as its summaries name them, and does not answer.
    """

    def __init__(self, role: Role, options: Withholder) -> None:
        super().__init__(role, options)
        self.kind, self.share, self.every = options.kind, options.share, options.every

    def holds(self, host: Host) -> bool:
        """Whether it keeps back now: from a withheld window's beginning until no vote on it can be in time."""
        params = host.engine.params
        late_us = params.window_us + params.vote_deadline_ms * 1_000 + params.window_us // 2
        begun = [
            window
            for window in range(self.role.first, params.window_at(host.now_us) + 1)
            if (window - self.role.first) % self.every == 0
            and host.now_us < params.window_start_us(Window(window)) + late_us
        ]
        return bool(begun)

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        """All but what is kept back."""
        return each_send(effects, lambda send: self._kept_back(host, send)) if self.holds(host) else effects

    def _kept_back(self, host: Host, send: Send) -> Send | None:
        frame = _entries(send)
        if frame is None or not self._is_chosen(send.player):
            return send
        if jam_session(frame.document) is None and self.kind == "log":
            return send
        network = host.engine.documents.network
        others = tuple(raw for raw in frame.entries if open_entry(network, raw).body.author != host.player)
        if len(others) == len(frame.entries):
            return send
        return Send(send.player, pack(msgspec.structs.replace(frame, entries=others))) if others else None

    def _is_chosen(self, player: PlayerId) -> bool:
        return self.share >= 1 or self.person.chance(f"keeps from {player.hex()}").random() < self.share


class EquivocatorPolicy(Policy):
    """The first entry of its own in a window gets a twin of the same number; half of its peers are sent the twin."""

    def __init__(self, role: Role, options: Equivocator) -> None:
        super().__init__(role, options)
        self.where, self.at = options.where, options.at
        self.twins: tuple[Entry, Entry] | None = None

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        """One half is sent the other entry."""
        is_time = host.engine.params.window_at(host.now_us) >= self.role.first + self.at
        return each_send(effects, lambda send: self._forked(host, send)) if is_time else effects

    def _forked(self, host: Host, send: Send) -> Send | None:
        frame = _entries(send)
        if frame is None or (ledger_epoch(frame.document) is not None) != (self.where == "ledger"):
            return send
        raws = tuple(self._twin(host, raw) for raw in frame.entries)
        if not self._is_of_the_other_half(host, send.player):
            return send
        return Send(send.player, pack(msgspec.structs.replace(frame, entries=raws)))

    def _twin(self, host: Host, raw: bytes) -> bytes:
        if self.twins is not None:
            return self.twins[1].raw if raw == self.twins[0].raw else raw
        network = host.engine.documents.network
        entry = open_entry(network, raw)
        if entry.body.author != host.player:
            return raw
        body = msgspec.structs.replace(entry.body, payload=self._other_payload(entry))
        self.twins = entry, sign(host.identity, network, body)
        return self.twins[1].raw

    def _other_payload(self, entry: Entry) -> bytes:
        if self.where == "ledger":
            return encode_ops((*decode_ops(entry.body.payload)[0], FORK))
        return encode_events(decode_events(entry.body.payload)[:-1] or (Event(Micros(0), 0, 0, 0, 1),))

    def _is_of_the_other_half(self, host: Host, player: PlayerId) -> bool:
        return sorted(host.engine.peers).index(player) % 2 == 1 if player in host.engine.peers else False


class FlooderPolicy(Policy):
    """With every tick its peers are sent more than anybody may."""

    def __init__(self, role: Role, options: Flooder) -> None:
        super().__init__(role, options)
        self.kind, self.per_tick, self.at = options.kind, options.per_tick, options.at
        self._ticks = 0
        self._is_at_rest = False

    def rest(self) -> None:
        """No flood lasts for ever; while new entries come, no two nodes hold the same."""
        super().rest()
        self._is_at_rest = True

    def act(self, host: Host, event: Input, effects: list[Effect]) -> list[Effect]:
        """The engine's own, and the flood."""
        is_time = host.engine.params.window_at(host.now_us) >= self.role.first + self.at
        if not (isinstance(event, Tick) and is_time) or self._is_at_rest:
            return effects
        self._ticks += 1
        return [*effects, *self._flood(host)]

    def _flood(self, host: Host) -> Iterator[Effect]:
        chance = self.person.chance(f"flood {self._ticks}")
        for number in range(self.per_tick):
            if self.kind == "hints":
                yield Hint(chance.randbytes(32))
                continue
            match self.kind:
                case "garbage":
                    frame = chance.randbytes(GARBAGE_BYTES)
                case "probes":
                    frame = pack(frames.Probe(Micros(host.now_us + number)))
                case "entries":
                    frame = self._entry(host, chance.randbytes(32))
            for player in host.engine.peers:
                yield Send(player, frame)

    def _entry(self, host: Host, session: bytes) -> bytes:
        """A well-signed note in a jam that nobody ever opened."""
        document: DocumentName = jam_document(SessionId(session))
        network = host.engine.documents.network
        payload = encode_events((Event(Micros(0), 0, 0, 0, 1),))
        body = first_body(network, document, LogKey(host.player, NO_NONCE), payload)
        return pack(frames.Entries(document, (sign(host.identity, network, body).raw,), 0))
