"""New entries by gossip: only for those who listen, and nodes never do."""

from __future__ import annotations

from crdt.limits import HERALD_FRAMES_MAX
from node.mesh.gossip import entries_topic_of
from tests.node.mesh.helpers import NETWORK, Node, started, until
from tests.node.mesh.rawpeer import RawPeer
from tests.node.mesh.test_gossip import gossiping

TOPIC = entries_topic_of(NETWORK)


async def test_nodes_do_not_listen_to_each_others_entries() -> None:
    async with gossiping(3) as nodes:
        assert [one.mesh.listeners for one in nodes] == [0, 0, 0]


async def test_who_listens_gets_frames_and_is_counted_until_it_leaves() -> None:
    async with gossiping(2) as (a, b):
        frames: list[bytes] = []
        pubsub = b.mesh.tcp.gossip.pubsub
        pubsub.set_topic_validator(TOPIC, lambda _, message: frames.append(message.data) or True, False)
        await pubsub.subscribe(TOPIC)
        await until(lambda: a.mesh.listeners == 1, "the listener")
        a.mesh.publish_entries(b"some entries")
        await until(lambda: frames == [b"some entries"], "the frame")
        assert a.mesh.counters["entries-published"] == 1
        (stream,) = a.mesh.tcp.gossip.pubsub.peers.values()
        await stream.reset()
        a.mesh.publish(b"lost, perhaps")
        await until(lambda: stream not in a.mesh.tcp.gossip.pubsub.peers.values(), "that the stream is noticed")
        assert a.mesh.listeners == 1
        b.stop()
        await until(lambda: a.mesh.listeners == 0, "that it has left")


async def test_entries_of_others_by_gossip_are_not_taken() -> None:
    async with gossiping(2) as (a, b):
        await b.mesh.tcp.gossip.pubsub.publish(TOPIC, b"entries, it says")
        b.mesh.publish(b"a hint")
        await until(lambda: a.owner.hints, "the hint")
        assert a.owner.hints == [b"a hint"]
        assert a.owner.violations == []


async def test_frames_that_nobody_takes_are_bounded() -> None:
    async with started(a := Node()):
        for _ in range(HERALD_FRAMES_MAX + 10):
            a.mesh.publish_entries(b"x")
        assert a.mesh.counters["entries-dropped"] in (9, 10)  # the publisher may have one in its hands


async def test_a_peer_may_listen_to_no_other_topics() -> None:
    async with started(a := Node()), RawPeer(a.address) as raw:
        await until(lambda: raw.player in a.mesh.links(), "the link")
        assert set(a.mesh.tcp.gossip.pubsub.allowed_topics) == {a.mesh.tcp.gossip.topic, TOPIC}
