"""A node in a process of its own: `python -m tests.node.mesh.child SEED_HEX [--mdns] [PEER ...]`.

Prints its address when it has started, then `joined`, `left`, `frame` and `hint` lines. Frames are echoed with `echo:`
in front; a line on stdin is published as a hint. Ends when stdin ends.
"""

from __future__ import annotations

import sys

import trio

from crdt.errors import Reason
from crdt.types import PlayerId
from node.mesh.peerid import peer_id_of
from tests.node.mesh.helpers import Node, Owner


def say(*words: str) -> None:
    print(*words, flush=True)


class Speaker(Owner):
    """Says what it is told."""

    node: Node

    def joined(self, player: PlayerId, address: str) -> None:
        say("joined", peer_id_of(player))

    def left(self, player: PlayerId) -> None:
        say("left", peer_id_of(player))

    def frame(self, player: PlayerId, frame: bytes) -> None:
        say("frame", frame.decode())
        if not frame.startswith(b"echo:"):
            self.node.send(player, b"echo:" + frame)

    def hint(self, data: bytes) -> None:
        say("hint", data.decode())

    def violated(self, player: PlayerId | None, reason: Reason, detail: str) -> None:
        say("violated", reason, detail)


async def main(seed: str, *arguments: str) -> None:
    owner = Speaker()
    peers = [one for one in arguments if one != "--mdns"]
    owner.node = node = Node(seed=bytes.fromhex(seed), peers=peers, mdns="--mdns" in arguments, owner=owner)
    async with trio.open_nursery() as nursery:
        await nursery.start(node.run)
        say(node.address)
        stdin = trio.wrap_file(sys.stdin)
        while line := await stdin.readline():
            node.mesh.publish(line.strip().encode())
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
