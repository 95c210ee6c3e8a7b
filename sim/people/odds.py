"""How the rules take each strategy's playing: figures for the economy fidelity, where nobody plays note by note.

Made by `python -m sim.people.judged --seed 1 --windows 25`: 200 windows of each strategy. A replay's four windows in a
hundred that pass are its first ones, which it had to play. docs/people.md has the same as a table, with the reasons for
which the others were refused.
"""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

PERCENTILES: Final = (5, 25, 50, 75, 95)


class Odds(NamedTuple):
    """Share of windows that are not refused, share of these with their riff, and percentiles of their total (Q16)."""

    accepted: float
    riff: float
    totals: tuple[int, ...]

    def total_q16(self, chance: Random) -> int:
        """The total of a window that is not refused, drawn: straight between the percentiles, constant beyond."""
        percent = chance.random() * 100
        if percent <= PERCENTILES[0]:
            return self.totals[0]
        for at, after, low, high in zip(PERCENTILES, PERCENTILES[1:], self.totals, self.totals[1:], strict=False):
            if percent < after:
                return round(low + (high - low) * (percent - at) / (after - at))
        return self.totals[-1]


ODDS: Final[dict[str, dict[str, Odds]]] = {
    "main": {
        "honest": Odds(1.0, 0.815, (43576, 59969, 61573, 62187, 63087)),
        "honest, twice as steady": Odds(1.0, 0.79, (60754, 61516, 61998, 62331, 62785)),
        "honest, twice as loose": Odds(1.0, 0.78, (268, 23766, 39183, 45278, 50584)),
        "honest, keys": Odds(1.0, 0.75, (51924, 58930, 60901, 61983, 63147)),
        "honest, hands": Odds(1.0, 0.74, (46650, 59362, 60892, 61851, 62919)),
        "refuser": Odds(1.0, 0.83, (53550, 59081, 61463, 62666, 63405)),
        "lazy": Odds(1.0, 0.78, (54177, 59181, 61913, 62873, 63364)),
        "faker, quantised": Odds(0.0, 0.0, ()),
        "faker, jittered 5 ms": Odds(0.12, 0.0, (660, 672, 685, 709, 728)),
        "faker, jittered 20 ms": Odds(1.0, 0.0, (784, 796, 805, 812, 827)),
        "faker, drifting": Odds(1.0, 0.0, (50828, 57085, 57981, 59331, 59728)),
        "faker, template": Odds(1.0, 0.0, (54099, 59621, 60511, 61649, 62342)),
        "faker, template and riffs": Odds(1.0, 1.0, (55138, 57106, 59227, 61844, 63010)),
        "faker, own replay": Odds(0.04, 0.0, (54759, 56948, 59990, 61181, 61337)),
        "faker, another's replay": Odds(0.04, 0.0, (54411, 58013, 60415, 62743, 64239)),
        "faker, own replay, 15 ms of jitter": Odds(0.29, 0.0, (45115, 50502, 55742, 57181, 60986)),
        "ring, quantised": Odds(0.0, 0.0, ()),
        "sybils, template and riffs": Odds(1.0, 1.0, (53233, 56491, 59990, 60909, 61869)),
    },
    "small": {
        "honest": Odds(1.0, 0.815, (40445, 53731, 56207, 57995, 60047)),
        "honest, twice as steady": Odds(0.995, 0.7839, (50561, 55249, 57430, 58824, 61019)),
        "honest, twice as loose": Odds(1.0, 0.78, (17661, 28725, 37802, 45397, 52434)),
        "honest, keys": Odds(1.0, 0.75, (46019, 53528, 56387, 58077, 59770)),
        "honest, hands": Odds(1.0, 0.74, (731, 50832, 53848, 56479, 58907)),
        "refuser": Odds(1.0, 0.83, (45510, 52639, 55665, 57892, 59270)),
        "lazy": Odds(1.0, 0.78, (46896, 53337, 56013, 58116, 59860)),
        "faker, quantised": Odds(0.0, 0.0, ()),
        "faker, jittered 5 ms": Odds(0.33, 0.0, (660, 681, 707, 747, 48639)),
        "faker, jittered 20 ms": Odds(1.0, 0.0, (48724, 50496, 51779, 53124, 55572)),
        "faker, drifting": Odds(1.0, 0.0, (48915, 52389, 54417, 56579, 58956)),
        "faker, template": Odds(1.0, 0.0, (47354, 52068, 53985, 55905, 59277)),
        "faker, template and riffs": Odds(1.0, 1.0, (46093, 49753, 52667, 55354, 58200)),
        "faker, own replay": Odds(0.04, 0.0, (48682, 51556, 54862, 56272, 60044)),
        "faker, another's replay": Odds(0.04, 0.0, (49930, 51561, 54772, 58416, 59775)),
        "faker, own replay, 15 ms of jitter": Odds(1.0, 0.0, (42665, 46246, 48660, 52588, 56157)),
        "ring, quantised": Odds(0.0, 0.0, ()),
        "sybils, template and riffs": Odds(1.0, 1.0, (46437, 50003, 53200, 55384, 57904)),
    },
}
