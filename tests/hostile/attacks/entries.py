"""Attacks with entries: too many, forged, early, old, forked, in documents that nobody needs."""

from __future__ import annotations

import secrets

from consensus.ops import Attest, SessionOpen, encode_ops
from crdt.keys import Identity
from crdt.limits import ENTRIES_PER_FRAME_MAX
from crdt.types import DocumentName, Micros, Nonce
from node.engine import frames
from tests.hostile.site import Author, Talker, notes, said, some_jam

FRAME = ENTRIES_PER_FRAME_MAX
_ROUND = 50  # entries signed before they are sent


async def entry_flood(peer: Talker) -> None:
    """Valid entries of the peer's own key, small ones, as fast as they can be signed."""
    await peer.hello()
    author = Author(peer.site.network, some_jam(), peer.identity)
    while True:
        await peer.say(*(_live(author.document, author.write(notes(1)).raw) for _ in range(_ROUND)))


async def entry_flood_ready(peer: Talker) -> None:
    """The same, signed beforehand and packed full: the dearest frames that fit the rate."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    raws = [author.write(notes(1)).raw for _ in range(4_000)]
    ready = said(*(frames.Entries(author.document, tuple(raws[n : n + FRAME]), 0) for n in range(0, len(raws), FRAME)))
    await peer.hello()
    while True:
        await peer.write(ready)


async def full_entries(peer: Talker) -> None:
    """Valid entries with as many events as fit one, signed beforehand."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    payload = notes(256)
    ready = said(*(_live(author.document, author.write(payload).raw) for _ in range(2_000)))
    await peer.hello()
    while True:
        await peer.write(ready)


async def forged_entries(peer: Talker) -> None:
    """Entries whose signature is not their author's, packed full."""
    author = Author(peer.site.network, some_jam())
    raws = [bytes([entry.raw[0] ^ 1]) + entry.raw[1:] for entry in (author.write(notes(1)) for _ in range(FRAME))]
    await peer.hello()
    while True:
        await peer.say(frames.Entries(author.document, tuple(raws), 0))


async def gap_flood(peer: Talker) -> None:
    """Entries far ahead of their logs, each of an author and in a document of its own."""
    await peer.hello()
    while True:
        out = []
        for _ in range(10):
            author = Author(peer.site.network, some_jam())
            raws = [author.write(bytes(1_000)).raw for _ in range(5)]
            out += [_live(author.document, raw) for raw in raws[1:]]
        await peer.say(*out)


async def gap_flood_one_log(peer: Talker) -> None:
    """Large entries of one log whose first never comes."""
    author = Author(peer.site.network, some_jam())
    author.write(notes(1))
    await peer.hello()
    while True:
        raws = [author.write(secrets.token_bytes(8_000)).raw for _ in range(4)]
        await peer.say(*(_live(author.document, raw) for raw in raws))


async def document_flood(peer: Talker) -> None:
    """One valid entry in each of as many documents as there can be."""
    await peer.hello()
    while True:
        authors = [Author(peer.site.network, some_jam(), peer.identity) for _ in range(_ROUND)]
        await peer.say(*(_live(author.document, author.write(notes(1)).raw) for author in authors))


async def epoch_flood(peer: Talker) -> None:
    """One valid entry in each epoch there ever will be."""
    await peer.hello()
    epoch = secrets.randbelow(10**9)
    while True:
        epoch += _ROUND
        authors = [Author(peer.site.network, DocumentName(f"ledger/{epoch + n}"), peer.identity) for n in range(_ROUND)]
        await peer.say(*(_live(author.document, author.write(encode_ops(())).raw) for author in authors))


async def nonce_flood(peer: Talker) -> None:
    """Many logs of one author in one document, each under another nonce."""
    await peer.hello()
    document = some_jam()
    while True:
        nonces = [Nonce(secrets.token_bytes(8)) for _ in range(_ROUND)]
        authors = [Author(peer.site.network, document, peer.identity, nonce) for nonce in nonces]
        await peer.say(*(_live(document, author.write(notes(1)).raw) for author in authors))


