"""What a peer may send of the multiplexer's own frames."""

from __future__ import annotations

from libp2p.stream_muxer.yamux.yamux import FLAG_ACK, FLAG_SYN, TYPE_DATA, TYPE_PING, TYPE_WINDOW_UPDATE

from crdt.limits import MUX_FRAMES_BURST_MAX, MUX_FRAMES_PER_S_MAX
from node.mesh.pace import Pace


def _until_too_many(kind: int, flags: int) -> int:
    pace = Pace()
    return next(n for n in range(10 * MUX_FRAMES_BURST_MAX) if not pace.take(kind, flags, 0.0))


def test_an_honest_rate_passes_for_ever() -> None:
    pace = Pace()
    assert all(pace.take(TYPE_DATA, 0, n / 500) for n in range(100_000))


def test_what_comes_at_once_is_bounded_and_refills() -> None:
    pace = Pace()
    while pace.take(TYPE_WINDOW_UPDATE, 0, 0.0):
        pass
    assert not pace.take(TYPE_WINDOW_UPDATE, 0, 0.0)
    assert sum(pace.take(TYPE_WINDOW_UPDATE, 0, 1.0) for _ in range(MUX_FRAMES_BURST_MAX)) <= MUX_FRAMES_PER_S_MAX


def test_new_streams_are_dear_and_pings_are_no_streams() -> None:
    assert _until_too_many(TYPE_WINDOW_UPDATE, FLAG_SYN) < MUX_FRAMES_BURST_MAX // 20
    assert _until_too_many(TYPE_PING, FLAG_SYN) == _until_too_many(TYPE_DATA, FLAG_ACK) == MUX_FRAMES_BURST_MAX


def test_others_have_their_turn() -> None:
    pace = Pace()
    turns = 0
    for _ in range(160):
        pace.take(TYPE_DATA, 0, 0.0)
        turns += pace.is_others_turn
    assert turns == 10
