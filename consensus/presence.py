"""Who was there, and so who may verify (SPEC 6).

A pulse says "I am here in this window". For a window of epoch e those who pulsed in epoch e-2 may verify: a set that
was settled before anyone knew the window's blocks. When nobody but the proposer pulsed then (a new network, or a
player that was alone), those who pulsed in the window itself may. The proposer never may.

The key that a player draws with is the one in its first pulse of that epoch (or window), in the order of its own
signed log, so it cannot be swapped for a luckier one after the fact. Weights are all one until stake and
personhood bring others; the arithmetic takes any.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from consensus.chains import Source
from consensus.ops import Pulse
from consensus.params import Params
from consensus.vrf import is_valid_key
from crdt.limits import ELECTORATES_KNOWN_MAX
from crdt.types import EntryId, Epoch, PlayerId, Window

EQUAL_WEIGHT: Final = 1


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


class _Members(NamedTuple):
    electors: Mapping[PlayerId, Elector]
    total: int


class Presence:
    """Pulses by epoch and by window, each with the operations that say them."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._pulses: dict[Epoch, dict[PlayerId, dict[Source, Pulse]]] = {}
        self._known: OrderedDict[tuple[Epoch, Window | None], _Members] = OrderedDict()

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
        self._known.pop((epoch, None), None)
        self._known.pop((epoch, window), None)

    def pulses(self, window: Window) -> dict[PlayerId, tuple[EntryId, Pulse]]:
        """Each present player's first pulse in a window, players sorted."""
        first = self._first(self._params.epoch_of(window), window)
        return {player: (source.entry, pulse) for player, (source, pulse) in first.items()}

    def _first(self, epoch: Epoch, window: Window | None) -> dict[PlayerId, tuple[Source, Pulse]]:
        found: dict[PlayerId, tuple[Source, Pulse]] = {}
        players = self._pulses.get(epoch, {})
        for player in sorted(players):
            sources = [s for s, pulse in players[player].items() if window is None or pulse.window == window]
            if sources:
                found[player] = (min(sources), players[player][min(sources)])
        return found

    def _members(self, epoch: Epoch, window: Window | None) -> _Members:
        key = (epoch, window)
        if key not in self._known:
            first = self._first(epoch, window)
            electors = {player: Elector(EQUAL_WEIGHT, pulse.vrf_key) for player, (_, pulse) in first.items()}
            self._known[key] = _Members(electors, sum(elector.weight for elector in electors.values()))
            if len(self._known) > ELECTORATES_KNOWN_MAX:
                self._known.popitem(last=False)
        return self._known[key]

    def electorate(self, window: Window, proposer: PlayerId) -> Electorate:
        """Who may verify this proposer's block of this window."""
        epoch = self._params.epoch_of(window)
        settled = Electorate(*self._members(Epoch(epoch - 2), None), proposer)
        return settled if settled.count else Electorate(*self._members(epoch, window), proposer)
