"""`symjam wallet send` and its kin, against a real server with a real till: what is asked and said, every exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner, Result

from node.cli import main
from node.runtime import Runtime
from node.shell import purse, views
from node.shell.history import history
from tests.fitting import COLUMNS, untidy
from tests.node.api.conftest import TOKEN, Served
from tests.node.shell.purses import PASSPHRASE, Purse
from wallet.watched import Watched


class Desk:
    """A purse behind a served API, and the command in its data directory."""

    def __init__(self, served: Served, data_dir: Path, passphrase: str | None) -> None:
        self.data_dir = data_dir
        self.purse = Purse(data_dir / "keys", passphrase)
        served.node.till = self.purse.till
        engine = self.purse.engine
        real = {
            "wallet": partial(purse.wallet, engine),
            "history": partial(history, engine, self.purse.now_us),
            "vouches": partial(purse.vouches, engine),
        }
        vars(served.node).update(real)  # what this node shows is that engine's
        self.ben = self.purse.others[0].hex()
        Watched(data_dir).add(self.purse.others[0], "ben")

    async def said(self, *arguments: str) -> Any:
        done = await self.run(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    async def run(self, *arguments: str, passphrase: str | None = None) -> Result:
        held = []
        if passphrase is not None:
            reading, writing = os.pipe()
            os.write(writing, passphrase.encode() + b"\n")
            os.close(writing)
            held = ["--passphrase-fd", str(reading)]
        return await self.command("wallet", *arguments, *held)

    async def command(self, *words: str) -> Result:
        """Any command about this node, as it is run in a narrow terminal."""
        narrow = CliRunner(env={"NO_COLOR": "1", "COLUMNS": str(COLUMNS)})
        return await trio.to_thread.run_sync(partial(narrow.invoke, main, [*words, "--data", str(self.data_dir)]))


@pytest.fixture
def runtime(served: Served, tmp_path: Path) -> Iterator[Path]:
    with Runtime(tmp_path) as runtime:
        runtime.publish(served.address.port, TOKEN)
        yield tmp_path


async def test_coins_go_to_a_name_exactly(served: Served, runtime: Path) -> None:
    desk = Desk(served, runtime, None)
    done = await desk.run("send", "ben", "0.123456", "--memo", "thanks", "--yes", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["schema"], found["state"]) == ("symjam.operation/1", "pending")
    paid = {"kind": "send", "player": desk.ben, "amount_micro": 123_456, "memo": "thanks"}
    assert found["operations"] == [paid]
    assert [one.op.to.hex() for one in desk.purse.engine.ledger.received(desk.purse.others[0])] == [desk.ben]  # type: ignore[union-attr]
    said = await desk.run("stake", "0.1", "--yes")
    assert said.exit_code == 0 and said.stdout.startswith("pending  entry ") and "nobody else" in said.stderr
    for words in (("vouch", "ben"), ("unvouch", desk.ben), ("report", "ben", "--why", "too-regular")):
        assert (await desk.run(*words, "--yes")).exit_code == 0
    rated = await desk.run("witness", "ben", "--rate", "groove=4", "--rate", "a=0", "--remote", "--yes", "--json")
    assert rated.exit_code == 0, rated.output


@pytest.mark.parametrize(
    ("arguments", "code", "reason", "words"),
    [
        (("send", "ben", "1000000"), 1, "too-little", "1000000.000000 were asked for"),
        (("send", "ben", "1.0000001"), 2, "not-an-amount", "six decimals"),
        (("send", "ben", "0"), 2, "not-an-amount", "zero"),
        (("send", "ben", "-1"), 2, None, None),
        (("send", "bob", "1"), 1, "unknown-player", "neither the 64 digits"),
        (("send", "ab" * 32, "1"), 1, "unknown-player", None),
        (("send", "BEN", "0.1", "--memo", "x" * 80), 1, "unknown-player", None),
        (("send", "ben", "0.1", "--memo", "x" * 81), 2, None, None),
        (("unstake", "0.1"), 1, "too-little", "staked"),
        (("unvouch", "ben"), 1, "never-said", "do not vouch"),
        (("report", "ben", "--why", "boring"), 1, "malformed", "no reason"),
        (("witness", "ben", "--rate", "groove"), 2, "usage", "no rating"),
        (("witness", "ben", "--session", "ab" * 32), 1, "unknown-session", "no session"),
        (("send", "ben"), 2, None, None),
    ],
)
async def test_what_cannot_be_signed(
    served: Served, runtime: Path, arguments: tuple[str, ...], code: int, reason: str | None, words: str | None
) -> None:
    desk = Desk(served, runtime, None)
    total = desk.purse.engine.documents.total()
    done = await desk.run(*arguments, "--yes", "--json")
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output and desk.purse.engine.documents.total() == total
    if words is not None or reason is not None:
        error = json.loads(done.stdout)
        assert error["schema"] == "symjam.error/1" and error["what"] and error["why"]
        assert error.get("reason") == reason
        assert done.stderr.startswith("symjam: ") and (words or "") in done.stderr


async def test_it_is_shown_before_it_is_signed_and_not_signed_unasked(served: Served, runtime: Path) -> None:
    desk = Desk(served, runtime, None)
    total = desk.purse.engine.documents.total()
    done = await desk.run("send", "ben", "0.25", "--memo", "hi")
    assert done.exit_code == 1 and "no terminal to ask at" in done.stderr and "--yes" in done.stderr
    for shown in ("0.250000 JAM", desk.ben, "that is ben", "hi", "left", "no fee", "can still go wrong", "no founders"):
        assert shown in done.stderr
    assert done.stdout == "" and desk.purse.engine.documents.total() == total


async def test_the_passphrase_is_asked_for_by_the_node(served: Served, runtime: Path) -> None:
    desk = Desk(served, runtime, PASSPHRASE)
    total = desk.purse.engine.documents.total()
    for typed, reason in ((None, "locked"), (PASSPHRASE + "x", "wrong-passphrase")):
        done = await desk.run("send", "ben", "0.1", "--yes", "--json", passphrase=typed)
        assert done.exit_code == 4 and json.loads(done.stdout).get("reason") == reason
        assert PASSPHRASE not in done.output
    status, error = await served.error(
        "POST", "/api/operations", body=json.dumps({"wish": {"kind": "stake", "amount_micro": 1}}).encode()
    )
    assert (status, error["reason"]) == (403, "locked"), "the API is not believed to have asked"
    assert desk.purse.engine.documents.total() == total
    done = await desk.run("send", "ben", "0.1", "--yes", passphrase=PASSPHRASE)
    assert done.exit_code == 0 and PASSPHRASE not in done.output


async def test_what_does_not_count_in_the_end_is_5(served: Served, runtime: Path, nursery: trio.Nursery) -> None:
    desk = Desk(served, runtime, None)
    desk.purse.link()
    engine = desk.purse.engine

    async def lose() -> None:
        before = engine.authoring.signed
        while engine.authoring.signed == before:
            await trio.sleep(0.01)
        assert engine.authoring.signed is not None
        engine.ledger.freeze(engine.player, engine.authoring.signed.document, engine.authoring.signed.seq)

    nursery.start_soon(lose)
    done = await desk.run("send", "ben", "0.1", "--yes", "--wait", "20", "--json")
    assert (done.exit_code, json.loads(done.stdout)["state"]) == (5, "cut")


async def cutting(port: int, answers: list[int], task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
    """A way to the server on which the first answers to POST /api/operations are lost, as many as `answers` says."""

    async def carry(near: trio.SocketStream) -> None:
        async with near, await trio.open_tcp_stream("127.0.0.1", port) as far:
            asked = (await near.receive_some(65_536)).replace(b"127.0.0.1:%d" % own, b"127.0.0.1:%d" % port)
            while b"\r\n\r\n" not in asked or (asked.startswith(b"POST") and not asked.endswith(b"}")):
                asked += await near.receive_some(65_536)
            await far.send_all(asked)
            answer = await far.receive_some(65_536)
            if asked.startswith(b"POST /api/operations ") and answers[0]:
                answers[0] -= 1
                return
            while answer:
                await near.send_all(answer)
                answer = await far.receive_some(65_536)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, carry, 0, host="127.0.0.1"))
        own = listeners[0].socket.getsockname()[1]
        task_status.started(own)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_command_whose_answer_is_lost_is_signed_once(
    served: Served, tmp_path: Path, nursery: trio.Nursery, lost: int
) -> None:
    with Runtime(tmp_path) as runtime:
        runtime.publish(await nursery.start(cutting, served.address.port, [lost]), TOKEN)
        desk = Desk(served, tmp_path, None)
        done = await desk.run("send", "ben", "0.1", "--yes", "--json", "--wait", "0")
        if lost == 2:  # also the second one: it says how to go on
            error = json.loads(done.stdout)
            assert (done.exit_code, error["reason"]) == (1, "not-known") and "--request" in error["remedy"]
            number = error["remedy"].split("--request ")[1][:32]
            done = await desk.run("send", "ben", "0.2", "--json", "--request", number)
            assert (done.exit_code, json.loads(done.stdout)["reason"]) == (1, "request-reused")
            done = await desk.run("send", "ben", "0.1", "--json", "--wait", "0", "--request", number)
        else:
            assert "asking again" in done.stderr and "it is signed, once" in done.stderr
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["state"] == "pending"
        assert (
            sum(spend.op.lots[0].amount_micro for spend in desk.purse.engine.ledger.received(desk.purse.others[0]))
            == 100_000
        )
        assert (await desk.run("stake", "0.1", "--request", "7")).exit_code == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"wish": {"kind": "mint", "amount_micro": 1}}',
        b'{"wish": {"kind": "stake", "amount_micro": 0}}',
        b'{"wish": {"kind": "stake", "amount_micro": 1.5}}',
        b'{"wish": {"kind": "stake", "amount_micro": 1, "lots": []}}',
        b'{"wish": {"kind": "vouch", "player": "ABCD"}}',
        b'{"wish": {"kind": "stake", "amount_micro": 1}, "passphrase": 7}',
        b'{"wish": {"kind": "stake", "amount_micro": 1}, "request": "7"}',
    ],
)
@pytest.mark.parametrize("path", ["/api/operations", "/api/operations/plan"])
async def test_a_wish_that_cannot_be_read_is_a_400(served: Served, path: str, body: bytes) -> None:
    assert (await served.error("POST", path, body=body))[0] == 400


async def test_what_was_signed_can_be_looked_at_from_every_side(served: Served, runtime: Path) -> None:
    desk = Desk(served, runtime, None)
    await desk.run("vouch", "ben", "--yes")
    paid = await desk.said("send", "ben", "0.1", "--memo", "=1+1\x1b[31m", "--yes")
    await desk.run("stake", "0.2", "--yes")
    lines = (await desk.run("history", "--csv")).stdout.splitlines()
    assert lines[0].startswith("number,epoch,window,role,counted,amount_jam")
    assert len(lines) == 4 and lines[2].startswith("2,") and ",-0.100000,0.100000," in lines[2] and "'=1+1" in lines[2]
    shown = await desk.run("history", "--limit", "2")
    assert "sent" in shown.stdout and "\x1b" not in shown.stdout and "=1+1?[31m" in shown.stdout
    wallet = await desk.said("show")
    why = (await desk.said("explain", "balance"))["words"]
    assert f"= {(wallet['balance_micro'] + 200_000) / 1e6:.6f} JAM held" in why and "-0.200000 JAM  staked" in why
    entry = await desk.said("explain", "operation", paid["entry"][:10])
    assert entry["about"] == paid["entry"] and any("nobody else" in line for line in entry["words"])
    trusted = await desk.said("value")
    assert trusted["schema"] == "symjam.value/1" and trusted["value_micro"] == wallet["balance_micro"] + 200_000
    assert {tuple(lot["path"]) for lot in trusted["lots"]} == {(desk.purse.engine.player.hex(),)}
    assert (await desk.said("value", "--by", "tags"))["value_micro"] == 0
    halved = await desk.said("value", "--by", "provenance", "--weight", "played=0.5")
    assert halved["value_micro"] == sum(lot["amount_micro"] // 2 for lot in wallet["lots"])
    for words in (("value",), ("show",), ("explain", "balance"), ("explain", "operation", paid["entry"])):
        assert max(map(len, (await desk.run(*words)).stdout.splitlines())) <= 130


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("value", "--by", "love"), 2),
        (("value", "--weight", "blues"), 2),
        (("value", "--weight", "blues=17"), 2),
        (("value", "--weight", "blues=-1"), 2),
        (("explain", "verdict"), 2),
        (("explain", "operation"), 2),
        (("explain", "operation", "zz"), 1),
        (("explain", "operation", "00" * 32), 1),
        (("explain", "refusal", "12"), 1),
        (("explain", "reward", "00" * 32), 1),
    ],
)
async def test_what_cannot_be_asked(served: Served, runtime: Path, arguments: tuple[str, ...], code: int) -> None:
    done = await Desk(served, runtime, None).run(*arguments)
    assert done.exit_code == code and "Traceback" not in done.output and len(done.stderr.splitlines()) >= 1


async def test_what_is_shown_of_blocks_that_were_voted_on_fits_a_terminal(served: Served, runtime: Path) -> None:
    desk = Desk(served, runtime, None)
    engine, now_us = desk.purse.engine, desk.purse.now_us
    served.node.block_documents = [views.block(engine, state, now_us) for state in engine.ledger.blocks()]
    block = served.node.block_documents[0]["id"]
    shown = await desk.run("send", "ben", "0.25", "--memo", "x" * 80, "--yes", "--wait", "0")
    entry = shown.stdout.split()[-1]
    found = {}
    for words in (
        ("blocks",),
        ("explain", "verdict", block),
        ("explain", "reward", block),
        ("explain", "balance"),
        ("explain", "operation", entry),
        *(("wallet", name) for name in ("show", "balance", "history", "list")),
        *(("wallet", "value", "--by", by) for by in ("trust", "tags", "provenance")),
    ):
        done = await desk.command(*words)
        assert done.exit_code == 0, done.output
        found[words] = done.stdout
        assert untidy(done.stdout) == [] == untidy(done.stderr), words
    assert "quorum" in found["blocks",] and "reward" in found["blocks",]
