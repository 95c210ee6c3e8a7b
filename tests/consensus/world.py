"""Several players who sign real entries, for tests of the rules: seeds are numbers, so every run is the same."""

from __future__ import annotations

from collections.abc import Iterable

from consensus import vrf
from consensus.events import Event, Kind, encode_events
from consensus.ledger import Ledger
from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    Measures,
    Pulse,
    SessionOpen,
    Vote,
    Why,
    block_id,
    encode_ops,
    session_id,
)
from consensus.params import SMALL, Params, network_id
from consensus.parts import part_of
from consensus.selection import draw, input_of
from consensus.tally import Ignored
from consensus.verdict import Standing
from crdt.canonical import digest
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.keys import Identity
from crdt.types import (
    NO_ENTRY,
    NO_NONCE,
    BlockId,
    Digest,
    DocumentName,
    EntryId,
    Epoch,
    Micros,
    NetworkId,
    PlayerId,
    Seq,
    SessionId,
    Window,
    jam_document,
    ledger_document,
)

FIRST = Window(300)  # of epoch 100 in the small preset: far from zero, so that every look back has room
PERFECT = Measures(65_536, 65_536, 65_536, 65_536, 65_536, 65_536, 65_536)


def quality(total: int) -> Measures:
    """Measures with this total; the rules of the fold look at nothing else."""
    return Measures(total, total, total, total, total, total, total)


def pseudo_random(seed: int) -> Iterable[int]:
    """Endless 32-bit numbers from a seed."""
    counter = 0
    while True:
        yield int.from_bytes(digest(b"test", seed.to_bytes(8, "big"), counter.to_bytes(8, "big"))[:4], "big")
        counter += 1


class Person:
    """A player with its keys and its place in its own chain."""

    def __init__(self, number: int) -> None:
        self.identity = Identity(digest(b"test-person", number.to_bytes(8, "big")))
        self.player: PlayerId = self.identity.player
        self.vrf_seed = self.identity.vrf_seed()
        self.vrf_key = vrf.public_key(self.vrf_seed)
        self.last: Entry | None = None

    def write(self, network: NetworkId, epoch: Epoch, payload: bytes) -> Entry:
        """Sign the next entry of one's ledger, in the document of an epoch."""
        document, last = ledger_document(epoch), self.last
        if last is not None and last.body.document == document:
            body = next_body(last, payload)
        else:
            prev = NO_ENTRY if last is None else last.id
            body = first_body(network, document, LogKey(self.player, NO_NONCE), payload, prev)
        self.last = sign(self.identity, network, body)
        return self.last


