"""Who was there, and so who may verify (SPEC 6).

A pulse says "I am here in this window". For a window of epoch e those who pulsed in epoch e-2 may verify: a set that
was settled before anyone knew the window's blocks. When nobody but the proposer pulsed then (a new network, or a
player that was alone), those who pulsed in the window itself may. The proposer never may.

The key that a player draws with is the one in its first pulse of that epoch (or window), in the order of its own
signed log, so it cannot be swapped for a luckier one after the fact. Weights are those of the end of epoch e-2, in
both cases; who answers for them is given as `weigh`. Whoever weighs nothing is left out.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from consensus.chains import Source
from consensus.ops import Pulse
from consensus.params import ONE_Q16, Params
from consensus.vrf import is_valid_key
from crdt.canonical import digest, encode
from crdt.limits import ELECTORATES_KNOWN_MAX
from crdt.types import Digest, EntryId, Epoch, PlayerId, Window

Weigh = Callable[[PlayerId, Epoch], int]  # of a player at the end of an epoch


class Elector(NamedTuple):
    """A player that may verify: its weight, and the VRF key that it draws with."""

    weight: int
    vrf_key: bytes


class Electorate:
    """Those who may verify one proposer's block. A view: costs nothing to make."""

    def __init__(self, members: Mapping[PlayerId, Elector], total: int, proposer: PlayerId) -> None:
        self._members, self.proposer = members, proposer
        self.count = len(members) - (proposer in members)
        self.weight = total - (members[proposer].weight if proposer in members else 0)

    def get(self, player: PlayerId) -> Elector | None:
        """The elector, or None for anyone who may not verify."""
        return None if player == self.proposer else self._members.get(player)

    def __contains__(self, player: PlayerId) -> bool:
        return self.get(player) is not None

    def __iter__(self) -> Iterator[PlayerId]:
        return (player for player in sorted(self._members) if player != self.proposer)

    def __len__(self) -> int:
        return self.count


class _Members:
    """Electors, players sorted, with their sum of weights, and their hash once it is asked for."""

    def __init__(self, electors: Mapping[PlayerId, Elector]) -> None:
        self.electors = electors
        self.total = sum(elector.weight for elector in electors.values())

    @functools.cached_property
    def digest(self) -> Digest:
        """Of ten thousand it costs some milliseconds, and it is asked for with every pulse that comes."""
        members = [(player, *elector) for player, elector in self.electors.items()]
        return Digest(digest(b"symjam-snapshot", encode(members)))


class Presence:
    """Pulses by epoch and by window, each with the operations that say them."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self.weigh: Weigh = lambda _player, _epoch: ONE_Q16
        self.changed: set[Window] = set()  # windows whose pulses changed
        self._pulses: dict[Epoch, dict[PlayerId, dict[Source, Pulse]]] = {}
        self._known: OrderedDict[tuple[Epoch, Window | None], _Members] = OrderedDict()
        self._firsts: OrderedDict[Window, dict[PlayerId, tuple[EntryId, Pulse]]] = OrderedDict()

    def is_usable(self, pulse: Pulse) -> bool:
        """Whether a pulse carries a key that can be drawn with; without one its player could never vote."""
        return is_valid_key(pulse.vrf_key)

    def say(self, source: Source, pulse: Pulse) -> None:
        """Record a pulse."""
        epoch = self._params.epoch_of(pulse.window)
        self._pulses.setdefault(epoch, {}).setdefault(source.author, {})[source] = pulse
        self._forget(epoch, pulse.window)

    def unsay(self, source: Source, pulse: Pulse) -> None:
        """Take a pulse back."""
        epoch = self._params.epoch_of(pulse.window)
        players = self._pulses.get(epoch, {})
        said = players.get(source.author, {})
        said.pop(source, None)
        if not said:
            players.pop(source.author, None)
        self._forget(epoch, pulse.window)

    def _forget(self, epoch: Epoch, window: Window) -> None:
        self.changed.add(window)
        self._firsts.pop(window, None)
        self._known.pop((epoch, None), None)
        self._known.pop((epoch, window), None)

    def pulses(self, window: Window) -> Mapping[PlayerId, tuple[EntryId, Pulse]]:
        """Each present player's first pulse in a window, players sorted."""
        if window not in self._firsts:
            first = self._first(self._params.epoch_of(window), window)
            self._firsts[window] = {player: (source.entry, pulse) for player, (source, pulse) in first.items()}
            if len(self._firsts) > ELECTORATES_KNOWN_MAX:
                self._firsts.popitem(last=False)
        return self._firsts[window]

    def _first(self, epoch: Epoch, window: Window | None) -> dict[PlayerId, tuple[Source, Pulse]]:
        found: dict[PlayerId, tuple[Source, Pulse]] = {}
        players = self._pulses.get(epoch, {})
        for player in sorted(players):
            sources = [s for s, pulse in players[player].items() if window is None or pulse.window == window]
            if sources:
                found[player] = (min(sources), players[player][min(sources)])
        return found

    def reweigh(self, since: Epoch, until: Epoch | None) -> None:
        """Weights at the end of epochs from `since` on and before `until` may be others now."""
        for epoch, window in list(self._known):
            rests_on = epoch if window is None else epoch - 2
            if rests_on >= since and (until is None or rests_on < until):
                del self._known[epoch, window]

    def present(self, epoch: Epoch) -> Collection[PlayerId]:
        """Everybody with a pulse in an epoch."""
        return self._pulses.get(epoch, {}).keys()

    def _members(self, epoch: Epoch, window: Window | None) -> _Members:
        key = (epoch, window)
        if key not in self._known:
            weighed_at = epoch if window is None else Epoch(epoch - 2)
            electors = {}
            for player, (_, pulse) in self._first(epoch, window).items():
                weight = self.weigh(player, weighed_at)
                if weight:
                    electors[player] = Elector(weight, pulse.vrf_key)
            self._known[key] = _Members(electors)
            if len(self._known) > ELECTORATES_KNOWN_MAX:
                self._known.popitem(last=False)
        return self._known[key]

    def keys(self, epoch: Epoch) -> dict[PlayerId, bytes]:
        """The key that each player present in an epoch draws with, players sorted."""
        return {player: pulse.vrf_key for player, (_, pulse) in self._first(epoch, None).items()}

    def snapshot(self, epoch: Epoch) -> Mapping[PlayerId, Elector]:
        """Those present in an epoch with their weights at its end, players sorted."""
        return self._members(epoch, None).electors

    def snapshot_digest(self, epoch: Epoch) -> Digest:
        """Hash of a snapshot: what rests on it is to be worked out again when this changes."""
        return self._members(epoch, None).digest

    def is_settled_for(self, window: Window, proposer: PlayerId) -> bool:
        """Whether somebody else was there two epochs before a window, so that those verify who were."""
        members = self.snapshot(Epoch(self._params.epoch_of(window) - 2))
        return len(members) > (proposer in members)

    def electorate(self, window: Window, proposer: PlayerId) -> Electorate:
        """Who may verify this proposer's block of this window."""
        epoch = self._params.epoch_of(window)
        members = self._members(Epoch(epoch - 2), None) if self.is_settled_for(window, proposer) else None
        members = members or self._members(epoch, window)
        return Electorate(members.electors, members.total, proposer)
