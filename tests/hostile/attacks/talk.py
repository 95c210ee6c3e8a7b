"""Attacks in the talk that keeps nodes equal: false claims, loops, answers that were never asked for."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import trio
from libp2p.exceptions import BaseLibp2pError

from crdt.limits import DOCUMENTS_PER_FRAME_MAX, HEADS_PER_FRAME_MAX, LINKS_PER_FRAME_MAX
from crdt.limits import ENTRIES_PER_FRAME_MAX as FRAME
from crdt.types import NO_NONCE, Digest, DocumentName, EntryId, Micros, PlayerId, Seq
from node.engine import frames
from node.mesh.gossip import topic_of
from tests.hostile.site import Author, Talker, notes, said, some_jam
from tests.node.mesh.rawpeer import MESHSUB

_SOON_S = 0.02


async def false_totals(peer: Talker) -> None:
    """Totals that match nothing: each asks for a list of all documents."""
    await peer.hello()
    while True:
        await peer.say(*(frames.Total(_digest()) for _ in range(100)))


async def false_documents(peer: Talker) -> None:
    """Lists of documents that differ: each asks for the heads of every one of them."""
    await peer.hello()
    while True:
        names = [DocumentName(f"ledger/{n}") for n in range(DOCUMENTS_PER_FRAME_MAX)]
        await peer.say(frames.Documents(tuple(frames.DocumentDigest(name, _digest()) for name in names)))


async def tall_heads(peer: Talker) -> None:
    """Logs of 2^53 entries, in documents that do not exist; what is asked of them is answered with nothing."""
    await peer.hello()
    while True:
        await peer.say(*(frames.Heads(some_jam(), (_head(2**53 - 1),), False) for _ in range(100)))
        await _answer_empty(peer)


async def phantom_heads(peer: Talker) -> None:
    """As many authors as fit, none of whom exists; whatever is asked is never answered."""
    await peer.hello()
    while True:
        heads = tuple(_head(1_000) for _ in range(HEADS_PER_FRAME_MAX))
        await peer.say(frames.Heads(some_jam(), heads, False))


async def phantoms_at_leisure(peer: Talker) -> None:
    """The same at a rate that no limit could object to, each time in a new document."""
    await peer.hello()
    while True:
        heads = tuple(_head(1_000_000) for _ in range(HEADS_PER_FRAME_MAX))
        await peer.say(frames.Heads(some_jam(), heads, True))
        await _answer_empty(peer)
        await trio.sleep(0.1)


async def ask_loop(peer: Talker) -> None:
    """Asks for the longest log there is, all of it, as often as it can, and reads the answers."""
    await peer.hello()
    document, log = await longest_log(peer)
    request = 0
    while True:
        await peer.say(*asks(document, log, request, 100))
        request += 100
        peer.site.tally["answered-bytes"] += len(peer.received)
        peer.received.clear()


async def longest_log(peer: Talker) -> tuple[DocumentName, frames.LogHead]:
    """The longest log that the node has, as it says itself."""
    await peer.say(frames.Total(_digest()))
    await trio.sleep(0.3)
    names = [one.document for heard in peer.heard() if isinstance(heard, frames.Documents) for one in heard.documents]
    await peer.say(*(frames.Heads(name, (_head(1),), False) for name in names))
    await trio.sleep(0.3)
    logs = [(h.document, one) for h in peer.heard() if isinstance(h, frames.Heads) for one in h.heads]
    return max(logs, key=lambda one: one[1].length)


def asks(document: DocumentName, log: frames.LogHead, request: int, count: int) -> list[frames.Ask]:
    """So many questions for all of a log."""
    return [frames.Ask(document, log.author, log.nonce, Seq(0), Seq(10**6), request + n + 1) for n in range(count)]


async def probe_flood(peer: Talker) -> None:
    """What is your clock? And now? And now?"""
    await peer.hello()
    many = said(*(frames.Probe(Micros(n)) for n in range(4_000)))
    while True:
        await peer.write(many)


async def echo_nonsense(peer: Talker) -> None:
    """Answers to probes, with clocks from all ages."""
    await peer.hello()
    while True:
        stamps = [Micros(secrets.randbelow(2**63)) for _ in range(300)]
        await peer.say(*(frames.Echo(*stamps[n : n + 3]) for n in range(0, 300, 3)))
        for heard in peer.heard():
            if isinstance(heard, frames.Probe):
                await peer.say(frames.Echo(heard.sent_us, Micros(2**63 - 1), Micros(2**63 - 1)))


async def links_lies(peer: Talker) -> None:
    """Is linked to everybody, each time to others."""
    await peer.hello()
    while True:
        players = tuple(PlayerId(secrets.token_bytes(32)) for _ in range(LINKS_PER_FRAME_MAX))
        await peer.say(*(frames.Links(players) for _ in range(5)))


async def hello_flood(peer: Talker) -> None:
    """Says hello, and nothing else, without end."""
    while True:
        await peer.say(*(_hello(peer) for _ in range(200)))


async def unasked_answers(peer: Talker) -> None:
    """Valid entries as answers to requests that were never made, and so outside every limit on live ones."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    raws = [author.write(notes(1)).raw for _ in range(2_000)]
    await peer.hello()
    request = 0
    while True:
        request += 1
        at = request * FRAME % len(raws)
        await peer.say(frames.Entries(author.document, tuple(raws[at : at + FRAME]), request))


