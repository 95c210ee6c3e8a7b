"""The invariants of SPEC 3 and 8, asked of a world (docs/simulator.md).

`Checks` watches a world: what is cheap is asked as things happen (journal.py), what is dear every so often
(ledgers.py), what must come true in the end after the faults (healed.py). laws.py names them all and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from consensus.params import Params, network_id
from crdt.types import Epoch, PlayerId
from node.engine.effects import Effect, Persist
from sim.checks.healed import apart, undecided
from sim.checks.journal import Journal, Watched
from sim.checks.laws import RAISES, THEORY, Findings, Law
from sim.checks.ledgers import Ledgers
from sim.result import Broken

__all__ = ["RAISES", "THEORY", "Checks", "Law", "apart", "undecided"]


class Checks:
    """Watches a world whose rules are `params` from epoch `first` on; these players are honest.

    `now_us` tells the world's time since it began. What is broken is in `broken`, in the order in which it was found.
    """

    def __init__(
        self, params: Params, honest: Collection[PlayerId], first: Epoch, now_us: Callable[[], int] = lambda: 0
    ) -> None:
        self._findings = Findings(now_us)
        self._journal = Journal(network_id(params), honest, self._findings)
        self._ledgers = Ledgers(params, self._journal, first, self._findings)

    @property
    def broken(self) -> list[Broken]:
        """What did not hold."""
        return self._findings.broken

    # told by the hosts, as it happens

    def sent(self, host: Watched, frame: bytes) -> None:
        """A frame leaves a node."""
        self._journal.sent(host, frame)

    def saved(self, host: Watched, persist: Persist) -> None:
        """A batch is in a node's store, and synced if it was to be; what follows it has not happened yet."""
        self._journal.saved(host, persist)

    def told(self, host: Watched, effect: Effect) -> None:
        """A node tells its shell something that neither leaves it nor is saved."""
        self._journal.told(host, effect)

    def died(self, host: Watched, power: bool) -> None:
        """A process ended; with `power`, its machine too."""
        self._journal.died(host, power)

    def started(self, host: Watched) -> None:
        """A process began from what its store holds."""
        self._journal.started(host)

    def raised(self, error: Exception) -> None:
        """An engine raised what was no Misuse of its own player's."""
        self._findings.add(Law.RAISED, f"{type(error).__name__}: {error}")

    # asked by who runs the world

    def look(self, hosts: Sequence[Watched]) -> None:
        """Ask what is dear of all nodes that run."""
        self._ledgers.look(hosts)

    def refold(self, hosts: Sequence[Watched], seed: int) -> None:
        """Work the state of these nodes out again; dearer still."""
        for host in hosts:
            self._ledgers.refold(host, seed)

    def must_heal(self, words: Sequence[str]) -> None:
        """What has not come true within the bound."""
        for one in words:
            self._findings.add(Law.HEALS, one)
