"""Contents that a ledger writes are read back as they are; those that contradict themselves are not read at all."""

from __future__ import annotations

import msgspec
import pytest

from consensus.content import Content, pack, unpack
from consensus.ledger import Ledger
from crdt.errors import Reason, Violation
from crdt.types import Epoch, ledger_epoch
from tests.consensus.histories.cast import remembered_proofs
from tests.consensus.histories.generate import generate
from tests.consensus.test_start import EPOCH, lively
from tests.vectors.contents import whole


def check(ledger: Ledger, first: int) -> None:
    for epoch in range(first, ledger.last_epoch + 3):
        content = ledger.content_at(Epoch(epoch))
        assert unpack(pack(content)) == content


@pytest.mark.parametrize("seed", range(24))
def test_whatever_happens_the_state_at_the_end_of_every_epoch_is_a_content(seed: int) -> None:
    with remembered_proofs():
        history = generate(seed, 3 + seed % 6, 2 + seed % 5)
        ledger = Ledger(history.params, history.network)
        for entry in history.entries:
            ledger.add(entry)
        check(ledger, max(0, ledger.last_epoch - 8))


@pytest.mark.parametrize("after", [0, 3, 7])
def test_so_is_that_of_a_ledger_that_started_from_one(after: int) -> None:
    world = lively()
    start = unpack(pack(world.ledger.content_at(Epoch(EPOCH + after))))
    ledger = Ledger(world.params, world.network, start)
    for entry in world.entries:
        if (ledger_epoch(entry.body.document) or 0) > start.epoch:
            ledger.add(entry)
    check(ledger, start.epoch + 1)


def refused(content: Content) -> Reason:
    with pytest.raises(Violation) as caught:
        unpack(pack(content))
    return caught.value.reason


def test_one_player_has_one_account_and_one_place_in_a_snapshot() -> None:
    """Before, only whole elements were compared: a second account with other coins passed."""
    content, change = whole(), msgspec.structs.replace
    richer = change(content.accounts[-1], coming=content.accounts[-1].coming[:1])
    accounts = tuple(sorted((*content.accounts, richer)))
    assert refused(change(content, accounts=accounts, minted_micro=content.minted_micro + 1)) is Reason.NON_CANONICAL
    heavier = change(content.present[-1], weight=10**9)
    assert refused(change(content, present=(*content.present, heavier))) is Reason.NON_CANONICAL


def test_what_is_held_is_what_was_minted_and_not_burned() -> None:
    content = whole()
    for minted in (content.minted_micro - 1, content.minted_micro + 1):
        assert refused(msgspec.structs.replace(content, minted_micro=minted)) is Reason.BAD_PAYLOAD
