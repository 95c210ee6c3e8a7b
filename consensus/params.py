"""Every number of the protocol, frozen, in two presets (SPEC 2).

The network id includes a hash of the parameters: nodes with other rules do not mix. `small` is for demonstrations
and tests: windows of ten seconds, epochs of three windows; all else that scales with time scales with it.
Shares and factors are Q16: 65536 is one.
"""

from __future__ import annotations

from typing import Final

import msgspec

from crdt.canonical import digest, encode
from crdt.errors import Misuse
from crdt.types import Epoch, MicroJam, Micros, NetworkId, PlayerIdField, Window, ledger_document

ONE_Q16: Final = 65_536
GENESIS: Final = b"symjam/1"


class Params(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Rules of one network. Field order is part of the hash."""

    # time
    window_s: int
    epoch_windows: int
    grace_ms: int  # after a window's end, before its block is proposed
    vote_delay_ms: int  # after a window's end, before votes are cast together
    tranche_delay_ms: int  # between two tranches opening
    vote_deadline_ms: int  # after a window's end: a block that came later is voted too-late
    close_windows: int  # a block still pending after so many windows stays unaccepted
    keep_windows: int  # a jam document is kept for so many windows after its end, then no node asks another for it
    # liveness: less than any of these is no block
    min_events: int
    min_lanes: int
    min_active_s: int
    # humanness and originality
    min_deviation_us: int  # standard deviation from the grid below this is no human
    max_tie_q16: int  # share of pairs of onsets that deviate from the grid alike (quality/humanness.py)
    human_mark_q16: int  # humanness below this passes for no person's: worth next to nothing, and no crime
    below_mark_q16: int  # what such a window's total is multiplied by
    replay_residual_us: int
    replay_correlation_q16: int  # of the deviations of notes on the same lanes and steps
    replay_coverage_q16: int
    replay_whole_q16: int  # so much of a window found is a replay at this greater residual too
    replay_whole_residual_us: int
    replay_min_hits: int
    # the riff
    riff_pulses: int  # others whose pulses decide it
    riff_tolerance_us: int  # how far from its moment a note of it may be
    # judging
    accuracy_cap_q16: int
    # verifiers
    tranche_sizes: tuple[int, ...]
    quorum_of: int
    # rewards
    base_micro: int  # points of a perfect block, and R0, the most a block can be paid
    epoch_budget_micro: int
    proposer_share_q16: int
    decay_blocks: int
    decay_horizon_windows: int
    decay_excess: bool  # m counts only beyond what chance alone would bring (docs/rules.md, 7)
    cluster_max_q16: int  # what a block loses whose verifiers are those of all its player's recent blocks
    riff_absent_q16: int  # what a window without its riff is worth
    person_step_q16: int  # a player is paid as the person it is, in whole steps of so much; 0: all alike
    paid_votes_per_window: int  # accepted blocks of one window that a verifier is paid for
    concert_share_q16: int  # of an epoch's budget, for those whom others witnessed
    witness_micro: int  # points of one witness, new to the performer and on the spot
    remote_q16: int  # what a witness from afar is worth
    # stake
    stake_full_micro: int  # more than this adds no weight
    stake_bonus_q16: int  # what such a stake adds to a person's weight
    unbond_epochs: int
    # people
    founders: tuple[PlayerIdField, ...]  # sorted; without any, everybody is one person and nothing is ever final
    rank_rounds: int
    ack_half_epochs: int
    diversity_full: int  # acknowledgers, by effective number, that make a whole person
    diversity_least_q16: int  # what a person is worth whom nobody has acknowledged
    reporters_min: int  # unrelated ones, for a review
    review_epochs: int
    # checkpoints
    checkpoint_lag: int  # epochs after one's end before its state is voted on: all votes are in
    seed_delay: int  # epochs more until the checkpoint makes the seed: by then it is final nearly always
    # which network by these rules: people in one building may want several rooms
    room: str = ""

    @property
    def window_us(self) -> int:
        """Length of a window in microseconds."""
        return self.window_s * 1_000_000

    def window_at(self, unix_us: int) -> Window:
        """The window that a moment lies in."""
        return Window(unix_us // self.window_us)

    def window_start_us(self, window: Window) -> Micros:
        """First microsecond of a window."""
        return Micros(window * self.window_us)

    def epoch_of(self, window: Window) -> Epoch:
        """The epoch that a window belongs to."""
        return Epoch(window // self.epoch_windows)

    def ledger_document_of(self, window: Window) -> str:
        """The ledger document in which operations about a window's present are written."""
        return ledger_document(self.epoch_of(window))


MAIN: Final = Params(
    window_s=120,
    epoch_windows=30,
    grace_ms=2_000,
    vote_delay_ms=10_000,
    tranche_delay_ms=20_000,
    vote_deadline_ms=240_000,
    close_windows=30,
    keep_windows=5_040,
    min_events=60,
    min_lanes=2,
    min_active_s=40,
    min_deviation_us=5_000,
    max_tie_q16=19_661,
    human_mark_q16=32_768,
    below_mark_q16=1_024,
    replay_residual_us=8_000,
    replay_correlation_q16=55_706,
    replay_coverage_q16=45_875,
    replay_whole_q16=55_706,
    replay_whole_residual_us=12_000,
    replay_min_hits=40,
    riff_pulses=5,
    riff_tolerance_us=200_000,
    accuracy_cap_q16=62_259,
    tranche_sizes=(7, 21, 35),
    quorum_of=7,
    base_micro=1_000_000,
    epoch_budget_micro=1_000_000_000,
    proposer_share_q16=52_429,
    decay_blocks=30,
    decay_horizon_windows=720,
    decay_excess=False,
    cluster_max_q16=16_384,
    riff_absent_q16=32_768,
    person_step_q16=2_048,
    paid_votes_per_window=32,
    concert_share_q16=6_553,
    witness_micro=100_000,
    remote_q16=16_384,
    stake_full_micro=100_000_000,
    stake_bonus_q16=32_768,
    unbond_epochs=168,
    founders=(),
    rank_rounds=8,
    ack_half_epochs=720,
    diversity_full=8,
    diversity_least_q16=32_768,
    reporters_min=3,
    review_epochs=24,
    checkpoint_lag=3,
    seed_delay=12,
)

SMALL: Final = msgspec.structs.replace(
    MAIN,
    window_s=10,
    epoch_windows=3,
    grace_ms=700,
    vote_delay_ms=2_000,
    tranche_delay_ms=2_000,
    vote_deadline_ms=20_000,
    close_windows=6,
    keep_windows=360,
    unbond_epochs=4,
    ack_half_epochs=40,
    review_epochs=4,
    checkpoint_lag=4,
    min_events=12,
    min_active_s=4,
    human_mark_q16=13_107,  # ten seconds tell little
    replay_whole_residual_us=8_000,  # of short windows of one groove much is found by chance
    replay_min_hits=12,
    replay_correlation_q16=ONE_Q16,  # never exceeded: short windows of one groove are too much alike
)

PRESETS: Final = {"main": MAIN, "small": SMALL}


def preset(name: str) -> Params:
    """Parameters by name; Misuse for an unknown one."""
    if name not in PRESETS:
        raise Misuse(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def network_id(params: Params) -> NetworkId:
    """Id of the network that plays by these rules."""
    return NetworkId(digest(b"symjam-network", GENESIS, encode(params)))


def reward_cap(params: Params) -> MicroJam:
    """R0: the most that one block is paid."""
    return MicroJam(params.base_micro)
