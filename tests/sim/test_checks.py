"""The laws see what breaks them, and say nothing where nothing is broken."""

from __future__ import annotations

from unittest.mock import patch

import msgspec
import pytest

from consensus.ledger import Ledger
from consensus.ops import AnyOp, Attest, Checkpoint, Pulse, Stage, Vote, Why, encode_ops
from consensus.params import SMALL, network_id
from crdt.entry import Entry, LogKey, first_body, next_body, sign
from crdt.errors import Reason
from crdt.keys import Identity
from crdt.store.keys import entry_item, proof_key
from crdt.types import NO_NONCE, BlockId, Digest, Epoch, MicroJam, SessionId, Window, jam_document, ledger_document
from jam.synthetic import make
from node.engine.effects import Heard, Persist, Refuse
from node.engine.frames import Entries, pack
from node.engine.inputs import OpenSession
from sim.checks import THEORY, Checks, Law, apart
from sim.host import Host
from sim.world import World
from tests.sim.room import SECOND, identity, perform, room, settle

EPOCH = Epoch(59_666_666)
LEDGER = ledger_document(EPOCH)
NETWORK = network_id(SMALL)
SESSION = SessionId(bytes(32))
JAM = jam_document(SESSION)


def watched(count: int = 2, honest: int = 9) -> tuple[World, list[Host], Checks]:
    """A room that is watched; the first so many in it are honest."""
    world, hosts = room(count, linked=False)
    first = world.params.epoch_of(world.params.window_at(world.now_us))
    checks = Checks(world.params, [host.player for host in hosts[:honest]], first)
    world.watch = checks
    world.link_all()
    return world, hosts, checks


def found(checks: Checks) -> set[str]:
    return {broken.invariant for broken in checks.broken}


def says(who: Identity, *ops: AnyOp, document: str = LEDGER) -> Entry:
    body = first_body(NETWORK, document, LogKey(who.player, NO_NONCE), encode_ops(ops))  # type: ignore[arg-type]
    return sign(who, NETWORK, body)


def save(checks: Checks, host: Host, entry: Entry, *then: Heard, sync: bool = False) -> None:
    checks.saved(host, Persist((entry_item(entry),), sync=sync, then=then))


def pulse(salt: int, window: int = 1) -> Pulse:
    return Pulse(Window(window), bytes([salt]) * 16, bytes(32))


def vote(said: Vote) -> Attest:
    return Attest(BlockId(bytes(32)), identity(8).player, Window(1), said, Why.FINE, 0, bytes(80))


def test_every_law_says_why() -> None:
    assert set(THEORY) == set(Law)


def test_where_all_is_well_nothing_is_found() -> None:
    world, hosts, checks = watched(4)
    world.run_until(world.now_us + 2 * SECOND)
    end_us = perform(world, hosts[0], make(3, 40 * SECOND, 100_000))
    world.run_until(world.now_us + 15 * SECOND)
    hosts[0].kill()
    hosts[0].start()
    hosts[2].cut_power()
    hosts[2].start()
    world.link_all()
    world.run_until(end_us)
    settle(world)
    checks.look(hosts)
    checks.refold(hosts, 1)
    assert apart(hosts) == [] and hosts[0].engine.ledger.counts().local > 0
    assert checks.broken == []


def test_two_entries_at_one_number() -> None:
    _, hosts, checks = watched(honest=1)
    save(checks, hosts[0], says(identity(2), pulse(1)))
    save(checks, hosts[0], says(identity(2), pulse(2)))
    assert not checks.broken  # that one may
    save(checks, hosts[0], says(identity(1), pulse(1)))
    save(checks, hosts[0], says(identity(1), pulse(1)))
    assert not checks.broken
    save(checks, hosts[0], says(identity(1), pulse(1), vote(Vote.YES)))
    assert found(checks) == {Law.ONE_ENTRY}


