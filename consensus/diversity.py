"""By how many, and how various, a player was acknowledged over time (SPEC 8).

Whoever votes on somebody's block, and whoever witnesses a performance, acknowledges that somebody played. Many
acknowledgements by the same few say little, so they are counted as the effective number of acknowledgers (inverse
Simpson): D = (sum a)^2 / sum a^2, which is n for n people who acknowledged alike, and near one where one did it all.

Acknowledgements halve with every generation of `ack_half_epochs` epochs. They are kept as counts by generation, so a
year of playing with somebody is a few numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NewType

from consensus.params import ONE_Q16, Params
from crdt.errors import Misuse
from crdt.types import Epoch

Generation = NewType("Generation", int)

GENERATIONS_KEPT: Final = 17  # after so many halvings one acknowledgement counts nothing


def generation_of(params: Params, epoch: Epoch) -> Generation:
    """The generation of an epoch's acknowledgements."""
    return Generation(epoch // params.ack_half_epochs)


def last_of(params: Params, generation: Generation, until: Epoch) -> Epoch:
    """The last epoch of a generation that is not after `until`."""
    return min(until, Epoch((generation + 1) * params.ack_half_epochs - 1))


def decayed_q16(counts: Mapping[Generation, int], now: Generation) -> int:
    """What the acknowledgements of one acknowledger are worth, by generation; later ones than `now` are nothing yet."""
    return sum(count * (ONE_Q16 >> min(now - then, GENERATIONS_KEPT)) for then, count in counts.items() if then <= now)


def effective_q16(amounts: Iterable[int]) -> int:
    """D, the effective number of acknowledgers, from what each one's acknowledgements are worth."""
    held = list(amounts)
    if any(amount < 0 for amount in held):
        raise Misuse("nobody acknowledges less than not at all")
    squares = sum(amount * amount for amount in held)
    return ONE_Q16 * sum(held) ** 2 // squares if squares else 0


def factor_q16(params: Params, effective: int) -> int:
    """By how much the diversity D (Q16) multiplies a person: from `diversity_least_q16` up to one."""
    full = params.diversity_full * ONE_Q16
    least = params.diversity_least_q16
    return least + (ONE_Q16 - least) * min(effective, full) // full


def strata(effective: int) -> int:
    """floor(log2(1 + D)), D in Q16: what is shown of a person's standing, each step twice as many people."""
    return ((ONE_Q16 + effective) // ONE_Q16).bit_length() - 1
