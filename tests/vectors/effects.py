"""What one entry more changes in a ledger, operation by operation; mostly nothing, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from consensus.ops import (
    AnyOp,
    Attest,
    Block,
    Checkpoint,
    LotRef,
    ParamVote,
    Pulse,
    Rating,
    Report,
    SessionClose,
    SessionOpen,
    Stage,
    Stake,
    Transfer,
    Unstake,
    Unvouch,
    Vote,
    Vouch,
    Why,
    Witness,
    block_id,
    encode_ops,
)
from consensus.params import SMALL
from crdt.canonical import encode
from crdt.entry import Entry, LogKey, first_body, sign
from crdt.types import NO_NONCE, BlockId, Digest, Epoch, MicroJam, Micros, SessionId, Window, ledger_document
from tests.consensus.world import FIRST, Person, World
from tests.vectors.answers.effects import RULES
from tests.vectors.form import Case, File, changes
from tests.vectors.reading import answered

NAMES = ("effects",)
N = SMALL.epoch_windows
E = Epoch(FIRST // N)  # the world's first epoch; what follows is said in this one or in the two after it
ROUND = Epoch(E + SMALL.checkpoint_lag)  # the first in which the state at the end of E can be voted on
OPEN = Window(FIRST + 2 * N)  # a window with a block on which nobody has voted
Tell = Callable[["Scene"], object]
NOBODY, NO_BLOCK = SessionId(b"\x01" * 32), BlockId(bytes(32))


class Scene:
    """Four founders, Ann, Ben, Cid and Dan, two who are no persons, Eve and Fay, and what they have signed: Ann opened
    a session and played a window that Ben, Cid and Dan attested, and two epochs later another one."""

    def __init__(self) -> None:
        people = sorted((Person(number) for number in range(6)), key=lambda person: person.player)
        founders = tuple(person.player for person in people[:4])
        world = World(0, msgspec.structs.replace(SMALL, founders=founders))
        world.people = people
        self.world, self.ann, (self.ben, self.cid, self.dan, self.eve, self.fay) = world, people[0], people[1:]
        world.pulse(FIRST, *people[:5])
        world.open_session(self.ann)
        self.paid = world.propose(self.ann, FIRST)
        world.vote(self.ann, self.paid, FIRST, Vote.YES, *people[1:4])
        world.pulse(FIRST + N, *people[:5])
        world.pulse(OPEN, *people[:5])
        self.block = world.propose(self.ann, OPEN)

    def say(self, person: Person, epoch: int, *ops: AnyOp) -> Entry:
        """Somebody writes into an epoch's document."""
        return self.world.say(person, epoch, *ops)

    def raw(self, person: Person, epoch: int, payload: bytes) -> Entry:
        """Somebody writes a payload, whatever it is."""
        return self.world.publish(person.write(self.world.network, Epoch(epoch), payload))

    def lot(self, amount: int, block: BlockId | None = None) -> tuple[LotRef, ...]:
        """So much of what Ann's first window brought."""
        return (LotRef(block or self.paid, MicroJam(amount)),)

    def pay(self, amount: int, to: Person | None = None) -> Transfer:
        """A transfer, to Eve."""
        return Transfer((to or self.eve).player, self.lot(amount), "")

    def pay_new(self, amount: int) -> Transfer:
        """A transfer, to Eve, of what the block brings that waits for votes."""
        return Transfer(self.eve.player, self.lot(amount, self.block), "")

    def attest(self, person: Person, vote: Vote = Vote.YES, **other: Any) -> Attest:
        """A vote on the block that waits for votes."""
        op = self.world.attest(person, self.ann, self.block, OPEN, vote)
        return msgspec.structs.replace(op, **other)

    def block_op(self, window: int, **other: Any) -> Block:
        """A block of Ann's."""
        return msgspec.structs.replace(self.world.block_op(window), **other)

    def fork(self, person: Person) -> Entry:
        """Another entry at the place of somebody's last."""
        assert person.last is not None
        body = msgspec.structs.replace(person.last.body, payload=encode_ops((Vouch(self.fay.player),)))
        return self.world.publish(sign(person.identity, self.world.network, body))

    def branch(self, person: Person, prev: Entry) -> Entry:
        """An entry in the next epoch that names an earlier one than the last as its predecessor."""
        document, log = ledger_document(Epoch(E + 3)), LogKey(person.player, NO_NONCE)
        body = first_body(self.world.network, document, log, encode_ops(()), prev.id)
        return self.world.publish(sign(person.identity, self.world.network, body))

    def vote(self, person: Person, epoch: int, at: int = E, base: bytes = bytes(32), digest: int = 7) -> Entry:
        """Somebody prepares a checkpoint."""
        op = Checkpoint(Epoch(at), Digest(bytes([digest]) * 32), Digest(base), Stage.PREPARE)
        return self.say(person, epoch, op)


