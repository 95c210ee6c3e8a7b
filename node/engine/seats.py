"""Who plays at this node: its owner, and guests whose keys it holds (docs/guests.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crdt.entry import LogKey
from crdt.errors import Misuse
from crdt.keys import Identity
from crdt.limits import GUESTS_MAX
from crdt.types import DocumentName, Epoch, Nonce, PlayerId, Seq, Window
from node.engine.authoring import Authoring
from node.engine.bench import Bench
from node.engine.conduct import Conduct
from node.engine.documents import Documents
from node.engine.duties import Duties
from node.engine.effects import Signed
from node.engine.frames import Guests
from node.engine.seat import Seat


class Seats:
    """The owner's seat, which is always there, and the guests'."""

    def __init__(
        self,
        identity: Identity,
        documents: Documents,
        bench: Bench,
        nonce: Nonce,
        signed: Signed | None,
        conduct: Conduct,
    ) -> None:
        self._documents, self._bench, self._nonce = documents, bench, nonce
        self._refused = conduct.refused
        self._away: tuple[Epoch, Callable[[], bool]] | None = None
        self.own = self._seat(identity, signed, conduct)
        self.guests: dict[PlayerId, Seat] = {}

    def _seat(self, identity: Identity, signed: Signed | None, conduct: Conduct) -> Seat:
        authoring = Authoring(identity, self._documents, self._nonce, signed)
        return Seat(authoring, Duties(self._documents.params, identity, self._documents, self._bench, conduct))

    def take_up(self, until: Epoch, signed: Signed | None, has_met: Callable[[], bool]) -> None:
        """Up to that epoch the keys that are here may have signed on another machine: the owner's, and guests'."""
        self._away = until, has_met
        self._take_up(self.own, signed)

    def _take_up(self, seat: Seat, signed: Signed | None) -> None:
        if self._away is not None:
            until, has_met = self._away
            seat.authoring.take_up(until, signed, has_met)
            seat.duties.since = Window((until + 1) * self._documents.params.epoch_windows)

    def __iter__(self) -> Iterator[Seat]:
        yield self.own
        yield from self.guests.values()

    def of(self, player: PlayerId | None) -> Seat:
        """A guest's seat, the owner's for None. Misuse when that guest has none."""
        if player is None or player == self.own.player:
            return self.own
        seat = self.guests.get(player)
        if seat is None or seat.has_left:
            raise Misuse("this guest has no seat at this node")
        return seat

    def confirmed(self, signed: Signed) -> None:
        """Everything that an author signed up to this entry is synced."""
        seat = self.own if signed.author == self.own.player else self.guests.get(signed.author)
        if seat is not None:
            seat.authoring.confirmed(signed)

    def admit(self, identity: Identity, signed: Signed | None) -> None:
        """Give a guest a seat, or the one it had. `signed`: the record of what its key signed last.

        Misuse when all seats are taken, or for the owner's own key.
        """
        if identity.player == self.own.player:
            raise Misuse("the owner of a node is no guest of it")
        seat = self.guests.get(identity.player)
        if seat is None:
            if len(self.guests) >= GUESTS_MAX and not self._make_room():
                raise Misuse(f"all {GUESTS_MAX} seats for guests are taken")
            seat = self.guests[identity.player] = self._seat(identity, signed, Conduct(self._refused))
            self._take_up(seat, signed)
        seat.is_here, seat.ends_us = True, None

    def _make_room(self) -> bool:
        left = [seat for seat in self.guests.values() if seat.has_left and seat.authoring.is_synced]
        if left:
            del self.guests[min(left, key=lambda seat: seat.ends_us or 0).player]
        return bool(left)

    def dismiss(self, player: PlayerId, ends_us: int) -> None:
        """A guest leaves: it plays no more, and from then on signs no more. What it played is proposed until then."""
        if player in self.guests:
            seat = self.guests[player]
            seat.is_here, seat.ends_us = False, ends_us

    def clear(self, now_us: int) -> None:
        """Free the seats that have ended and have nothing left to sync."""
        for player, seat in list(self.guests.items()):
            if seat.has_ended(now_us) and seat.authoring.is_synced:
                del self.guests[player]

    def here(self) -> Guests:
        """The guests who are here, as peers are told."""
        return Guests(tuple(sorted(player for player, seat in self.guests.items() if seat.is_here)))

    def may_leave(self, document: DocumentName, log: LogKey) -> Seq | None:
        """How many entries of a log anyone may have; None for no limit (Authoring.may_leave)."""
        seat = self.guests.get(log.author, self.own)
        return seat.authoring.may_leave(document, log)