async def wrong_answers(peer: Talker) -> None:
    """Claims a log, and answers what is asked for it with forged entries of another, as many as fit."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    raws = [bytes([e.raw[0] ^ 1]) + e.raw[1:] for e in (author.write(notes(1)) for _ in range(FRAME))]
    await _lead_on(peer, lambda ask: frames.Entries(ask.document, tuple(raws), ask.request))


async def repeated_answers(peer: Talker) -> None:
    """Claims a long log, and answers each question with the same first entries of it."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    raws = tuple(author.write(notes(1)).raw for _ in range(FRAME))
    await _lead_on(peer, lambda ask: frames.Entries(author.document, raws, ask.request), author)


async def real_flood(peer: Talker) -> None:
    """Claims a long log, has it, and hands it over as fast as it is asked for: valid, useless, unasked for."""
    author = Author(peer.site.network, some_jam(), peer.identity)
    raws = [author.write(notes(1)).raw for _ in range(20_000)]

    def answer(ask: frames.Ask) -> frames.Entries:
        return frames.Entries(ask.document, tuple(raws[ask.start : min(ask.stop, ask.start + FRAME)]), ask.request)

    await _lead_on(peer, answer, author)


async def empty_answers(peer: Talker) -> None:
    """Claims logs, and answers whatever is asked for them with nothing, for ever."""
    await peer.hello()
    while True:
        await peer.say(frames.Heads(some_jam(), tuple(_head(10) for _ in range(20)), True))
        await _answer_empty(peer)
        await trio.sleep(_SOON_S)


async def hints_flood(peer: Talker) -> None:
    """Gossip that says nothing, from one who forwards it, as fast as it goes."""
    from libp2p.pubsub.pb import rpc_pb2

    await peer.hello()
    topic = topic_of(peer.site.network)
    stream = await peer.open(MESHSUB)
    hello = rpc_pb2.RPC()
    hello.subscriptions.add(subscribe=True, topicid=topic)
    try:
        await stream.write(_varint(hello))
        while True:
            rpc = rpc_pb2.RPC()
            for _ in range(100):
                message = rpc.publish.add()
                message.from_id = peer.host.get_id().to_bytes()
                message.seqno = secrets.token_bytes(8)
                message.data = secrets.token_bytes(32)
                message.topicIDs.append(topic)
                message.signature = secrets.token_bytes(64)
            await stream.write(_varint(rpc))
            peer.site.tally["hints"] += 100
    except BaseLibp2pError:
        raise BrokenPipeError("thrown out") from None


async def frame_flood(peer: Talker) -> None:
    """Frames that decode as nothing, small ones, as many as fit a write."""
    await peer.hello()
    while True:
        await peer.write(b"\x00\x00\x00\x01\xc0" * 9_000)


async def _lead_on(peer: Talker, answer, author: Author | None = None) -> None:  # type: ignore[no-untyped-def]
    """Claim a long log, and answer each question about it."""
    await peer.hello()
    who = author.identity.player if author else PlayerId(secrets.token_bytes(32))
    document = author.document if author else some_jam()
    head = frames.LogHead(who, NO_NONCE, 1_000_000, EntryId(secrets.token_bytes(32)), False)
    while True:
        await peer.say(frames.Heads(document, (head,), True))
        with trio.move_on_after(0.5):
            while True:
                asks = [heard for heard in peer.heard() if isinstance(heard, frames.Ask)]
                if asks:
                    peer.site.tally["asked"] += len(asks)
                    await peer.say(*(answer(ask) for ask in asks))
                await trio.sleep(0.001)


async def _answer_empty(peer: Talker) -> None:
    answers = [
        frames.Entries(heard.document, (), heard.request) for heard in peer.heard() if isinstance(heard, frames.Ask)
    ]
    if answers:
        peer.site.tally["asked"] += len(answers)
        await peer.say(*answers)


def _varint(rpc) -> bytes:  # type: ignore[no-untyped-def]
    raw = rpc.SerializeToString()
    return bytes(_length(len(raw))) + raw


def _length(length: int) -> Iterator[int]:
    while length > 127:
        yield length & 127 | 128
        length >>= 7
    yield length


def _digest() -> Digest:
    return Digest(secrets.token_bytes(32))


def _head(length: int) -> frames.LogHead:
    return frames.LogHead(PlayerId(secrets.token_bytes(32)), NO_NONCE, length, EntryId(secrets.token_bytes(32)), False)


def _hello(peer: Talker) -> frames.Hello:
    return frames.Hello(frames.PROTOCOL, peer.site.network, peer.player, "raw")


ATTACKS = {
    "false-totals": false_totals,
    "false-documents": false_documents,
    "tall-heads": tall_heads,
    "phantom-heads": phantom_heads,
    "phantoms-at-leisure": phantoms_at_leisure,
    "ask-loop": ask_loop,
    "probe-flood": probe_flood,
    "echo-nonsense": echo_nonsense,
    "links-lies": links_lies,
    "hello-flood": hello_flood,
    "unasked-answers": unasked_answers,
    "wrong-answers": wrong_answers,
    "repeated-answers": repeated_answers,
    "real-flood": real_flood,
    "empty-answers": empty_answers,
    "hints-flood": hints_flood,
    "frame-flood": frame_flood,
}
