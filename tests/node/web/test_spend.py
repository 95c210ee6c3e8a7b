"""Spending in the page, against a real till: looked at first, the passphrase asked for, signed once, followed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from crdt.errors import OperatingFailure
from node.shell import purse
from node.shell.history import history
from tests.node.shell.purses import PASSPHRASE, Purse
from tests.node.web.conftest import CLICK, TYPE, Shown, needs_chromium

pytestmark = needs_chromium

LOCKED = pytest.mark.parametrize("passphrase", [PASSPHRASE])
STRANGER = "ab" * 32


class Counter:
    """A page on its Wallet view, the till open, and the purse behind it."""

    def __init__(self, shown: Shown, purse: Purse) -> None:
        self.shown, self.page, self.purse = shown, shown.page, purse
        self.ben = purse.others[0].hex()

    async def fill(self, label: str, value: str) -> None:
        await self.page.value(f"({TYPE})({json.dumps(label)}, {json.dumps(value)})")

    async def click(self, text: str) -> None:
        await self.page.value(f"({CLICK})({json.dumps(text)})")

    async def choose(self, kind: str) -> None:
        await self.page.value(
            f"(() => {{ const what = document.querySelector('.spend select'); what.value = '{kind}'; "
            "what.dispatchEvent(new Event('change')); })()"
        )

    async def look(self, to: str, amount: str, memo: str = "") -> None:
        for label, value in (("To", to), ("Amount", amount), ("Memo", memo)):
            await self.fill(label, value)
        await self.click("Look at it first")

    async def words(self, wanted: str) -> str:
        """What the panel says, once that is in it."""
        quoted = json.dumps(wanted)
        await self.page.until(f"document.querySelector('.spend').textContent.includes({quoted})")
        said: str = await self.page.value("document.querySelector('.spend').textContent")
        return said

    def paid(self) -> list[tuple[int, str]]:
        """What ben was paid, and with which words."""
        received = self.purse.engine.ledger.received(self.purse.others[0])
        return [(sum(lot.amount_micro for lot in one.op.lots), one.op.memo) for one in received]  # type: ignore[union-attr]


@pytest.fixture
def passphrase() -> str | None:
    return None


@pytest.fixture
async def counter(shown: Shown, tmp_path: Path, passphrase: str | None) -> AsyncIterator[Counter]:
    earned = Purse(tmp_path / "keys", passphrase)
    engine = earned.engine
    real = {"wallet": partial(purse.wallet, engine), "history": partial(history, engine, earned.now_us)}
    vars(shown.node).update(real, till=earned.till)  # what this node shows is that engine's
    await shown.page.value("location.hash = '#/wallet'")
    await shown.page.until("document.querySelector('.spend') !== null")
    await shown.page.value("document.querySelector('.spend').open = true")
    yield Counter(shown, earned)
    refused = '"source": "network"'  # the browser's own word of an answer that is no 200
    assert [error for error in shown.page.errors if refused not in error] == []


async def test_what_is_signed_is_looked_at_first(counter: Counter) -> None:
    await counter.look(counter.ben, "0.123456", "thanks")
    said = await counter.words("Sign it")
    assert "0.123456 JAM" in said and "thanks" in said and "There is no fee" in said
    assert "go wrong" in said and "under no passphrase" in said
    assert counter.ben in said.replace(" ", "")
    assert counter.paid() == []
    await counter.click("Sign it")
    assert "nobody else is known to have it yet" in await counter.words("pending, entry")
    assert counter.paid() == [(123_456, "thanks")]
    assert await counter.page.value("document.querySelector('.spend form.fields').hidden") is False
    await counter.page.until("document.querySelector('.history tbody').textContent.includes('sent to')")


async def test_it_is_told_who_has_it(counter: Counter) -> None:
    counter.purse.link()
    await counter.look(counter.ben, "0.1")
    await counter.words("Sign it")
    await counter.click("Sign it")
    await counter.words("pending, entry")
    counter.purse.hold()
    await counter.words("local, entry")


async def test_nothing_is_signed_that_is_not_wanted(counter: Counter) -> None:
    await counter.look(counter.ben, "0.1")
    await counter.words("Sign it")
    await counter.click("Do not sign")
    await counter.page.until("!document.querySelector('.spend form.fields').hidden")
    assert counter.paid() == []


@LOCKED
async def test_the_passphrase_is_asked_for_and_not_kept(counter: Counter) -> None:
    await counter.look(counter.ben, "0.1")
    await counter.words("Sign it")
    for typed, says in (("", "type the passphrase"), (PASSPHRASE + "x", "not its passphrase")):
        await counter.fill("Passphrase", typed)
        await counter.click("Sign it")
        wrong = "document.querySelector('.spend .plan .trouble').textContent.toLowerCase()"
        await counter.page.until(f"{wrong}.includes('{says}')")
        assert await counter.page.value("document.querySelector('.spend [type=password]').value") == ""
        assert counter.paid() == []
    await counter.fill("Passphrase", PASSPHRASE)
    await counter.click("Sign it")
    await counter.words("pending, entry")
    assert counter.paid() == [(100_000, "")]
    held = "document.documentElement.outerHTML + [...document.querySelectorAll('input')].map((i) => i.value).join()"
    assert PASSPHRASE not in await counter.page.value(held)
    assert PASSPHRASE not in await counter.page.value("JSON.stringify([{...localStorage}, {...sessionStorage}])")


async def test_a_player_nobody_has_heard_of_is_checked(counter: Counter) -> None:
    await counter.look(STRANGER, "0.1")
    assert "Nobody here has heard of this player" in await counter.words("I have checked every digit")
    await counter.click("Sign it")
    await counter.words("say that you have")
    assert counter.purse.engine.ledger.received(counter.purse.others[0]) == []
    await counter.page.value("document.querySelector('.spend .plan [type=checkbox]').click()")
    await counter.click("Sign it")
    await counter.words("pending, entry")


@pytest.mark.parametrize(
    ("to", "amount", "says"),
    [
        ("", "1", "64 digits"),
        ("ben", "1", "64 digits"),
        (STRANGER[:-1], "1", "64 digits"),
        (STRANGER, "", "six decimals"),
        (STRANGER, "1.0000001", "six decimals"),
        (STRANGER, "-1", "six decimals"),
        (STRANGER, "1e3", "six decimals"),
        (STRANGER, "1,5", "six decimals"),
        (STRANGER, "0.000000", "zero"),
        (STRANGER, "99999999999", "not that much"),
        (STRANGER, "1000000", "were asked for"),
    ],
)
async def test_what_cannot_be_signed_is_explained(counter: Counter, to: str, amount: str, says: str) -> None:
    await counter.look(to, amount)
    await counter.words(says)
    assert await counter.page.value("document.querySelector('.spend .plan').childElementCount") == 0


async def test_a_lost_answer_is_asked_for_again_and_signed_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lost = counter.purse.till.sign, []

    async def sign(*asked: object) -> object:
        found = await real(*asked)  # type: ignore[arg-type]
        if not lost:
            lost.append(found)
            raise OperatingFailure("no answer", "the line broke", "Ask again.")
        return found

    monkeypatch.setattr(counter.purse.till, "sign", sign)
    await counter.look(counter.ben, "0.1")
    await counter.words("Sign it")
    await counter.click("Sign it")
    await counter.words("the line broke")
    await counter.click("Sign it")
    await counter.words("pending, entry")
    assert counter.paid() == [(100_000, "")]


@pytest.mark.parametrize(("kind", "says"), [("stake", "Put into the stake"), ("unstake", "were asked for")])
async def test_coins_are_staked(counter: Counter, kind: str, says: str) -> None:
    await counter.choose(kind)
    await counter.fill("Amount", "0.2")
    await counter.click("Look at it first")
    await counter.words(says)
    if kind == "stake":
        await counter.click("Sign it")
        await counter.words("pending, entry")
        account = counter.purse.engine.ledger.account(counter.purse.engine.player, counter.purse.till._where().epoch)[0]
        assert account.staked.total_micro == 200_000
