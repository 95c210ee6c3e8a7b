"""docs/api.md is the contract, and node/shapes: whatever the daemon shows is named there, and of these types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jam.board import Assign, Say, SetTitle
from jam.synthetic import make
from node.engine.inputs import Edit, HintReceived, OpenSession
from node.shapes import jam, ledger, money
from node.shapes.status import HeldDocument, Peer, Status
from node.shell import purse, views
from node.shell.history import history
from tests.fitting import misfit
from tests.node.shell.test_backend import Scene
from tests.sim.room import SECOND, perform, room, settle

DOCS = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
BY_CONTENT = {"counters", "refused", "guarded", "violations", "verifiers"}  # their keys are data, not fields


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in BY_CONTENT:
                yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _undocumented(shown: Any) -> set[str]:
    return {name for name in _names(shown) if not re.search(rf"\b{re.escape(name)}\b", DOCS)}


def test_the_check_can_fail() -> None:
    assert _undocumented({"status": [{"no_such_field": 1}]}) == {"no_such_field"}
    vouches = {"schema": "symjam.vouches/1", "player": "ab" * 32, "vouches": []}
    assert not misfit(vouches, money.Vouches)
    for wrong in ({"schema": "symjam.vouches/2"}, {"player": "AB" * 32}, {"more": 1}, {"vouches": None}):
        assert misfit({**vouches, **wrong}, money.Vouches)
    assert misfit({"player": "ab" * 32, "vouches": []}, money.Vouches)  # it does not say what it is


def test_status_and_wallet_are_documented(tmp_path: Path) -> None:
    backend = Scene(tmp_path).backend
    backend.engine.handle(backend.now_us(), HintReceived(b"no hint"))
    assert backend.status()["quarantine"]["suspects"]
    assert not _undocumented(backend.status())
    assert not _undocumented(backend.wallet())
    assert not _undocumented(backend.jam())
    for shown, kind in ((backend.status(), Status), (backend.wallet(), money.Wallet), (backend.jam(), jam.Jam)):
        assert not misfit(shown, kind)


def test_blocks_windows_peers_and_history_are_documented() -> None:
    world, hosts = room(3)
    world.run_until(world.now_us + 2 * SECOND)
    world.run_until(perform(world, hosts[0], make(3, 25 * SECOND, 100_000)))
    settle(world)
    engine = hosts[0].engine
    blocks = [views.block(engine, state, world.now_us) for state in engine.ledger.blocks()]
    assert any(block["reward"] for block in blocks)
    windows = [views.window(outcome) for outcome in engine.duties.outcomes.values()]
    hosts[0].give(OpenSession("tune", 90_000, 4, 4))
    for change in (SetTitle("x"), Assign("bass", None), Say("hi")):
        hosts[0].give(Edit(change))
    placed = engine.current_session(world.now_us)
    assert placed is not None
    board = views.board(engine.boards.board(placed.facts.id))
    assert board["parts"] and board["lines"] and not _undocumented(board)
    peers = [views.peer(peer, (), world.now_us) for peer in engine.peers.values()]
    assert windows and peers
    shapes = {
        list[ledger.Block]: blocks,
        list[ledger.OwnWindow]: windows,
        list[Peer]: peers,
        jam.Board: board,
        money.History: history(engine, world.now_us, 99),
        money.Wallet: purse.wallet(engine),
        list[HeldDocument]: views.documents(engine),
    }
    for kind, shown in shapes.items():
        assert not _undocumented(shown)
        assert not misfit(shown, kind)
