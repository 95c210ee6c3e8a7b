"""`symjam explain`, and the call that it makes."""

from __future__ import annotations

import json
from functools import partial

import pytest
import trio
from click.testing import CliRunner

from crdt.errors import OperatingFailure
from node.cli import main
from node.client import Client
from node.commands import explain
from tests.node.api.conftest import Served


async def test_a_block_by_its_id_or_by_how_it_begins(served: Served) -> None:
    block = served.node.propose(served.node.me, 1)
    client = Client(served.address)
    for begins in (block["id"], block["id"][:4], block["id"][:9].upper()):
        found = await trio.to_thread.run_sync(partial(client.block, begins))
        assert (found["schema"], found["block"]["id"]) == ("symjam.block/1", block["id"])


@pytest.mark.parametrize("begins", ["abc", "g" * 8, "00000000", "a" * 65, "%00" * 4, "..%2fstatus", "٣٣٣٣", "-1234"])
async def test_no_such_block(served: Served, begins: str) -> None:
    served.node.propose(served.node.me, 1)
    with pytest.raises(OperatingFailure) as failure:
        await trio.to_thread.run_sync(partial(Client(served.address).block, begins))
    assert failure.value.what == "no such block"


async def test_two_that_begin_alike(served: Served) -> None:
    one, other = served.node.propose(served.node.me, 1), served.node.propose(served.node.me, 2)
    other["id"] = one["id"][:8] + other["id"][8:]
    assert (await served.error("GET", f"/api/blocks/{one['id'][:8]}"))[0] == 409
    assert (await served.call("GET", f"/api/blocks/{one['id']}"))[0] == 200


async def test_what_is_said(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    block = served.node.propose(served.node.me, 1)
    monkeypatch.setattr(explain, "client", lambda _: Client(served.address))

    async def said(what: str, as_json: bool = False) -> str:
        run = partial(explain.run, None, what, block["id"][:8], as_json)
        assert await trio.to_thread.run_sync(run) == 0
        return capsys.readouterr().out

    assert "no reward: the block is pending" in await said("reward")
    served.node.decide(block, ["ab" * 32, "cd" * 32], m=2)
    head, *words = (await said("reward")).splitlines()
    assert head.split() == ["block", block["id"][:8], "window", "1", "by", served.node.me[:8], "local"]
    assert [line.strip() for line in words] == block["reward"]["words"]
    assert [line.strip() for line in (await said("verdict")).splitlines()[1:]] == block["words"]
    document = json.loads(await said("reward", as_json=True))
    assert document == {
        "schema": "symjam.explain/1",
        "block": block["id"],
        "what": "reward",
        "words": block["reward"]["words"],
    }


@pytest.mark.parametrize("arguments", [[], ["reward"], ["price", "abcd"], ["reward", "abcd", "ef01"]])
def test_what_cannot_be_asked(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["explain", *arguments]).exit_code == 2
