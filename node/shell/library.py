"""The node's documents for Yjs clients: followed live, and added to through the engine's gate (crdt/gate.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crdt.entry import LogKey
from crdt.errors import Violation
from crdt.follower import Follower
from crdt.gate import elements_of
from crdt.limits import API_ANSWER_MAX_BYTES
from crdt.types import NO_NONCE, DocumentName
from crdt.view import View
from crdt.yupdate import Item, encode_appends
from node.api.bell import Bell
from node.engine.effects import Declined
from node.engine.inputs import ElementGiven, PeerViolated
from node.shell.node import Node

_VIEWS_MAX = 8


class Shelf:
    """node.api.backend.Library around a running engine."""

    def __init__(self, node: Node) -> None:
        self.grown = Bell()
        self._node = node
        self._views: dict[DocumentName, View] = {}
        node.hands.on_saved = self.grown.ring

    def update(self, name: DocumentName) -> bytes | None:
        """A document as one Yjs update; None when it is not held. Its view is kept from one call to the next.

        While an entry of this node's own is being synced, what is before it is told without the view.
        """
        engine = self._node.engine
        replica = engine.documents.replicas.get(name)
        if replica is None:
            return None
        if any(engine.seats.may_leave(name, LogKey(seat.player, NO_NONCE)) is not None for seat in engine.seats):
            return self.follow(name, {}).next_update(API_ANSWER_MAX_BYTES) or encode_appends(())
        view = self._views.pop(name, None) or View(replica)
        self._views[name] = view
        while len(self._views) > _VIEWS_MAX:
            self._views.pop(next(iter(self._views)))
        return view.update()

    def clocks(self, name: DocumentName) -> Mapping[int, int]:
        """What the node holds of a document: clocks by Yjs client id."""
        return self.follow(name, {}).clocks()

    def follow(self, name: DocumentName, clocks: Mapping[int, int]) -> Follower:
        """What brings a client that holds `clocks` up to a document, held or not. What is not saved is not shown."""
        engine = self._node.engine
        return Follower(lambda: engine.documents.peek(name), clocks, lambda key: engine.seats.may_leave(name, key))

    def elements(self, update: bytes) -> Iterator[Item]:
        """An update's elements. Violation, counted, for what no log can contain."""
        try:
            return elements_of(update)
        except Violation as violation:
            self.blame(violation)
            raise

    def give(self, name: DocumentName, element: Item) -> None:
        """Take an element in, if it is an entry where its author signed it. Else Violation, counted."""
        node = self._node
        effects = node.engine.handle(node.clock.now_us(), ElementGiven(name, element))
        node.hands.execute(effects)
        for effect in effects:
            if isinstance(effect, Declined):
                raise Violation(effect.reason, effect.detail)

    def blame(self, violation: Violation) -> None:
        """Count what a client did."""
        self._node.give(PeerViolated(None, violation.reason, violation.detail))