def files() -> list[File]:
    """The files of this module."""
    about = (
        "A ledger of `entries` and `more`, and what `last` changes in it: parts of its content, blocks, votes, cuts."
    )
    scene = Scene()
    known = list(scene.world.entries)
    cases = [_case(scene, known, *one) for one in _coins() + _people() + _there() + _votes() + _whole()]
    params, network = changes(scene.world.params), scene.world.network
    cases[0]["given"] |= {
        "params": params,
        "network": network.hex(),
        "entries": [entry.raw.hex() for entry in known],
    }
    return [File("effects", about, cases, shared=("params", "network", "entries"))]


def _case(scene: Scene, known: list[Entry], name: str, tell: Tell) -> Case:
    lasts = [(person, person.last) for person in scene.world.people]
    tell(scene)
    *more, last = scene.world.entries[len(known) :]
    for person, before in lasts:
        person.last = before
    scene.world.entries = list(known)
    scene.world.ledger = scene.world.replay(known)
    told = {"more": [entry.raw for entry in more], "last": last.raw}
    always = {"params": changes(scene.world.params), "network": scene.world.network, "entries": [e.raw for e in known]}
    one = answered(name, RULES["effects", ""], {**always, **told})
    return {**one, "given": {key: one["given"][key] for key in told}}


def _coins() -> list[tuple[str, Tell]]:
    return [
        ("paid", lambda s: s.say(s.ann, E + 2, s.pay(5))),
        ("staked", lambda s: s.say(s.ann, E + 2, Stake(s.lot(9)))),
        ("passed on an epoch later", lambda s: (s.say(s.ann, E + 2, s.pay(5)), s.say(s.eve, E + 3, s.pay(5, s.fay)))),
        ("paid in the epoch after it was minted", lambda s: (_accepted(s), s.say(s.ann, E + 3, s.pay_new(1)))),
        ("paid in the epoch in which it was minted", lambda s: (_accepted(s), s.say(s.ann, E + 2, s.pay_new(1)))),
        ("paid of a block that waits", lambda s: s.say(s.ann, E + 3, s.pay_new(1))),
        ("paid more than there is", lambda s: s.say(s.ann, E + 2, s.pay(10**9))),
        ("paid of a block that is none", lambda s: s.say(s.ann, E + 2, Stake(s.lot(1, NO_BLOCK)))),
        ("paid what somebody else has", lambda s: s.say(s.eve, E + 2, s.pay(1, s.fay))),
        ("paid all, then one more", lambda s: (s.say(s.ann, E + 2, s.pay(_all(s))), s.say(s.ann, E + 2, s.pay(1)))),
        (
            "passed on in the epoch in which it came",
            lambda s: (s.say(s.ann, E + 2, s.pay(5)), s.say(s.eve, E + 2, s.pay(5, s.fay))),
        ),
        (
            "paid what is staked",
            lambda s: (s.say(s.ann, E + 2, Stake(s.lot(_all(s)))), s.say(s.ann, E + 2, s.pay(1))),
        ),
        (
            "one of two lots is not there",
            lambda s: s.say(s.ann, E + 2, Stake(tuple(sorted(s.lot(1) + s.lot(1, NO_BLOCK))))),
        ),
        ("unstaked what is free", lambda s: s.say(s.ann, E + 2, Unstake(s.lot(1)))),
        (
            "unstaked more than is staked",
            lambda s: (s.say(s.ann, E + 2, Stake(s.lot(9))), s.say(s.ann, E + 2, Unstake(s.lot(10)))),
        ),
        (
            "paid what leaves the stake",
            lambda s: (
                s.say(s.ann, E + 2, Stake(s.lot(_all(s))), Unstake(s.lot(_all(s)))),
                s.say(s.ann, E + 2, s.pay(1)),
            ),
        ),
        ("paid to oneself", lambda s: s.say(s.ann, E + 2, s.pay(1, s.ann))),
        ("lots of one block twice", lambda s: s.say(s.ann, E + 2, Stake(s.lot(1) + s.lot(2)))),
        (
            "lots not in order",
            lambda s: s.say(s.ann, E + 2, Stake(tuple(sorted(s.lot(1) + s.lot(1, NO_BLOCK), reverse=True)))),
        ),
    ]


