"""What a wallet shows of coins: where they are, how they came, and what became of operations."""

from __future__ import annotations

from pathlib import Path

import pytest

from consensus.ops import LotRef, Stake, Transfer, Unstake, Vote, Witness
from consensus.params import SMALL
from crdt.types import Epoch, MicroJam, Seq, ledger_document
from node.engine.documents import Stored
from node.engine.engine import Engine
from node.shell import purse
from node.shell.history import history, settle
from node.shell.journal import Journal
from tests.consensus.world import FIRST, World
from tests.node.shell.test_contract import _undocumented

E = FIRST // SMALL.epoch_windows
NOW_US = SMALL.window_start_us(FIRST)


def spent() -> tuple[World, list[Engine]]:
    """Two have played and been witnessed; the first stakes, pays the second, and wants to pay more than it has."""
    world = World(4)
    ann, ben, *_ = world.people
    session = world.open_session(ann)
    played = world.round(FIRST)

    def part(amount_micro: int) -> tuple[LotRef, ...]:
        return (LotRef(played, MicroJam(amount_micro)),)

    world.say(ann, E + 1, Transfer(ben.player, part(1_000), "thanks"), Stake(part(500)))
    world.say(ann, E + 1, Unstake(part(200)), Transfer(ben.player, part(900_000_000), ""))
    world.say(ben, E + 2, Transfer(ann.player, part(300), ""), Witness(session, ann.player, (), False))
    engines = [Engine(person.identity, SMALL, NOW_US) for person in (ann, ben)]
    for engine in engines:
        for entry in world.entries:
            engine.ledger.add(entry)
    return world, engines


def test_lots_say_where_they_are_and_sum_up() -> None:
    _, (ann, ben) = spent()
    for engine in (ann, ben):
        shown = purse.wallet(engine)
        assert not _undocumented(shown)
        sums: dict[str, int] = {}
        for lot in shown["lots"]:
            sums[lot["place"]] = sums.get(lot["place"], 0) + lot["amount_micro"]
        assert shown["balance_micro"] == sums.get("free", 0) + sums.get("coming", 0)
        assert (shown["staked_micro"], shown["leaving_micro"], shown["coming_micro"]) == (
            sums.get("staked", 0), sums.get("leaving", 0), sums.get("coming", 0),
        )  # fmt: skip
    shown = purse.wallet(ann)
    assert (shown["staked_micro"], shown["leaving_micro"], shown["coming_micro"]) == (
        300, 200, 300 + SMALL.witness_micro,
    )  # fmt: skip
    assert {lot["release_epoch"] for lot in shown["lots"]} == {None, E + 1 + SMALL.unbond_epochs}
    concert = [lot for lot in shown["lots"] if lot["role"] == "performed"]
    assert [(lot["title"], lot["session"], lot["attested_by"]) for lot in concert] == [("concerts", None, [])]
    assert concert[0]["window"] == (E + 3) * SMALL.epoch_windows - 1


def test_operations_say_what_became_of_them_and_why() -> None:
    _, (ann, ben) = spent()
    shown = purse.wallet(ann)["operations"]
    assert [(op["kind"], op["state"], op["amount_micro"]) for op in shown] == [
        ("transfer", "done", 300),
        ("transfer", "unfunded", 900_000_000),
        ("unstake", "done", 200),
        ("stake", "done", 500),
        ("transfer", "done", 1_000),
    ]
    missing = shown[1]["missing"]
    assert missing["amount_micro"] == 900_000_000 and 0 < missing["held_micro"] < 1_000_000
    assert shown[0]["from"] == ben.player.hex() and shown[4]["memo"] == "thanks"
    assert [op["amount_micro"] for op in purse.wallet(ben)["operations"]] == [300, 900_000_000, 1_000]
    ann.ledger.freeze(ann.player, ledger_document(Epoch(E + 1)), Seq(1))
    states = [(op["kind"], op["state"]) for op in purse.wallet(ann)["operations"]]
    assert states[1:3] == [("transfer", "cut"), ("unstake", "cut")] and states[0] == ("transfer", "done")


def test_history_ends_with_all_that_is_held() -> None:
    _, engines = spent()
    for engine in engines:
        items = history(engine, NOW_US, 100)["items"]
        account, coming = engine.ledger.account(engine.player)
        assert items[0]["balance_micro"] == account.total_micro + coming.total_micro
        assert not _undocumented(items)
        balance = 0
        for item in reversed(items):
            balance += item["amount_micro"]
            assert item["balance_micro"] == balance and (item["to"] is None) == (item["role"] != "sent")
            assert item["why"] and (item["counted"] or not item["amount_micro"])
    roles = [item["role"] for item in history(engines[0], NOW_US, 100)["items"]]
    assert sorted(roles) == ["performed", "played", "received", "sent", "sent", "staked", "unstaked"]
    assert history(engines[0], NOW_US, 1)["items"] == history(engines[0], NOW_US, 100)["items"][:1]
    paged = [row for before in (None, 6, 4, 2) for row in history(engines[0], NOW_US, 2, before)["items"]]
    assert paged == history(engines[0], NOW_US, 100)["items"]


