"""`symjam blocks`: a reward's factors, what it was cut to, and what was not minted."""

from __future__ import annotations

from typing import Any

from node.commands.blocks import block_lines

REWARD = {
    "base_micro": 1_000_000,
    "quality_q16": 47_920,
    "mean_w_q16": 57_724,
    "cluster_q16": 49_152,
    "riff_q16": 32_768,
    "person_q16": 65_536,
    "points_micro": 241_515,
    "paid_micro": 241_515,
    "proposer_micro": 193_212,
    "verifiers": {"ab" * 32: 24_152},
    "unminted": {},
}
VOTE = {"verifier": "ab" * 32, "vote": "yes", "words": "", "m": 1, "w_q16": 57_724}
BLOCK = {
    "id": "cd" * 32,
    "window": 7,
    "proposer": "ef" * 32,
    "state": "local",
    "quality": {"accuracy": 65_536, "total": 47_920},
    "votes": [VOTE, {**VOTE, "vote": "no", "words": "too few events"}],
    "eligible": 9,
    "quorum": 5,
    "reward": REWARD,
}


def said(**changed: Any) -> str:
    return "\n".join(block_lines({**BLOCK, "reward": {**REWARD, **changed}}))


def test_every_factor_is_there() -> None:
    text = said()
    factors = "1.000000 JAM x quality 0.7312 x mean w 0.8808 x cluster 0.7500 x riff 0.5000"
    assert f"reward 0.241515 JAM = {factors}" in text
    assert "0.193212 JAM to the player, the rest to the verifiers" in text
    assert "pro rata" not in text and "minted" not in text
    assert "m  1  w 0.8808 (57724 of 65536)" in text and "too few events" in text


def test_what_the_budget_and_the_cap_take() -> None:
    text = said(paid_micro=120_000, unminted={"ab" * 32: 12_000, "12" * 32: 11_999})
    assert "riff 0.5000 x person 1.0000, pro rata" in text
    assert "but 0.023999 JAM not minted: paid for enough blocks of this window" in text


def test_a_block_without_a_reward_says_nothing_of_one() -> None:
    assert "reward" not in "\n".join(block_lines({**BLOCK, "reward": None}))
