"""The players of an economy: who is there in a window, what it plays, and what it says of others' playing."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from consensus.ops import Vote, Why
from consensus.params import ONE_Q16
from crdt.types import PlayerId
from sim.economy.draws import Draws
from sim.economy.plan import HONEST, Answer, Fake, Group, Plan
from sim.people.odds import ODDS

LIE = Why.ROOT_MISMATCH  # what a false claim is refused for, and what false accusers say
BOT = Why.TOO_REGULAR


@dataclass(slots=True)
class Player:
    """One player. `vrf_key` is only as real as the draw (sim/economy/draws.py)."""

    number: int
    id: PlayerId
    vrf_key: bytes
    group: Group
    quality: float
    is_here: bool
    room: int


@dataclass(frozen=True, slots=True)
class Performance:
    """What somebody played in a window. `is_seen` is None where each who looks sees for itself."""

    quality: float
    riff: bool
    fake: Fake | None
    is_seen: bool | None


class Crowd:
    """All players, by number; groups stand one behind another. Each concern has chances of its own."""

    def __init__(self, plan: Plan, seed: int, draws: Draws) -> None:
        self._plan, self._draws = plan, draws
        self._coming, self._playing = Random(f"{seed}/coming"), Random(f"{seed}/playing")
        self._saying = Random(f"{seed}/saying")
        self.honest = next(group for group in plan.groups if group.name == HONEST)
        self.players: list[Player] = []
        for group in plan.groups:
            self.players += [self._player(len(self.players) + n, group) for n in range(group.count)]
        self.by_id = {player.id: player for player in self.players}

    def _player(self, number: int, group: Group) -> Player:
        identity, (low, high) = self._draws.identity(number), group.quality
        is_here = self._coming.random() < group.stays / (group.stays + group.away)
        room = self._coming.randrange(self._plan.society.rooms)
        return Player(number, *identity, group, self._playing.uniform(low, high), is_here, room)

    def step(self) -> None:
        """A window has passed: some come, some go, some change the room."""
        moves, rooms = self._plan.society.moves, self._plan.society.rooms
        for player in self.players:
            group = player.group
            if group.away:
                span = group.stays if player.is_here else group.away
                if self._coming.random() * span < 1:
                    player.is_here = not player.is_here
            if moves and self._coming.random() < moves:
                player.room = self._coming.randrange(rooms)

    def doing(self, player: Player, window: int) -> Group:
        """As what a player acts in a window, counted from the first."""
        return player.group if window >= player.group.since else self.honest

    def perform(self, player: Player, window: int) -> Performance | None:
        """What a player plays in a window in which it is there, if it does."""
        group = self.doing(player, window)
        if self._playing.random() >= group.plays:
            return None
        if group.like:
            return self._like(group)
        quality = min(1.0, max(0.0, player.quality + self._playing.uniform(-0.05, 0.05)))
        has_riff, fake = self._playing.random() < group.riff, group.fake
        is_seen = self._playing.random() < fake.caught if fake is not None and fake.together else None
        return Performance(quality, has_riff, fake, is_seen)

    def _like(self, group: Group) -> Performance:
        """As measured of such playing. Whoever looks runs the same functions, so all see the same."""
        odds = ODDS[self._plan.preset][group.like]
        is_seen = self._playing.random() >= odds.accepted
        quality = odds.total_q16(self._playing) / ONE_Q16 if odds.totals else 0.0
        return Performance(quality, self._playing.random() < odds.riff, group.fake, is_seen)

    def say(self, verifier: Player, proposer: Player, played: Performance, window: int) -> tuple[Vote, Why] | None:
        """What a verifier that was drawn says of somebody's playing; None when nothing is heard of it."""
        group = self.doing(verifier, window)
        if not verifier.is_here or self._saying.random() < group.silent:
            return None
        match group.friends if proposer.group is verifier.group else group.strangers:
            case Answer.SILENT:
                return None
            case Answer.YES:
                return Vote.YES, Why.FINE
            case Answer.NO:
                return Vote.NO, LIE
            case Answer.LOOK:
                return self._look(group, played)

    def _look(self, group: Group, played: Performance) -> tuple[Vote, Why]:
        fake = played.fake
        chance = group.mistaken if fake is None else fake.caught
        is_seen = played.is_seen
        if is_seen is None:
            is_seen = (fake is not None or chance > 0) and self._saying.random() < chance
        if not is_seen:
            return Vote.YES, Why.FINE
        return Vote.NO, LIE if fake is not None and fake.lies else BOT
