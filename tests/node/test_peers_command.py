"""`symjam peers`: what a person and what a program reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from node.commands import peers
from node.commands.common import step_of

PEER = {
    "player": "ab" * 32,
    "transport": "tcp",
    "transports": ["tcp", "websocket"],
    "rtt_us": 1_250,
    "loss_permille": 31,
    "clock": {"offset_us": -1_500, "uncertainty_us": 80},
    "synced": True,
    "behind_entries": 0,
    "synced_us": 1_790_000_000_000_000,
    "address": "/ip4/192.168.1.7/tcp/4001",
}
NEW = {**PEER, "rtt_us": None, "clock": None, "synced": False, "behind_entries": 12, "transports": ["tcp"]}


def said(
    found: list[dict[str, Any]], as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    class Node:
        def status(self) -> dict[str, Any]:
            return {"player": "cd" * 32, "peers": found}

    monkeypatch.setattr(peers, "client", lambda _: Node())
    assert peers.run(None, as_json) == 0
    return capsys.readouterr().out


def test_a_table_with_all_of_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said([PEER, NEW], False, monkeypatch, capsys).splitlines()
    assert max(map(len, lines)) <= 80
    head, known, new = (f"{row}  {address.strip()}" for row, address in zip(lines[::2], lines[1::2], strict=True))
    assert head.split() == ["player", "transport", "latency", "loss", "clock", "synced", "address"]
    for word in ("abababab", "tcp (+1)", "1.2 ms", "3.1%", "-1.50 ± 0.08 ms", "yes", "/ip4/192.168.1.7/tcp/4001"):
        assert word in known
    assert new.count("?") == 2
    assert "12 behind" in new
    near = {**PEER, "transports": ["tcp"], "address": "/ip4/10.0.0.7/tcp/4"}  # all of it fits in one line
    head, known = said([near], False, monkeypatch, capsys).splitlines()
    assert known.index("/ip4") == head.index("address")


@pytest.mark.parametrize(
    ("synced", "behind", "synced_us", "words"),
    [(True, 0, 5, "yes"), (False, 0, 5, "live"), (False, 3, 5, "3 behind"), (False, 0, None, "0 behind")],
)
def test_while_somebody_plays_nobody_is_behind_who_lacks_nothing(
    synced: bool, behind: int, synced_us: int | None, words: str
) -> None:
    assert step_of({**PEER, "synced": synced, "behind_entries": behind, "synced_us": synced_us}) == words


def test_nobody_is_said_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nobody is linked" in said([], False, monkeypatch, capsys)


def test_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said([PEER], True, monkeypatch, capsys))
    assert document == {"schema": "symjam.peers/1", "player": "cd" * 32, "peers": [PEER]}
