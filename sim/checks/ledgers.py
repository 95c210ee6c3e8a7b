"""What the honest nodes hold and have worked out, looked at every so often.

Dear questions are asked once for each set of entries: nodes that hold the same must have the same root, so what is
true of one's state is true of all the others'.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from random import Random
from typing import Final

from consensus import vrf
from consensus.checkpoint import NO_BASE, Value
from consensus.content import unpack
from consensus.ledger import Ledger
from consensus.ops import Vote
from consensus.params import Params, reward_cap
from consensus.reward import Reward
from consensus.selection import tranche_of
from consensus.state import BlockState
from consensus.verdict import Standing
from crdt.canonical import digest, encode
from crdt.errors import BLAMELESS
from crdt.summary import digest_of
from crdt.types import BlockId, Digest, Epoch, PlayerId, Window, ledger_epoch, short
from node.engine.engine import Engine
from sim.checks.journal import Journal, Watched
from sim.checks.laws import Findings, Law

ROOTS_MAX: Final = 4_096

Set = bytes  # a hash of the final checkpoint and of all ledger entries after it


class Ledgers:
    """What was seen of the states so far."""

    def __init__(self, params: Params, journal: Journal, first: Epoch, findings: Findings) -> None:
        self._params, self._journal, self._first, self._findings = params, journal, first, findings
        self._roots: OrderedDict[Set, Digest] = OrderedDict()
        self._bases: dict[PlayerId, Digest] = {}
        self._follows: dict[Digest, Value] = {}  # what became final after what
        self._minted: dict[Digest, int] = {NO_BASE: 0}  # in a final checkpoint
        self._finals: dict[BlockId, tuple[bool, Reward | None]] = {}
        self._checked: dict[BlockId, tuple[Digest, BlockState]] = {}
        self._inputs: dict[tuple[Digest, PlayerId, Window], bytes] = {}

    def look(self, hosts: Iterable[Watched]) -> None:
        """Ask everything of the honest among these nodes, all of which run."""
        for host in hosts:
            if host.player in self._journal.honest:
                self._blames(host)
                self._final(host)
                self._hashes(host)
                self._state(host)

    def _blames(self, host: Watched) -> None:
        honest, engine = self._journal.honest, host.engine
        for player, peer in engine.peers.items():
            reasons = sorted(reason for reason, count in peer.violations.items() if count and reason not in BLAMELESS)
            if player in honest and reasons:
                words = f"{short(host.player)} holds {', '.join(reasons)} against {short(player)}"
                self._findings.add(Law.NO_BLAME, words)
        for player in honest & engine.ledger.cuts().keys():
            self._findings.add(Law.NO_BLAME, f"{short(host.player)} cuts the chain of {short(player)}")

    def _final(self, host: Watched) -> None:
        """What became final where, since it was last looked at."""
        ledger, raw = host.engine.ledger, host.engine.documents.checkpoint
        base = ledger.base
        if raw is None or self._bases.get(host.player) == base.digest:
            return
        self._bases[host.player] = base.digest
        content = unpack(raw)
        self._minted[base.digest] = content.minted_micro
        if self._follows.setdefault(content.base, base) != base:
            words = f"epochs {self._follows[content.base].epoch} and {base.epoch}, of {short(host.player)}"
            self._findings.add(Law.FINAL, f"two checkpoints follow one: {words}")
        for block in ledger.finals.values():
            if not ledger.is_final(block.window):
                continue
            held = (block.standing is Standing.LOCAL, block.reward)
            if self._finals.setdefault(block.id, held) != held:
                words = (
                    f"{short(host.player)} holds another verdict or reward of block {short(block.id)} than was final"
                )
                self._findings.add(Law.FINAL, words)

    def _hashes(self, host: Watched) -> None:
        """What is remembered of hashes is what they are."""
        documents = host.engine.documents
        pairs = []
        for name in sorted(documents.replicas):
            replica = documents.replicas[name]
            now = digest_of(name, [log.summary() for log in replica.logs.values()])
            if replica.digest() != now:
                self._findings.add(Law.SAME_HASH, f"{short(host.player)} has an old hash of {name}")
            if replica.entry_count != sum(map(len, replica.logs.values())):
                self._findings.add(Law.SAME_HASH, f"{short(host.player)} counts other entries in {name} than it holds")
            if replica.logs and name not in documents.past:
                pairs.append((name, now))
        if documents.total() != digest(b"symjam-total", encode(pairs)):
            self._findings.add(Law.SAME_HASH, f"{short(host.player)} has an old hash of everything")

    def _state(self, host: Watched) -> None:
        """The same entries, the same root; what no node held before is looked at closely."""
        ledger = host.engine.ledger
        held, root = set_of(host.engine), ledger.root()
        known = self._roots.get(held)
        if known is not None:
            if known != root:
                self._findings.add(Law.SAME_ROOT, f"{short(host.player)} has another root for the same entries")
            return
        self._roots[held] = root
        if len(self._roots) > ROOTS_MAX:
            self._roots.popitem(last=False)
        self._sums(ledger, short(host.player))
        for block in ledger.blocks():
            if not ledger.is_final(block.window) and self._checked.get(block.id) != (ledger.base.digest, block):
                self._checked[block.id] = ledger.base.digest, block
                self._verdict(block)
                self._verifiers(ledger, block)

    def _sums(self, ledger: Ledger, who: str) -> None:
        by_origin: Counter[BlockId] = Counter()
        for player in ledger.players():
            account, coming = ledger.account(player)
            for coins in (account.free, account.staked, coming, *(leaving for _, leaving in account.leaving)):
                for origin, amount in coins.items():
                    by_origin[origin] += amount
                    if amount <= 0:
                        self._findings.add(Law.CONSERVED, f"{who}: a lot of {short(player)} is not positive")
        supply, minted = ledger.supply_micro, ledger.minted_micro
        if not sum(by_origin.values()) == supply == minted - ledger.burned_micro:
            self._findings.add(Law.CONSERVED, f"{who}: lots of {sum(by_origin.values())}, a supply of {supply}")
        paid = {block.id: _minted(block.reward) for block in ledger.blocks() if block.reward is not None}
        for origin, whole in by_origin.items():
            if origin in paid and whole > paid[origin]:
                self._findings.add(Law.CONSERVED, f"{who}: more coins of block {short(origin)} than it was paid")
        concerts = (ledger.concert(origin) for origin in by_origin)
        later = sum(int(concert.paid_micro) for concert in concerts if concert is not None)
        later += sum(paid[block.id] for block in ledger.blocks() if block.reward and not ledger.is_final(block.window))
        earlier = self._minted.get(ledger.base.digest)
        if earlier is not None and not ledger.burned_micro and minted != earlier + later:
            self._findings.add(Law.CONSERVED, f"{who}: {minted} minted, {earlier + later} paid")
        epochs = max(0, ledger.last_epoch - self._first) + 1
        if minted > epochs * self._params.epoch_budget_micro:
            self._findings.add(Law.BUDGET, f"{who}: {minted} minted in {epochs} epochs")

    def _verdict(self, block: BlockState) -> None:
        """The rule of SPEC 6 in other words than consensus/verdict.py's."""
        cast = Counter(vote.vote for vote in block.votes)
        yes, no = cast[Vote.YES], cast[Vote.NO]
        thirds = 2 * min(self._params.quorum_of, block.eligible)
        is_carried = thirds > 0 and 3 * yes >= thirds and yes >= 2 * no
        named = f"block {short(block.id)} with {yes} yes, {no} no of {block.eligible} eligible"
        if (block.standing is Standing.LOCAL) != (is_carried and not block.rivals):
            self._findings.add(Law.QUORUM, f"{named} is {block.standing.name.lower()}")
        if len({*block.voters, block.proposer}) != len(block.votes) + 1:
            self._findings.add(Law.QUORUM, f"{named}: somebody counts twice, or for itself")
        reward = block.reward
        if reward is not None and not _minted(reward) <= reward.paid_micro <= reward_cap(self._params):
            self._findings.add(Law.BUDGET, f"{named} is paid {reward.paid_micro}")

    def _verifiers(self, ledger: Ledger, block: BlockState) -> None:
        alpha = ledger.draw_input(block.proposer, block.window)
        slot = ledger.base.digest, block.proposer, block.window
        if self._inputs.setdefault(slot, alpha) != alpha:
            words = f"two draws for window {block.window} of {short(block.proposer)}"
            self._findings.add(Law.DRAWN, words)
        electorate = ledger.eligible(block.window, block.proposer)
        for counted in block.votes:
            elector = electorate.get(counted.verifier)
            vote = ledger.vote_of(counted.verifier, block.proposer, block.window)
            output = vrf.verify(elector.vrf_key, alpha, vote.proof) if elector and vote else None
            if (
                elector is None
                or output is None
                or tranche_of(self._params, output, elector.weight, electorate.weight) != counted.tranche
            ):
                words = f"a vote of {short(counted.verifier)} counts on block {short(block.id)}, and was not drawn"
                self._findings.add(Law.DRAWN, words)

    def refold(self, host: Watched, seed: int) -> None:
        """Work a node's state out again from its entries, in another order."""
        documents = host.engine.documents
        content = None if documents.checkpoint is None else unpack(documents.checkpoint)
        again = Ledger(self._params, documents.network, content)
        replicas = [documents.replicas[name] for name in sorted(documents.replicas) if ledger_epoch(name) is not None]
        entries = [entry for replica in replicas for _, log in sorted(replica.logs.items()) for entry in log.entries]
        Random(seed).shuffle(entries)
        for entry in entries:
            again.add(entry)
        for replica in replicas:
            for key, proof in sorted(replica.equivocations.items()):
                again.freeze(key.author, replica.document, proof.seq)
        if again.root() != host.engine.ledger.root():
            self._findings.add(Law.FROM_NOTHING, f"{short(host.player)} has another root than its entries give")


def set_of(engine: Engine) -> Set:
    """Which ledger entries a node holds after which final checkpoint."""
    ledger, replicas = engine.ledger, engine.documents.replicas
    names = sorted(
        name for name in replicas if (epoch := ledger_epoch(name)) is not None and not ledger.is_settled(epoch)
    )
    heads = [(name, replicas[name].heads()) for name in names if replicas[name].logs]
    return digest(b"symjam-sim-set", ledger.base.digest, encode(heads))


def _minted(reward: Reward) -> int:
    """What a reward brings into the world."""
    return reward.proposer_micro + sum(part for _, part in reward.verifiers)