def _accepted(scene: Scene) -> None:
    for person in (scene.ben, scene.cid):
        scene.say(person, E + 2, scene.attest(person))


def _all(scene: Scene) -> int:
    found = scene.world.ledger.block(scene.paid)
    assert found is not None and found.reward is not None
    return found.reward.proposer_micro


def _people() -> list[tuple[str, Tell]]:
    def report(person: Person, about: Person) -> Report:
        return Report(about.player, Why.REPLAY, NO_BLOCK)

    def seen(s: Scene, tags: str = "", performer: Person | None = None) -> Witness:
        return Witness(s.world.session, (performer or s.ann).player, tuple(Rating(tag, 3) for tag in tags), False)

    def friends(s: Scene, one: Person, other: Person) -> None:
        s.say(one, E + 2, Vouch(other.player))
        s.say(other, E + 2, Vouch(one.player))

    return [
        ("vouched", lambda s: s.say(s.ann, E + 2, Vouch(s.eve.player))),
        ("vouched back", lambda s: friends(s, s.ann, s.eve)),
        (
            "taken back",
            lambda s: (s.say(s.ann, E + 2, Vouch(s.eve.player)), s.say(s.ann, E + 2, Unvouch(s.eve.player))),
        ),
        ("vouched again", lambda s: [s.say(s.ann, E + 2, Vouch(s.eve.player)) for _ in range(2)]),
        ("taken back what was never said", lambda s: s.say(s.ann, E + 2, Unvouch(s.eve.player))),
        ("vouched for oneself", lambda s: s.say(s.ann, E + 2, Vouch(s.ann.player))),
        ("taken back of oneself", lambda s: s.say(s.ann, E + 2, Unvouch(s.ann.player))),
        ("the third report", lambda s: [s.say(p, E + 2, report(p, s.ann)) for p in (s.ben, s.cid, s.dan)]),
        ("a report", lambda s: s.say(s.ben, E + 2, report(s.ben, s.ann))),
        ("reports of one", lambda s: [s.say(s.ben, E + 2, report(s.ben, s.ann)) for _ in range(3)]),
        ("reports in two epochs", lambda s: [s.say(p, E + 2 + (p is s.dan), report(p, s.ann)) for p in _three(s)]),
        ("the third weighs nothing", lambda s: [s.say(p, E + 2, report(p, s.ann)) for p in (s.ben, s.cid, s.eve)]),
        (
            "the third was not there two epochs ago",
            lambda s: [s.say(p, E + 2, report(p, s.ann)) for p in (s.ben, s.cid, s.fay)],
        ),
        (
            "two of three are friends",
            lambda s: (friends(s, s.ben, s.cid), [s.say(p, E + 2, report(p, s.ann)) for p in _three(s)]),
        ),
        ("a report of oneself", lambda s: s.say(s.ben, E + 2, report(s.ben, s.ben))),
        ("witnessed", lambda s: s.say(s.ben, E + 2, seen(s, "ab"))),
        ("witnessed again", lambda s: [s.say(s.ben, E + 2, seen(s)) for _ in range(2)]),
        ("witnessed with other ratings", lambda s: (s.say(s.ben, E + 2, seen(s)), s.say(s.ben, E + 2, seen(s, "a")))),
        ("a witness of oneself", lambda s: s.say(s.ben, E + 2, seen(s, "", s.ben))),
        ("ratings not in order", lambda s: s.say(s.ben, E + 2, seen(s, "ba"))),
        ("a rating twice", lambda s: s.say(s.ben, E + 2, seen(s, "aa"))),
    ]