async def author_flood(peer: Talker) -> None:
    """Many authors in one document, one entry each."""
    await peer.hello()
    document = some_jam()
    while True:
        authors = [Author(peer.site.network, document) for _ in range(_ROUND)]
        await peer.say(*(_live(document, author.write(notes(1)).raw) for author in authors))


async def session_flood(peer: Talker) -> None:
    """Entries of the ledger, each opening as many jams as fit."""
    await peer.hello()
    author = Author(peer.site.network, DocumentName("ledger/1"), peer.identity)
    while True:
        ops = tuple(SessionOpen("x" * 60, 120_000, 4, 4, Micros(secrets.randbelow(10**15)), ()) for _ in range(100))
        await peer.say(_live(author.document, author.write(encode_ops(ops)).raw))


async def replays(peer: Talker) -> None:
    """The same few valid entries, and the frames around them, for ever."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    raws = tuple(author.write(notes(1)).raw for _ in range(FRAME))
    frame = said(frames.Entries(author.document, raws, 0))
    await peer.hello()
    while True:
        await peer.write(frame * 10)


async def one_fork(peer: Talker) -> None:
    """A long log, and other entries at each of its numbers."""
    await peer.hello()
    while True:
        author = Author(peer.site.network, some_jam())
        out = []
        for number in range(_ROUND):
            out.append(_live(author.document, author.instead(notes(2, number)).raw))
            out.append(_live(author.document, author.write(notes(1, number)).raw))
        await peer.say(*out)


async def many_forks(peer: Talker) -> None:
    """Forks of the first entry, each by another author."""
    await peer.hello()
    document = some_jam()
    while True:
        out = []
        for number in range(_ROUND):
            author = Author(peer.site.network, document)
            out.append(_live(document, author.instead(notes(2, number)).raw))
            out.append(_live(document, author.write(notes(1, number)).raw))
        await peer.say(*out)


async def proofs(peer: Talker) -> None:
    """Proofs of equivocation: true ones of fresh keys, about forks that nobody needs to know."""
    await peer.hello()
    while True:
        out: list[frames.Frame] = []
        for number in range(_ROUND):
            author = Author(peer.site.network, some_jam())
            if number % 2:
                author.write(notes(1))  # what came before is never sent: the proof is to be held
            first = author.instead(notes(2, number))
            out.append(frames.Proof(first.raw, author.write(notes(1, number)).raw))
        await peer.say(*out)


async def votes(peer: Talker) -> None:
    """Entries of the ledger full of votes that prove nothing."""
    await peer.hello()
    epoch = 0
    while True:
        epoch += 1
        author = Author(peer.site.network, DocumentName(f"ledger/{epoch}"), Identity(secrets.token_bytes(32)))
        ops = tuple(_vote() for _ in range(48))
        await peer.say(_live(author.document, author.write(encode_ops(ops)).raw))


def _vote() -> Attest:
    from consensus.ops import Vote, Why
    from crdt.types import BlockId, PlayerId, Window

    block, proposer = BlockId(secrets.token_bytes(32)), PlayerId(secrets.token_bytes(32))
    return Attest(block, proposer, Window(1), Vote.YES, Why.FINE, 0, secrets.token_bytes(80))


def _live(document: DocumentName, raw: bytes) -> frames.Entries:
    return frames.Entries(document, (raw,), 0)


ATTACKS = {
    "entry-flood": entry_flood,
    "entry-flood-ready": entry_flood_ready,
    "full-entries": full_entries,
    "forged-entries": forged_entries,
    "gap-flood": gap_flood,
    "gap-flood-one-log": gap_flood_one_log,
    "document-flood": document_flood,
    "epoch-flood": epoch_flood,
    "nonce-flood": nonce_flood,
    "author-flood": author_flood,
    "session-flood": session_flood,
    "replays": replays,
    "one-fork": one_fork,
    "many-forks": many_forks,
    "proofs": proofs,
    "votes": votes,
}
