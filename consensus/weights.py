"""What a player weighs where many decide: person times stake (SPEC 8).

Personhood is what a weight rests on; a stake adds up to `stake_bonus_q16` of it and multiplies nothing else. So money
without acquaintances weighs nothing, and the richest person weighs one and a half of the poorest.
"""

from __future__ import annotations

from consensus.diversity import factor_q16
from consensus.params import ONE_Q16, Params
from crdt.errors import Misuse
from crdt.types import MicroJam, PlayerId


def person_of(params: Params, player: PlayerId, rank_q16: int, effective_q16: int) -> int:
    """How much of a person a player is, Q16, from its rank (consensus/personhood.py) and the diversity of those who
    acknowledged it. In a network without founders all are in full; founders always are."""
    if not params.founders or player in params.founders:
        return ONE_Q16
    return rank_q16 * factor_q16(params, effective_q16) // ONE_Q16


def weight_of(params: Params, person_q16: int, stake_micro: MicroJam) -> int:
    """A weight, from a person and what it has staked. Misuse for what nobody can be or have."""
    if not 0 <= person_q16 <= ONE_Q16 or stake_micro < 0:
        raise Misuse(f"a person of {person_q16} with a stake of {stake_micro}")
    bonus = min(stake_micro, params.stake_full_micro) * params.stake_bonus_q16 // params.stake_full_micro
    return person_q16 * (ONE_Q16 + bonus) // ONE_Q16
