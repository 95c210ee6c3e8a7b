"""Windows of a history: pulses, blocks and votes, right and wrong."""

from __future__ import annotations

from typing import NamedTuple

from consensus import vrf
from consensus.ops import Attest, Block, Measures, Pulse, PulseRef, Vote, Why, block_id
from crdt.canonical import digest
from crdt.types import NO_NONCE, BlockId, Digest, EntryId, Seq, SessionId, Window, jam_document
from tests.consensus.histories.cast import Actor, prove
from tests.consensus.histories.scene import Scene
from tests.consensus.reference import votes
from tests.consensus.reference.entries import cuts_of, said_by
from tests.consensus.reference.fold import Fold, weights_then

SESSIONS = tuple(SessionId(bytes([n]) * 32) for n in range(3))
NO_REASONS = (Why.REPLAY, Why.ROOT_MISMATCH, Why.SLICE_MISMATCH, Why.RIFF_MISMATCH, Why.MISSING)


class Open(NamedTuple):
    """A block that may still be voted on."""

    side: int
    who: Actor
    block: Block


def pulse(scene: Scene, side: int, window: int, share: float) -> None:
    random = scene.random
    for who in scene.some(side, share):
        key = who.vrf_key if random.random() < 0.95 else random.choice([bytes(32), scene.anyone(side).vrf_key])
        at = window if random.random() < 0.97 else window + random.choice([-3, 3])
        scene.say(side, who, Pulse(Window(at), random.randbytes(16), key))


def block_of(scene: Scene, window: int) -> Block:
    random = scene.random
    total = random.choice([65_536, 65_536, 40_000, random.randrange(65_537), 0])
    claimed = Measures(**dict.fromkeys(Measures.__struct_fields__, total))
    seen = sorted({PulseRef(scene.cast[0].player, EntryId(random.randbytes(32)))})
    return Block(
        window=Window(window),
        session=random.choice(SESSIONS),
        document=jam_document(SESSIONS[0]),
        nonce=NO_NONCE,
        first=Seq(0),
        last=Seq(random.randrange(9)),
        head=EntryId(random.randbytes(32)),
        root=Digest(digest(b"test-root", random.randbytes(4))),
        quality=claimed,
        riff=random.random() < 0.6,
        pulses=tuple(seen),
    )


def propose(scene: Scene, side: int, window: int, count: int) -> list[Open]:
    """Some people propose blocks of a window; a few two of them, or in another epoch's document."""
    random, found = scene.random, []
    for _ in range(count):
        who, block = scene.anyone(side), block_of(scene, window)
        epoch = window // scene.params.epoch_windows
        epoch += 0 if random.random() < 0.9 else random.choice([-1, 1, 2])
        scene.say(side, who, block, epoch=max(epoch, _epoch_of_head(scene, side, who)))
        found.append(Open(side, who, block))
        if random.random() < 0.06:
            rival = block_of(scene, window)
            scene.say(side, who, rival, epoch=max(epoch, _epoch_of_head(scene, side, who)))
            found.append(Open(side, who, rival))
    return found


def _epoch_of_head(scene: Scene, side: int, who: Actor) -> int:
    head = scene.heads.get((who.number, side))
    return 0 if head is None else int(head.body.document.split("/")[1])


def vote(scene: Scene, side: int, view: Fold, blocks: list[Open]) -> None:
    """Those who are drawn vote, mostly; some of them wrongly, and some who are not."""
    entries = [scene.entries[number] for number in scene.known[side]]
    said = said_by(scene.params, entries, cuts_of(entries))
    players = {s.author for s in said}
    ballots: dict[int, list[Attest]] = {}
    for opened in blocks:
        mood = scene.random.choice([0.0, 0.0, 0.0, 0.0, 0.1, 0.5, 1.0])  # share of no
        window, proposer = opened.block.window, opened.who.player
        weights = weights_then(scene.params, view, window // scene.params.epoch_windows - 2, players)
        electors = votes.electors(said, scene.params, window, proposer, weights)
        total = sum(weight for weight, _ in electors.values())
        for who in scene.some(side, 0.93):
            if who.player in electors:
                ballots.setdefault(who.number, []).extend(
                    _ballot(scene, opened, who, electors[who.player][0], total, mood)
                )
            elif scene.random.random() < 0.05:
                ballots.setdefault(who.number, []).append(_attest(scene, opened, who, Vote.YES, 0))
    for number, ops in ballots.items():
        scene.say(side, scene.cast[number], *ops)


def _alpha(scene: Scene, opened: Open) -> bytes:
    return votes.alpha_of(scene.params, scene.network, opened.who.player, opened.block.window)


def _attest(scene: Scene, opened: Open, who: Actor, said: Vote, tranche: int) -> Attest:
    yes = Why.RIFF_PULSES if scene.random.random() < 0.2 else Why.FINE  # a doubt, where the block claims a riff
    why = yes if said is Vote.YES else Why.LATE if said is Vote.TOO_LATE else scene.random.choice(NO_REASONS)
    proof, block = prove(who.vrf_seed, _alpha(scene, opened)), block_id(opened.who.player, opened.block)
    if scene.random.random() < 0.02:
        proof = scene.random.choice([bytes(80), proof[:-1] + bytes([proof[-1] ^ 1])])
    if scene.random.random() < 0.02:
        block = BlockId(scene.random.randbytes(32))
    return Attest(block, opened.who.player, opened.block.window, said, why, tranche, proof)


def _ballot(scene: Scene, opened: Open, who: Actor, weight: int, total: int, mood: float) -> list[Attest]:
    random = scene.random
    output = vrf.verify(who.vrf_key, _alpha(scene, opened), prove(who.vrf_seed, _alpha(scene, opened)))
    assert output is not None
    tranche = votes.tranche_of(scene.params, output, weight, total)
    if tranche is None and random.random() < 0.9:
        return []
    if tranche is None or random.random() < 0.03:
        tranche = random.randrange(3)
    said = Vote.NO if random.random() < mood else Vote.TOO_LATE if random.random() < 0.05 else Vote.YES
    ballot = [_attest(scene, opened, who, said, tranche)]
    if random.random() < 0.04:
        ballot.append(_attest(scene, opened, who, random.choice([said, Vote.NO, Vote.YES]), tranche))
    return ballot