@pytest.mark.parametrize(
    ("first", "second", "law"),
    [
        (vote(Vote.YES), vote(Vote.NO), Law.ONE_VOTE),
        (pulse(1), pulse(2), Law.ONE_BLOCK),
        (
            Checkpoint(EPOCH, Digest(bytes(32)), Digest(bytes(32)), Stage.COMMIT),
            Checkpoint(EPOCH, Digest(b"1" * 32), Digest(bytes(32)), Stage.COMMIT),
            Law.ONE_VOTE,
        ),
    ],
)
def test_two_things_said_of_one(first: AnyOp, second: AnyOp, law: Law) -> None:
    _, hosts, checks = watched()
    one = says(identity(1), first)
    other = sign(identity(1), NETWORK, next_body(one, encode_ops((second,))))
    save(checks, hosts[1], one)
    save(checks, hosts[1], sign(identity(1), NETWORK, next_body(other, encode_ops((first,)))))
    assert not checks.broken  # said again
    save(checks, hosts[1], other)
    assert found(checks) == {law}


def test_an_entry_that_leaves_before_it_is_synced() -> None:
    _, hosts, checks = watched()
    mine, others, jam = says(identity(1)), says(identity(2)), says(identity(1), document=JAM)
    for entry in (others, jam):
        checks.sent(hosts[0], pack(Entries(entry.body.document, (entry.raw,), 0)))
    save(checks, hosts[0], mine, sync=True)
    checks.sent(hosts[0], pack(Entries(LEDGER, (mine.raw,), 0)))
    assert not checks.broken
    later = sign(identity(1), NETWORK, next_body(mine, encode_ops(())))
    save(checks, hosts[0], later)
    checks.sent(hosts[0], pack(Entries(LEDGER, (mine.raw, later.raw), 7)))
    assert found(checks) == {Law.SYNCED_FIRST}


def test_what_was_acknowledged_and_is_gone() -> None:
    _, hosts, checks = watched()
    entry = says(identity(1), document=JAM)
    heard = Heard(hosts[0].player, SESSION, (), 1)
    save(checks, hosts[0], entry, heard)  # in the books of the checks, and in no store
    checks.died(hosts[0], power=True)
    checks.started(hosts[0])
    assert not checks.broken  # a power cut may take it
    save(checks, hosts[0], entry, heard)
    save(checks, hosts[0], says(identity(1)), sync=True)
    checks.died(hosts[0], power=True)
    checks.started(hosts[0])
    assert found(checks) == {Law.KEPT}


def test_what_kill_9_takes() -> None:
    _, hosts, checks = watched()
    save(checks, hosts[0], says(identity(1), document=JAM), Heard(hosts[0].player, SESSION, (), 1))
    checks.died(hosts[0], power=False)
    checks.started(hosts[0])
    assert found(checks) == {Law.KEPT}


def test_a_forged_entry() -> None:
    _, hosts, checks = watched(honest=1)
    entry = says(identity(2))
    forged = Entry(entry.body, entry.id, bytes(64) + entry.raw[64:])
    save(checks, hosts[1], forged)
    assert not checks.broken  # who is not honest may merge it
    save(checks, hosts[0], forged)
    assert found(checks) == {Law.VERIFIABLE}


def test_blame_among_the_honest() -> None:
    _, hosts, checks = watched(3, honest=2)
    checks.told(hosts[0], Refuse(hosts[2].player, Reason.FLOOD, 60))
    checks.told(hosts[2], Refuse(hosts[0].player, Reason.FLOOD, 60))
    proof = Persist(((proof_key(LEDGER, LogKey(hosts[2].player, NO_NONCE)), b""),), sync=True)
    checks.saved(hosts[0], proof)
    hosts[0].engine.peers[hosts[1].player].violations[Reason.GAP] += 1
    checks.look(hosts)
    assert not checks.broken
    checks.told(hosts[0], Refuse(hosts[1].player, Reason.FLOOD, 60))
    assert [broken.words.split(":")[-1] for broken in checks.broken] == [" flood"]
    checks.saved(hosts[0], Persist(((proof_key(LEDGER, LogKey(hosts[1].player, NO_NONCE)), b""),), sync=True))
    hosts[0].engine.peers[hosts[1].player].violations[Reason.GARBAGE] += 1
    checks.look(hosts)
    assert len(checks.broken) == 3 and found(checks) == {Law.NO_BLAME}


