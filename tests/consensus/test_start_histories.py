"""Random histories, each taken up again from a checkpoint at the end of any of its epochs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest

from consensus.content import pack, unpack, value_of
from consensus.ledger import Ledger
from crdt.types import ledger_epoch
from tests.consensus.histories.cast import remembered_proofs
from tests.consensus.histories.check import check_sums
from tests.consensus.histories.generate import generate
from tests.consensus.histories.scene import History

EPOCHS_MAX = 10  # of a history


@pytest.fixture(autouse=True)
def _proofs() -> Iterator[None]:
    with remembered_proofs():
        yield


def life(number: int) -> History:
    """A history whose votes are drawn by seeds that no checkpoint within it would make others of."""
    late = (history for seed in count(number * 100) if (history := generate(seed)).params.seed_delay > EPOCHS_MAX)
    return next(late)


@pytest.mark.parametrize("number", range(20))
def test_from_any_epoch_on_it_is_the_same_ledger(number: int) -> None:
    history, random = life(number), Random(number)
    whole = Ledger(history.params, history.network)
    for entry in history.entries:
        whole.add(entry)
    epochs = sorted({epoch for e in history.entries if (epoch := ledger_epoch(e.body.document)) is not None})
    balances, burned = whole.balances(), whole.burned_micro
    at = random.choice(epochs)
    content = unpack(pack(whole.content_at(at)))
    entries = list(history.entries)
    random.shuffle(entries)
    young = Ledger(history.params, history.network, content)
    for entry in entries:
        young.add(entry)
        if random.random() < 0.02:
            check_sums(young)
    check_sums(young)
    assert (young.balances(), young.burned_micro) == (balances, burned)
    for later in (epoch for epoch in epochs if epoch > at):
        one, other = young.content_at(later), whole.content_at(later)
        for name in ("accounts", "before", "present", "weights_before", "sessions", "vouches", "acks", "witnesses"):
            assert getattr(one, name) == getattr(other, name), name
        assert (one.reviews, one.accepted, one.minted_micro) == (other.reviews, other.accepted, other.minted_micro)
        assert {a.author: a.is_cut for a in one.authors} == {a.author: a.is_cut for a in other.authors}
    random.shuffle(entries)
    whole.restart(content, entries)
    assert whole.root() == young.root() and whole.base == young.base == value_of(history.network, content)


@pytest.mark.parametrize("number", range(20, 26))
def test_a_checkpoint_on_a_checkpoint_is_the_same_too(number: int) -> None:
    history = life(number)
    ledger = Ledger(history.params, history.network)
    for entry in history.entries:
        ledger.add(entry)
    epochs = sorted({epoch for e in history.entries if (epoch := ledger_epoch(e.body.document)) is not None})
    balances = ledger.balances()
    for at in epochs[:-1]:
        ledger.restart(unpack(pack(ledger.content_at(at))), history.entries)
        check_sums(ledger)
        assert ledger.balances() == balances