def _three(scene: Scene) -> tuple[Person, Person, Person]:
    return scene.ben, scene.cid, scene.dan


def _there() -> list[tuple[str, Tell]]:
    def pulse(person: Person, window: int, salt: int = 0) -> Pulse:
        return Pulse(Window(window), bytes([salt]) * 16, person.vrf_key)

    def opened(s: Scene) -> SessionOpen:
        facts = s.world.ledger.session(s.world.session)
        assert facts is not None
        return facts.op

    def close(s: Scene, person: Person, at: int, session: SessionId | None = None) -> Entry:
        return s.say(person, E + 2, SessionClose(session or s.world.session, Micros(at)))

    return [
        ("a pulse", lambda s: s.say(s.fay, E + 2, pulse(s.fay, OPEN))),
        ("another pulse in the window", lambda s: s.say(s.eve, E + 2, pulse(s.eve, OPEN, 9))),
        ("a pulse in a later window of the epoch", lambda s: s.say(s.eve, E + 2, pulse(s.eve, OPEN + 1))),
        ("a pulse written in the next epoch", lambda s: s.say(s.fay, E + 3, pulse(s.fay, OPEN))),
        ("a pulse written too early", lambda s: s.say(s.fay, E + 1, pulse(s.fay, OPEN))),
        (
            "a pulse without a usable key",
            lambda s: s.say(s.fay, E + 2, msgspec.structs.replace(pulse(s.fay, OPEN), vrf_key=bytes(32))),
        ),
        ("a session", lambda s: s.say(s.eve, E + 2, opened(s))),
        ("the same session again", lambda s: s.say(s.ann, E + 2, opened(s))),
        ("closed", lambda s: close(s, s.ann, 40_000_000)),
        ("closed earlier", lambda s: (close(s, s.ann, 40_000_000), close(s, s.ann, 30_000_000))),
        ("closed later", lambda s: (close(s, s.ann, 40_000_000), close(s, s.ann, 50_000_000))),
        ("closed by another", lambda s: close(s, s.ben, 40_000_000)),
        ("closed what nobody opened", lambda s: close(s, s.ann, 40_000_000, NOBODY)),
        ("a block", lambda s: s.say(s.ben, E + 2, s.block_op(OPEN + 1))),
        ("a second block of the window", lambda s: s.say(s.ann, E + 2, s.block_op(OPEN, riff=False))),
        ("the same block again", lambda s: s.say(s.ann, E + 3, s.block_op(OPEN))),
        ("a block two epochs later", lambda s: s.say(s.ben, E + 4, s.block_op(OPEN))),
        ("a block of a window to come", lambda s: s.say(s.ben, E + 2, s.block_op(OPEN + N))),
    ]