def played() -> tuple[World, list[Host], Checks]:
    world, hosts, checks = watched(3)
    world.run_until(perform(world, hosts[0], make(3, 25 * SECOND, 100_000)))
    settle(world)
    assert hosts[0].engine.ledger.supply_micro
    return world, hosts, checks


def test_another_root_for_the_same_entries() -> None:
    _, hosts, checks = played()
    checks.look(hosts[:1])
    root = Digest(bytes(32))
    with patch.object(hosts[1].engine.ledger, "root", lambda: root):
        checks.look(hosts[:1])
        assert not checks.broken
        checks.look(hosts[1:2])
        checks.refold(hosts[:1], 1)
        assert found(checks) == {Law.SAME_ROOT}
        checks.refold(hosts[1:2], 1)
    assert found(checks) == {Law.SAME_ROOT, Law.FROM_NOTHING}


def test_an_old_hash() -> None:
    _, hosts, checks = played()
    replica = next(iter(hosts[0].engine.documents.replicas.values()))
    replica.summary._digest = Digest(bytes(32))
    checks.look(hosts[1:])
    assert not checks.broken
    checks.look(hosts[:1])
    assert found(checks) == {Law.SAME_HASH}


def test_coins_from_nowhere() -> None:
    _, hosts, checks = played()
    books = hosts[0].engine.ledger._fold.books
    books.minted_micro = MicroJam(books.minted_micro + 1)
    checks.look(hosts[:1])
    assert found(checks) == {Law.CONSERVED}


def test_more_than_the_budget() -> None:
    world, hosts, _ = played()
    poor = msgspec.structs.replace(world.params, epoch_budget_micro=1, base_micro=1)
    checks = Checks(poor, [host.player for host in hosts], hosts[0].engine.ledger.last_epoch)
    checks.look(hosts[:1])
    assert found(checks) == {Law.BUDGET}


def test_a_verdict_by_another_quorum() -> None:
    world, hosts, _ = played()
    strict = msgspec.structs.replace(world.params, quorum_of=7)
    checks = Checks(strict, [host.player for host in hosts], Epoch(0))
    blocks = [msgspec.structs.replace(block, eligible=6) for block in hosts[0].engine.ledger.blocks()]
    with patch.object(Ledger, "blocks", lambda *_: blocks):
        checks.look(hosts[:1])
    assert Law.QUORUM in found(checks)


def test_two_checkpoints_after_one() -> None:
    _, hosts, checks = played()
    documents = hosts[0].engine.documents
    content = documents.ledger.content_at(Epoch(EPOCH - 1))
    for host, minted in zip(hosts, (0, 0, 5), strict=True):
        assert not checks.broken
        changed = msgspec.structs.replace(content, minted_micro=minted, burned_micro=minted)
        with patch("sim.checks.ledgers.unpack", lambda _, changed=changed: changed):
            host.engine.documents.checkpoint = b""
            host.engine.ledger.base = host.engine.ledger.base._replace(digest=Digest(bytes([minted + 1]) * 32))
            checks._ledgers._final(host)
    assert found(checks) == {Law.FINAL}


def test_what_has_not_healed() -> None:
    world, hosts, checks = watched(3)
    world.run_until(world.now_us + 2 * SECOND)
    assert apart(hosts) == []
    world.partition({hosts[0].player: 1})
    hosts[0].give(OpenSession("alone", 120_000, 4, 4))
    world.run_until(world.now_us + SECOND)
    words = apart(hosts)
    assert len(words) == 2
    hosts[1].kill()
    assert len(apart(hosts)) > 2
    checks.must_heal(words)
    checks.must_heal(words)
    assert len(checks.broken) == 2 and found(checks) == {Law.HEALS}


def test_what_an_engine_raises() -> None:
    _, _, checks = watched()
    checks.raised(AssertionError("never"))
    assert found(checks) == {Law.RAISED} and "AssertionError: never" in checks.broken[0].words