class World:
    """People, every ledger entry they signed in order, and a ledger that has seen them all."""

    def __init__(self, people: int, params: Params = SMALL) -> None:
        self.params, self.network = params, network_id(params)
        self.people = [Person(number) for number in range(people)]
        self.entries: list[Entry] = []
        self.ledger = Ledger(params, self.network)
        self.session = SessionId(bytes(32))

    def say(self, person: Person, epoch: int, *ops: AnyOp) -> Entry:
        """A person writes operations into an epoch's document."""
        return self.publish(person.write(self.network, Epoch(epoch), encode_ops(ops)))

    def publish(self, entry: Entry) -> Entry:
        """Everyone sees an entry."""
        self.entries.append(entry)
        self.ledger.add(entry)
        return entry

    def epoch(self, window: int) -> Epoch:
        """The epoch of a window."""
        return self.params.epoch_of(Window(window))

    def pulse(self, window: int, *people: Person) -> None:
        """People are present in a window (all of them, if none are named)."""
        for person in people or self.people:
            salt = digest(b"test-salt", person.player, window.to_bytes(8, "big"))[:16]
            self.say(person, self.epoch(window), Pulse(Window(window), salt, person.vrf_key))

    def open_session(self, person: Person, window: int = FIRST) -> SessionId:
        """A person opens a jam at the start of a window."""
        t0 = Micros(self.params.window_start_us(Window(window)))
        op = SessionOpen("test", 120_000, 4, 4, t0, ())
        self.say(person, self.epoch(window), op)
        self.session = session_id(person.player, op)
        return self.session

    def block_op(self, window: int, total: int = 65_536, salt: int = 0) -> Block:
        """A block operation; its root is made up, for only verifiers look at that."""
        return Block(
            window=Window(window),
            session=self.session,
            document=self._document(window),
            nonce=NO_NONCE,
            first=Seq(0),
            last=Seq(9),
            head=EntryId(bytes([salt]) * 32),
            root=Digest(digest(b"test-root", window.to_bytes(8, "big"))),
            quality=quality(total),
            riff=True,
            pulses=(),
        )

    def _document(self, window: int) -> DocumentName:
        facts = self.ledger.session(self.session)
        return jam_document(self.session, part_of(self.params, facts, Window(window)) if facts else 0)

    def propose(self, person: Person, window: int, total: int = 65_536, salt: int = 0) -> BlockId:
        """A person proposes a block, in the document of its window."""
        op = self.block_op(window, total, salt)
        self.say(person, self.epoch(window), op)
        return block_id(person.player, op)

    def attest(self, person: Person, proposer: Person, block: BlockId, window: int, vote: Vote = Vote.YES) -> Attest:
        """The operation by which a person votes, as the rules draw it; with a void proof when it is not drawn."""
        electorate = self.ledger.eligible(Window(window), proposer.player)
        alpha = input_of(self.params, self.network, proposer.player, Window(window))
        elector = electorate.get(person.player)
        drawn = (
            None if elector is None else draw(self.params, person.vrf_seed, alpha, elector.weight, electorate.weight)
        )
        why = {Vote.YES: Why.FINE, Vote.NO: Why.REPLAY, Vote.TOO_LATE: Why.LATE}[vote]
        tranche, proof = drawn or (0, vrf.prove(person.vrf_seed, alpha))
        return Attest(block, proposer.player, Window(window), vote, why, tranche, proof)

    def vote(self, proposer: Person, block: BlockId, window: int, vote: Vote, *verifiers: Person) -> None:
        """People vote, in the document of the window's epoch."""
        for person in verifiers:
            self.say(person, self.epoch(window), self.attest(person, proposer, block, window, vote))

    def round(self, window: int, proposer: int = 0, total: int = 65_536) -> BlockId:
        """One whole window: everyone is there, one proposes, all others vote yes."""
        self.pulse(window)
        player = self.people[proposer]
        block = self.propose(player, window, total)
        self.vote(player, block, window, Vote.YES, *(p for p in self.people if p is not player))
        return block

    def replay(self, entries: Iterable[Entry]) -> Ledger:
        """A fresh ledger that sees entries in this order."""
        ledger = Ledger(self.params, self.network)
        for entry in entries:
            ledger.add(entry)
        return ledger


def performance(seed: int, start_us: int, length_us: int, step_us: int = 125_000) -> list[Event]:
    """Something a person could have played: sixteenths at 120, four lanes, loose by some 20 ms. Made up."""
    numbers = iter(pseudo_random(seed))
    events: list[Event] = []
    for step in range(length_us // step_us):
        draw_, lane, velocity = next(numbers), next(numbers), next(numbers)
        if step % 4 and draw_ % 10 < 4:
            continue
        loose = sum(next(numbers) % 20_001 for _ in range(4)) // 2 - 20_000
        at = max(start_us, min(start_us + step * step_us + loose + 20_000, start_us + length_us - 1))
        events.append(Event(Micros(at), Kind.NOTE_ON, lane % 4, 36 + lane % 4, 40 + velocity % 80))
    return sorted(events, key=lambda event: event.t_us)


def jam_log(person: Person, network: NetworkId, session: SessionId, events: list[Event], batch: int = 3) -> list[Entry]:
    """A log of a session's document with so many events in each entry."""
    entries: list[Entry] = []
    for i in range(0, len(events), batch):
        payload = encode_events(tuple(events[i : i + batch]))
        if entries:
            body = next_body(entries[-1], payload)
        else:
            body = first_body(network, jam_document(session), LogKey(person.player, NO_NONCE), payload)
        entries.append(sign(person.identity, network, body))
    return entries


def standing(world: World, block: BlockId) -> Standing:
    found = world.ledger.block(block)
    assert found is not None
    return found.standing


def ignored(world: World, block: BlockId) -> dict[PlayerId, Ignored]:
    found = world.ledger.block(block)
    assert found is not None
    return dict(found.ignored)