def _votes() -> list[tuple[str, Tell]]:
    def other(s: Scene) -> BlockId:
        return block_id(s.ann.player, s.block_op(OPEN, riff=False))

    last = SMALL.epoch_of(Window(OPEN + SMALL.close_windows))
    yes, no = Vote.YES, Vote.NO
    return [
        ("a vote", lambda s: s.say(s.ben, E + 2, s.attest(s.ben))),
        ("enough votes", lambda s: [s.say(p, E + 2, s.attest(p)) for p in (s.ben, s.cid)]),
        ("enough no", lambda s: [s.say(p, E + 2, s.attest(p, no)) for p in (s.ben, s.cid)]),
        ("a vote again", lambda s: [s.say(s.ben, E + 2, s.attest(s.ben)) for _ in range(2)]),
        ("another vote", lambda s: [s.say(s.ben, E + 2, s.attest(s.ben, vote)) for vote in (yes, no)]),
        ("a yes and too late", lambda s: [s.say(s.ben, E + 2, s.attest(s.ben, v)) for v in (yes, Vote.TOO_LATE)]),
        ("a vote on another block", lambda s: s.say(s.ben, E + 2, s.attest(s.ben, block=other(s)))),
        ("of one who weighs nothing", lambda s: s.say(s.eve, E + 2, s.attest(s.eve))),
        ("of one who was not there", lambda s: s.say(s.fay, E + 2, s.attest(s.fay))),
        ("another's proof", lambda s: s.say(s.ben, E + 2, s.attest(s.ben, proof=s.attest(s.cid).proof))),
        ("no proof", lambda s: s.say(s.ben, E + 2, s.attest(s.ben, proof=bytes(80)))),
        (
            "the proof of another window",
            lambda s: s.say(
                s.ben, E + 2, s.attest(s.ben, proof=s.world.attest(s.ben, s.ann, s.block, FIRST + N).proof)
            ),
        ),
        ("another tranche", lambda s: s.say(s.ben, E + 2, s.attest(s.ben, tranche=1))),
        ("of the proposer", lambda s: s.say(s.ann, E + 2, s.attest(s.ann))),
        ("a vote in its last epoch", lambda s: s.say(s.ben, last, s.attest(s.ben))),
        ("a vote an epoch later", lambda s: s.say(s.ben, last + 1, s.attest(s.ben))),
        ("a vote before its window", lambda s: s.say(s.fay, E + 1, s.attest(s.fay))),
        ("a vote where there is no block", lambda s: s.say(s.ben, E + 2, s.attest(s.ben, window=Window(OPEN + 1)))),
        ("prepared by three", lambda s: [s.vote(p, ROUND) for p in _three(s)]),
        ("prepared by one", lambda s: s.vote(s.ben, ROUND)),
        ("prepared again", lambda s: [s.vote(s.ben, ROUND) for _ in range(2)]),
        ("prepared by one who has no vote", lambda s: s.vote(s.eve, ROUND)),
        ("prepared on another base", lambda s: s.vote(s.ben, ROUND, base=b"\x09" * 32)),
        ("prepared by three in two rounds", lambda s: [s.vote(p, ROUND + (p is s.dan)) for p in _three(s)]),
        ("three prepare two things", lambda s: [s.vote(p, ROUND, digest=7 + (p is s.dan)) for p in _three(s)]),
        ("one who prepares two things counts in both", lambda s: [s.vote(p, ROUND, digest=n) for p, n in _both(s)]),
        ("prepared too early", lambda s: s.vote(s.ben, E + SMALL.checkpoint_lag - 1)),
        ("a wish for another number", lambda s: s.say(s.ben, E + 2, ParamVote("decay_blocks", 5))),
    ]


def _both(scene: Scene) -> list[tuple[Person, int]]:
    return [(scene.cid, 8), (scene.dan, 8), (scene.ben, 7), (scene.ben, 8)]


def _whole() -> list[tuple[str, Tell]]:
    vouch = encode(Vouch(Person(0).player))
    return [
        ("nothing said", lambda s: s.say(s.ben, E + 2)),
        ("no payload", lambda s: s.raw(s.ben, E + 2, b"")),
        ("a payload that is no list", lambda s: s.raw(s.ben, E + 2, encode(7))),
        ("129 operations", lambda s: s.raw(s.ben, E + 2, encode((vouch,) * 129))),
        ("an operation of a later version", lambda s: s.raw(s.ben, E + 2, encode((encode((99, 1)),)))),
        ("a field more", lambda s: s.raw(s.ben, E + 2, encode((encode((9, s.ann.player, 1)),)))),
        ("a fork", lambda s: s.fork(s.ben)),
        ("beyond a fork", lambda s: (s.fork(s.ben), s.say(s.ben, E + 2, Vouch(s.eve.player)))),
        ("a branch", lambda s: s.branch(s.ben, _first_of(s, s.ben))),
        ("begun again in a later epoch", lambda s: s.say(_again(s.ben), E + 3, Vouch(s.eve.player))),
        ("begun again in an epoch that has begun", lambda s: s.say(_again(s.ben), E + 2, Vouch(s.eve.player))),
    ]


def _first_of(scene: Scene, person: Person) -> Entry:
    return next(entry for entry in scene.world.entries if entry.body.author == person.player)


def _again(person: Person) -> Person:
    person.last = None
    return person
