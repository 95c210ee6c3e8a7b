"""The picture of docs/rules.md is what the ledger says."""

from __future__ import annotations

import pytest

from consensus.logistic import TABLE_Q16
from consensus.params import MAIN, ONE_Q16
from tests.consensus.decay import PICTURE, TIMES, Played, picture, play


@pytest.fixture(scope="module")
def parts() -> list[list[Played]]:
    return play()


def test_it_falls_by_the_table_for_twelve_windows(parts: list[list[Played]]) -> None:
    same = parts[0]
    assert [played.mean_w_q16 for played in same] == list(TABLE_Q16[:TIMES])
    assert [played.cluster_q16 for played in same] == [ONE_Q16, *[ONE_Q16 * 3 // 4] * (TIMES - 1)]
    for met, played in enumerate(same):
        assert played.worth_micro == MAIN.base_micro * TABLE_Q16[met] * played.cluster_q16 // ONE_Q16**2


def test_it_is_whole_with_others_and_again_after_the_horizon(parts: list[list[Played]]) -> None:
    same, others, later = parts
    assert others[0].worth_micro == later[0].worth_micro == same[0].worth_micro == 952_575
    assert later[0].window - others[0].window > MAIN.decay_horizon_windows
    assert [(p.worth_micro, p.mean_w_q16) for p in later] == [(p.worth_micro, p.mean_w_q16) for p in same]


def test_the_picture_in_the_documents_is_this_one(parts: list[list[Played]]) -> None:
    assert PICTURE.read_text() == picture(parts), "draw it again: make decay"