def test_the_windows_of_one_epoch_are_in_their_order_whatever_became_of_them() -> None:
    world, first = World(4), (E + 1) * SMALL.epoch_windows
    ann, *_ = world.people
    world.open_session(ann)
    world.pulse(first)
    world.propose(ann, first)  # nobody votes
    world.round(first + 1)
    engine = Engine(ann.identity, SMALL, NOW_US, stored=Stored(world.entries))
    rows = [(row["window"], row["role"]) for row in history(engine, NOW_US, 100)["items"]]
    assert rows == [(first + 1, "played"), (first, "pending")]


def test_history_says_what_did_not_count_and_why() -> None:
    world, (ann, ben) = spent()
    rows = {(row["role"], row["counted"]): row for row in history(ann, NOW_US, 100)["items"]}
    wanted = rows["sent", False]
    assert (wanted["amount_micro"], wanted["moved_micro"]) == (0, 900_000_000) and "were there" in wanted["why"]
    assert "quality 1.0000" in rows["played", True]["why"] and rows["received", True]["from"] == ben.player.hex()
    assert [row["memo"] for row in history(ben, NOW_US, 100)["items"] if row["from"]] == ["", "thanks"]
    window = (E + 3) * SMALL.epoch_windows
    world.pulse(window)
    lost = world.propose(world.people[1], window)
    for votes, role in ((0, "pending"), (3, "unpaid")):
        world.vote(world.people[1], lost, window, Vote.NO, *(world.people[0], *world.people[2:])[:votes])
        for entry in world.entries:
            ben.ledger.add(entry)
        (row,) = [row for row in history(ben, NOW_US, 100)["items"] if row["block"] == lost.hex()]
        assert (row["role"], row["counted"], row["amount_micro"]) == (role, False, 0)
        assert row["why"].startswith("pending" if role == "pending" else "rejected by 3 of 3 votes")


def test_the_journal_remembers_what_a_checkpoint_has_settled(tmp_path: Path) -> None:
    world, _ = spent()
    ann = Engine(world.people[0].identity, SMALL, NOW_US, stored=Stored(world.entries))
    journal, whole, settled = Journal(tmp_path / "history", None), history(ann, NOW_US, 100)["items"], Epoch(E + 1)
    ann.documents.on_settling = lambda epoch: settle(ann, NOW_US, epoch, journal)
    ann.documents.begin(ann.ledger.content_at(settled), b"")
    assert journal.last is not None and ann.ledger.is_settled(settled)
    for kept in (journal, Journal(tmp_path / "history", settled)):
        assert history(ann, NOW_US, 100, journal=kept)["items"] == whole
        paged = [row for before in (None, 6, 4, 2) for row in history(ann, NOW_US, 2, before, journal=kept)["items"]]
        assert paged == whole
    for row in journal.page(99, 1):  # had it seen less than the checkpoint says, one row makes up for it
        journal.keep([{**row, "number": row["number"] + 1, "balance_micro": row["balance_micro"] - 7}])
    (extra,) = [row for row in history(ann, NOW_US, 100, journal=journal)["items"] if row["role"] == "carried"]
    assert extra["amount_micro"] == 7 and "otherwise" in extra["why"]


def test_what_a_checkpoint_has_settled_is_one_row_without_it() -> None:
    _, (ann, _) = spent()
    whole = history(ann, NOW_US, 100)["items"]
    content = ann.ledger.content_at(Epoch(E + 1))
    ann.ledger.restart(content, ())
    (row,) = history(ann, NOW_US, 100)["items"]
    account, coming = ann.ledger.account(ann.player)
    assert row["role"] == "carried" and row["amount_micro"] == account.total_micro + coming.total_micro
    assert row["balance_micro"] == next(r["balance_micro"] for r in whole if r["epoch"] == E + 1)


@pytest.mark.parametrize("seq", [0, 1])
def test_what_a_fork_burns_is_in_the_history(seq: int) -> None:
    _, (ann, _) = spent()
    ann.ledger.freeze(ann.player, ledger_document(Epoch(E + 1)), Seq(seq))
    burned = [item["amount_micro"] for item in history(ann, NOW_US, 100)["items"] if item["role"] == "burned"]
    assert burned == ([] if seq == 0 else [-500])
