"""The game that the idea started from (notes/consensus.md): each round two players play honestly, fake, or refuse.

Who meets whom: of one's own circle, or by a share of `mixing` anybody. What a meeting pays is the matrix; with `decay`
a gain counts as much as the rules' logistic weight of how often the two have met within the horizon, as a reward falls
where the same people attest one another (consensus/logistic.py); a loss counts in full. With `refuse_after` an honest
player refuses whoever it saw fake so often, which is to play R against that one for good.

Every epoch each adaptive player looks at somebody drawn at random, and imitates whoever did better since the last one.
Points are whole: a point of the matrix is 65536.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from random import Random
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from consensus.logistic import weight_q16
from consensus.params import ONE_Q16

Move = Literal["honest", "fake", "refuse"]
MOVES: Final[tuple[Move, ...]] = ("honest", "fake", "refuse")
# What the first and the second get, by what they play.
PAYOFFS: Final[dict[tuple[Move, Move], tuple[int, int]]] = {
    ("honest", "honest"): (10, 10),
    ("honest", "fake"): (0, 3),
    ("honest", "refuse"): (0, 0),
    ("fake", "honest"): (3, 0),
    ("fake", "fake"): (1, 1),
    ("fake", "refuse"): (-2, 0),
    ("refuse", "honest"): (0, 0),
    ("refuse", "fake"): (0, -2),
    ("refuse", "refuse"): (0, 0),
}

Count = Annotated[int, Meta(ge=0, le=10_000)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Game(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A population and its rules."""

    honest: Count = 20
    fake: Count = 10
    refuse: Count = 0
    adaptive: Share = 0.0  # of all, who imitate whoever does better
    rounds: Annotated[int, Meta(ge=1, le=100_000)] = 300
    epoch_rounds: Annotated[int, Meta(ge=1, le=10_000)] = 30
    circle: Annotated[int, Meta(ge=2, le=10_000)] = 5  # people of one circle; the kinds are spread over them evenly
    mixing: Share = 0.5  # of the meetings, with anybody
    decay: bool = True
    horizon_rounds: Annotated[int, Meta(ge=1, le=10_000)] = 30
    refuse_after: Count = 0  # fakes seen; 0: nobody is refused


class Epoch(NamedTuple):
    """What an epoch came to: how many played each move at its end, and what each move paid a meeting, on average."""

    players: dict[Move, int]
    mean_q16: dict[Move, int]


class Outcome(NamedTuple):
    """A game's end: points of each player, the move each began with and each ended with, and its epochs."""

    points_q16: tuple[int, ...]
    began: tuple[Move, ...]
    ended: tuple[Move, ...]
    epochs: tuple[Epoch, ...]

    def mean_q16(self, move: Move) -> int:
        """Points a head of those who began with a move, 0 when nobody did."""
        points = [points for points, began in zip(self.points_q16, self.began, strict=True) if began == move]
        return sum(points) // len(points) if points else 0


class Table:
    """A game under way."""

    def __init__(self, game: Game, seed: int) -> None:
        self.game = game
        self.chance = Random(f"game {seed}")
        counts = zip(MOVES, (game.honest, game.fake, game.refuse), strict=True)
        self.moves: list[Move] = [move for move, count in counts for _ in range(count)]
        self.chance.shuffle(self.moves)
        self.began = tuple(self.moves)
        everybody = range(len(self.moves))
        self.adaptive = set(self.chance.sample(everybody, round(game.adaptive * len(self.moves))))
        self.points_q16 = [0] * len(self.moves)
        self._gained = [0] * len(self.moves)  # in this epoch
        self._met: dict[tuple[int, int], deque[int]] = defaultdict(deque)  # rounds in which a pair met
        self._seen: Counter[tuple[int, int]] = Counter()  # fakes of the second that the first saw
        self._paid: Counter[Move] = Counter()
        self._meetings: Counter[Move] = Counter()

    def round(self, number: int) -> None:
        """Everybody meets somebody once, as far as numbers allow."""
        free = list(range(len(self.moves)))
        self.chance.shuffle(free)
        while len(free) > 1:
            one = free.pop()
            other = self._partner(one, free)
            free.remove(other)
            self._meet(one, other, number)

    def _partner(self, one: int, free: Sequence[int]) -> int:
        circle = one // self.game.circle
        near = [other for other in free if other // self.game.circle == circle]
        is_near = near and self.chance.random() >= self.game.mixing
        return self.chance.choice(near if is_near else free)

    def _meet(self, one: int, other: int, number: int) -> None:
        moves = self._move(one, other), self._move(other, one)
        weight = self._weight_q16(one, other, number)
        for player, against, move, theirs, payoff in (
            (one, other, moves[0], moves[1], PAYOFFS[moves][0]),
            (other, one, moves[1], moves[0], PAYOFFS[moves][1]),
        ):
            gain = payoff * weight if payoff > 0 else payoff * ONE_Q16
            self.points_q16[player] += gain
            self._gained[player] += gain
            self._paid[self.moves[player]] += gain
            self._meetings[self.moves[player]] += 1
            if theirs == "fake" and move == "honest":
                self._seen[player, against] += 1

    def _move(self, player: int, against: int) -> Move:
        """What somebody plays against somebody: its own move, unless it refuses that one."""
        after = self.game.refuse_after
        is_refused = after and self.moves[player] == "honest" and self._seen[player, against] >= after
        return "refuse" if is_refused else self.moves[player]

    def _weight_q16(self, one: int, other: int, number: int) -> int:
        """What a meeting counts: the less the more often these two met within the horizon."""
        if not self.game.decay:
            return ONE_Q16
        met = self._met[min(one, other), max(one, other)]
        while met and met[0] < number - self.game.horizon_rounds:
            met.popleft()
        weight = weight_q16(len(met))
        met.append(number)
        return weight

    def epoch(self) -> Epoch:
        """Count, imitate, begin anew."""
        mean = {move: self._paid[move] // self._meetings[move] if self._meetings[move] else 0 for move in MOVES}
        moves = list(self.moves)
        for player in sorted(self.adaptive):
            model = self.chance.randrange(len(moves))
            if self._gained[model] > self._gained[player]:
                moves[player] = self.moves[model]
        self.moves = moves
        self._gained = [0] * len(moves)
        self._paid.clear()
        self._meetings.clear()
        counted = Counter(moves)
        return Epoch({move: counted[move] for move in MOVES}, mean)


def play(game: Game, seed: int) -> Outcome:
    """Play a game to its end. The same seed gives the same game."""
    table = Table(game, seed)
    epochs = []
    for number in range(game.rounds):
        table.round(number)
        if (number + 1) % game.epoch_rounds == 0:
            epochs.append(table.epoch())
    return Outcome(tuple(table.points_q16), table.began, tuple(table.moves), tuple(epochs))
