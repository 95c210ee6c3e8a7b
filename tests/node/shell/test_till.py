"""The till: a plan first, then the passphrase, then an entry, and no more said of it than is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from crdt.errors import Refused
from crdt.types import Epoch, Seq, ledger_document
from node.engine.requests import REQUEST_PREFIX
from tests.node.shell.purses import NOW, PASSPHRASE, Purse
from tests.node.shell.test_contract import _undocumented
from wallet import keystore
from wallet.wishes import AnyWish, Report, Send, Stake, Unstake, Unvouch, Vouch, Witness

NOBODY = "ab" * 32


@pytest.fixture
def purse(tmp_path: Path) -> Purse:
    return Purse(tmp_path / "keys")


def wishes(purse: Purse) -> dict[str, AnyWish]:
    ben = purse.others[0].hex()
    return {
        "send": Send(ben, 700_000, "thanks"),
        "stake": Stake(300),
        "unstake": Unstake(100),
        "vouch": Vouch(ben),
        "unvouch": Unvouch(ben),
        "report": Report(ben, "too_regular"),
        "witness": Witness(ben, None, {"groove": 4}, True),
    }


async def test_everything_can_be_planned_and_signed(purse: Purse) -> None:
    purse.link()
    free = purse.till.plan(Stake(1))["free_micro"]
    for kind, wish in wishes(purse).items():
        planned, total = purse.till.plan(wish), purse.engine.documents.total()
        assert purse.engine.documents.total() == total, "a plan signs nothing"
        assert planned["kind"] == kind and planned["risks"] and not planned["locked"]
        assert sum(lot["amount_micro"] for lot in planned["lots"]) == planned["amount_micro"]
        assert not _undocumented(planned)
        done = await purse.till.sign(wish, None)
        assert (done["state"], done["epoch"], done["held_by"], done["peers"]) == ("pending", NOW, [], 1)
        assert [op["kind"] for op in done["operations"]] == [kind] and not _undocumented(done)
        assert purse.synced
        purse.hold()
        found = purse.till.operation(done["entry"][:12])
        assert (found["entry"], found["state"]) == (done["entry"], "local")
        assert found["held_by"] == [purse.others[0].hex()]
    assert purse.till.plan(Stake(1))["free_micro"] == free - 700_000 - 300


@pytest.mark.parametrize(
    ("wish", "reason", "words"),
    [
        (Send(NOBODY, 1), "unknown-player", "nobody here has heard"),
        (Send("", 1), "oneself", "pays oneself"),
        (Send("ben", 10**15), "too-little", "1000000000.000000 were asked for"),
        (Unstake(1), "too-little", "0.000000 JAM are staked"),
        (Unvouch("ben"), "never-said", "do not vouch"),
        (Report("ben", "boring"), "malformed", "no reason"),
        (Report("ben", "ties", NOBODY), "unknown-block", "no block"),
        (Witness("ben", NOBODY), "unknown-session", "no session"),
    ],
)
async def test_what_would_not_count_is_told_by_plan_and_by_sign(
    purse: Purse, wish: AnyWish, reason: str, words: str
) -> None:
    if hasattr(wish, "player") and wish.player != NOBODY:
        about = purse.others[0] if wish.player else purse.engine.player
        wish = type(wish)(**{**{f: getattr(wish, f) for f in wish.__struct_fields__}, "player": about.hex()})
    total = purse.engine.documents.total()
    for ask in (lambda: purse.till.plan(wish), None):
        with pytest.raises(Refused) as refused:
            ask() if ask else await purse.till.sign(wish, None)
        assert refused.value.reason == reason and words in refused.value.why and refused.value.remedy is not None
    assert purse.engine.documents.total() == total


async def test_a_player_nobody_knows_can_be_paid_on_purpose(purse: Purse) -> None:
    planned = purse.till.plan(Send(NOBODY, 1, new_player=True))
    assert not planned["known"] and any("nobody is linked" in risk for risk in planned["risks"])
    assert (await purse.till.sign(Send(NOBODY, 1, new_player=True), None))["state"] == "pending"


async def test_nothing_is_signed_without_the_passphrase(tmp_path: Path) -> None:
    purse = Purse(tmp_path / "keys", PASSPHRASE)
    total, wish = purse.engine.documents.total(), Stake(5)
    assert purse.till.plan(wish)["locked"]
    for typed, reason in ((None, "locked"), ("", "wrong-passphrase"), (PASSPHRASE + "x", "wrong-passphrase")):
        with pytest.raises(Refused) as refused:
            await purse.till.sign(wish, typed)
        assert refused.value.reason == reason and PASSPHRASE not in str(refused.value)
    assert purse.engine.documents.total() == total
    assert (await purse.till.sign(wish, PASSPHRASE))["state"] == "pending"


async def test_another_key_file_put_there_opens_nothing(tmp_path: Path) -> None:
    purse = Purse(tmp_path / "keys", PASSPHRASE)
    (tmp_path / "keys" / "identity.key").unlink()
    keystore.create(tmp_path / "keys")
    with pytest.raises(Refused) as refused:
        await purse.till.sign(Stake(5), None)
    assert refused.value.reason == "locked" and "another player" in refused.value.why


async def test_a_fork_is_told_and_stays(purse: Purse) -> None:
    done = await purse.till.sign(Stake(5), None)
    purse.engine.ledger.freeze(purse.engine.player, ledger_document(NOW), Seq(0))
    found = purse.till.operation(done["entry"])
    assert found["state"] == "cut" and "two different entries" in found["words"][0]


async def test_what_is_not_funded_any_more_is_told(purse: Purse) -> None:
    done = await purse.till.sign(Send(purse.others[0].hex(), 5), None)
    for player in purse.others:  # what minted it loses its votes, and with them the coins
        purse.engine.ledger.freeze(player, ledger_document(Epoch(NOW - 1)), Seq(0))
    assert purse.till.operation(done["entry"])["state"] == "unfunded"


@pytest.mark.parametrize("entry", ["00" * 32, "f" * 12])
def test_no_such_entry(purse: Purse, entry: str) -> None:
    with pytest.raises(Refused) as refused:
        purse.till.operation(entry)
    assert refused.value.reason == "no-such-entry"


async def test_a_request_is_signed_once_however_often_it_is_asked(tmp_path: Path) -> None:
    purse = Purse(tmp_path / "keys", PASSPHRASE)
    wish, number = Send(purse.others[0].hex(), 7_000, "thanks"), bytes(range(16))
    with pytest.raises(Refused, match="nothing signed under 00010203"):
        await purse.till.requested(number)
    answers = []

    async def ask() -> None:
        answers.append(await purse.till.sign(wish, PASSPHRASE, number))

    async with trio.open_nursery() as nursery:  # while one waits for the passphrase, the other comes
        nursery.start_soon(ask)
        nursery.start_soon(ask)
    total, free = purse.engine.documents.total(), purse.till.plan(Stake(1))["free_micro"]
    answers.append(await purse.till.sign(wish, None, number))
    purse.restart()
    answers += [await purse.till.sign(wish, None, number), await purse.till.requested(number)]
    assert len(answers) == 5 and all(answer == answers[0] for answer in answers)
    assert purse.engine.documents.total() == total and purse.till.plan(Stake(1))["free_micro"] == free
    assert len(purse.engine.ledger.spends(purse.engine.player)) == 1
    with pytest.raises(Refused) as refused:
        await purse.till.sign(Send(purse.others[0].hex(), 7_001, "thanks"), PASSPHRASE, number)
    assert refused.value.reason == "request-reused"
    assert (await purse.till.sign(wish, PASSPHRASE, bytes(16)))["entry"] != answers[0]["entry"]


async def test_what_was_signed_and_is_lost_here_is_not_signed_again(purse: Purse) -> None:
    await purse.till.sign(Stake(5), None, bytes(16))
    purse.saved = {key: value for key, value in purse.saved.items() if key.startswith(REQUEST_PREFIX)}
    purse.restart()  # as from a store whose damage took the entry
    total = purse.engine.documents.total()
    with pytest.raises(Refused) as refused:
        await purse.till.sign(Stake(5), None, bytes(16))
    assert refused.value.reason == "not-now" and "fetches from its peers" in refused.value.why
    assert purse.engine.documents.total() == total
