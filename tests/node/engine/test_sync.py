"""Catching up: resumable however often the link is cut, nothing asked for twice, and one can tell how far it is."""

from __future__ import annotations

from random import Random

import pytest

from consensus.events import Event, encode_events
from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.limits import PEER_DOCUMENTS_SHOWN_MAX
from crdt.store.keys import entry_item
from crdt.types import NO_NONCE, DocumentName, Micros, PlayerId, SessionId, jam_document
from node.engine import frames
from node.engine.frames import unpack
from node.engine.peers import Peer
from node.shell import views
from sim.world import Host, World
from tests.sim.room import SECOND, identity, room, settle, totals

JAM = jam_document(SessionId(b"\x07" * 32))
NETWORK = network_id(SMALL)
MANY = 20_000
_NOTE = encode_events((Event(Micros(1), 0, 1, 60, 90),))
AUTHOR = identity(8)
LOG = LogKey(AUTHOR.player, NO_NONCE)


def _more(count: int, after: Entry | None = None) -> list[Entry]:
    out: list[Entry] = []
    for number in range(count):
        payload = encode_events((Event(Micros(number), 0, 1, 60, 90),))
        body = next_body(after, payload) if after else first_body(NETWORK, JAM, LOG, payload)
        after = sign(AUTHOR, NETWORK, body)
        out.append(after)
    return out


class Watched(World):
    """A world that looks at every question of one host: it must never be for what that host holds."""

    asker: Host
    asked = 0
    served = 0

    def send(self, sender: bytes, receiver: bytes, frame: bytes) -> None:
        said = unpack(frame)
        if isinstance(said, frames.Ask) and sender == self.asker.player and said.document == JAM:
            assert said.start >= _held(self.asker), "asked for what was received"
            self.asked += 1
        if isinstance(said, frames.Entries) and receiver == self.asker.player and said.document == JAM:
            self.served += len(said.entries)
        super().send(sender, receiver, frame)  # type: ignore[arg-type]


def _held(host: Host) -> int:
    replica = host.engine.documents.replicas.get(JAM)
    return len(replica.logs[LOG]) if replica and LOG in replica.logs else 0


def _pair(monkeypatch: pytest.MonkeyPatch, entries: list[Entry]) -> tuple[Watched, Host, Host]:
    monkeypatch.setattr("tests.sim.room.World", Watched)
    world, (giver, asker) = room(2, linked=False)
    assert isinstance(world, Watched)
    world.asker = asker
    giver.store.write([entry_item(entry) for entry in entries], sync=False)
    giver.kill()
    giver.start()
    return world, giver, asker


def test_what_was_received_is_never_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, giver, asker = _pair(monkeypatch, _more(MANY))
    chance = Random(5)
    cuts = 0
    while _held(asker) < MANY:
        before = _held(asker)
        world.link(giver.player, asker.player)
        world.run_until(world.now_us + chance.randrange(10_000, 250_000))
        assert _held(asker) >= before
        if _held(asker) < MANY:
            world.unlink(giver.player, asker.player)
            cuts += 1
            if cuts % 20 == 0:  # what was saved counts after a restart as well
                asker.kill()
                asker.start()
                assert _held(asker) >= before
            world.run_until(world.now_us + 50_000)
        assert cuts < 300
    assert cuts >= 10
    assert world.served - MANY <= cuts * 4 * 64  # what was under way at a cut
    world.link(giver.player, asker.player)
    settle(world)
    assert len(totals([giver, asker])) == 1


def test_a_log_that_grows_meanwhile_is_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = _more(3_000)
    world, giver, asker = _pair(monkeypatch, entries)
    world.link(giver.player, asker.player)
    last = entries[-1]
    for _ in range(60):
        world.run_until(world.now_us + SECOND // 20)
        (last,) = _more(1, last)
        giver.engine.documents.author(last)  # grown, and not told
        for peer in giver.engine.peers.values():
            giver.engine.sync.hurry(peer, world.now_us)
    settle(world)
    assert _held(asker) == 3_060
    assert world.served <= 3_060 + 64


def test_one_can_tell_how_far_apart_two_nodes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    world, giver, asker = _pair(monkeypatch, _more(2_000))
    world.link(giver.player, asker.player)
    seen = []
    for _ in range(400):
        world.run_until(world.now_us + 10_000)
        there, here = (views.peer(next(iter(h.engine.peers.values())), (), world.now_us) for h in (giver, asker))
        if here["behind_entries"]:
            seen.append(here["behind_entries"])
            assert not here["synced"] and here["synced_us"] is None
            assert here["behind"][0] == {"document": JAM, "entries": 2_000 - _held(asker)}
            assert there["ahead_entries"] >= here["behind_entries"]
        if here["synced"]:
            break
    assert seen == sorted(seen, reverse=True) and len(set(seen)) > 3
    settle(world)
    for host in (giver, asker):
        shown = views.peer(next(iter(host.engine.peers.values())), (), world.now_us)
        assert shown["synced"] and world.now_us - shown["synced_us"] < 5 * SECOND
        assert (shown["behind_entries"], shown["ahead_entries"], shown["behind"], shown["ahead"]) == (0, 0, [], [])


def test_only_the_documents_with_most_are_named() -> None:
    peer = Peer(AUTHOR.player, 0)
    for number in range(40):
        peer.compared(DocumentName(f"ledger/{number}"), number, 0)
    shown = views.peer(peer, (), 1)["behind"]
    assert len(shown) == PEER_DOCUMENTS_SHOWN_MAX
    assert shown[0] == {"document": "ledger/39", "entries": 39}
    assert views.peer(peer, (), 1)["behind_entries"] == sum(range(40))
    peer.synced(9)
    assert (views.peer(peer, (), 10)["synced_us"], peer.behind) == (9, {})


def test_of_a_document_of_many_only_the_logs_of_those_who_differ_are_named() -> None:
    world, (giver, asker) = room(2, linked=False)
    crowd = [identity(number) for number in range(50, 150)]
    firsts = [sign(who, NETWORK, first_body(NETWORK, JAM, LogKey(who.player, NO_NONCE), _NOTE)) for who in crowd]
    for host in (giver, asker):
        for entry in firsts:
            host.engine.documents.author(entry)
    giver.engine.documents.author(sign(crowd[0], NETWORK, next_body(firsts[0], _NOTE)))
    said: list[frames.Heads] = []
    carry = world.network.send

    def listen(sender: PlayerId, receiver: PlayerId, frame: bytes) -> None:
        if isinstance(heads := unpack(frame), frames.Heads) and heads.document == JAM:
            said.append(heads)
        carry(sender, receiver, frame)

    world.network.send = listen  # type: ignore[method-assign]
    world.link(giver.player, asker.player)
    settle(world)
    assert len(totals([giver, asker])) == 1
    assert said and all(any(h.author == crowd[0].player for h in heads.heads) for heads in said)
    assert max(len(heads.heads) for heads in said) < 20
