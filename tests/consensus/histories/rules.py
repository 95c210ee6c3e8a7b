"""Parameters for histories: small numbers, so that every limit is reached within a few epochs."""

from __future__ import annotations

from random import Random

import msgspec

from consensus.params import SMALL, Params
from tests.consensus.histories.cast import actor


def some_params(random: Random, people: int) -> Params:
    """Rules for so many people; with founders in four of ten."""
    sizes, quorum_of = random.choice([((7, 21, 35), 7), ((2, 4, 6), 3), ((3, 6, 9), 4), ((1, 2, 4), 5)])
    founders = random.randrange(1, min(6, people + 1)) if random.random() < 0.4 else 0
    return msgspec.structs.replace(
        SMALL,
        epoch_windows=random.choice([1, 2, 3]),
        close_windows=random.choice([1, 3, 6]),
        tranche_sizes=sizes,
        quorum_of=quorum_of,
        epoch_budget_micro=random.choice([1_000_000_000, 2_000_000, 700_000, 7]),
        decay_blocks=random.choice([2, 3, 30]),
        decay_horizon_windows=random.choice([2, 5, 720]),
        decay_excess=random.random() < 0.3,
        cluster_max_q16=random.choice([16_384, 65_536, 0]),
        paid_votes_per_window=random.choice([1, 2, 32]),
        witness_micro=random.choice([100_000, 1_000_000]),
        stake_full_micro=random.choice([300_000, 1_000_000, 3]),
        stake_bonus_q16=random.choice([32_768, 200_000]),
        base_micro=random.choice([1_000_000, 1_000_000, 90_001]),
        unbond_epochs=random.choice([1, 2, 3]),
        founders=tuple(sorted(actor(number).player for number in range(founders))),
        rank_rounds=random.choice([1, 2, 8]),
        ack_half_epochs=random.choice([1, 2, 40]),
        diversity_full=random.choice([1, 3, 8]),
        review_epochs=random.choice([1, 3]),
        checkpoint_lag=random.choice([2, 3]),
        seed_delay=random.choice([0, 1, 12]),
        room=f"{random.randrange(2**32)}",
    )
