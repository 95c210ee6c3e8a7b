"""What is to be done in which epoch, and epochs in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consensus.agenda import Agenda, Epochs, earliest
from crdt.types import Epoch

numbers = st.integers(0, 6).map(Epoch)


@given(st.lists(st.tuples(numbers, st.one_of(st.none(), st.integers(0, 3)))))
def test_the_earliest_comes_first_and_what_is_taken_is_gone(said: list[tuple[Epoch, int | None]]) -> None:
    agenda: Agenda[int] = Agenda()
    plain: dict[Epoch, set[int]] = {}
    for epoch, item in said:
        if item is None:
            assert agenda.take(epoch) == plain.pop(epoch, set())
        else:
            agenda.add(epoch, item)
            plain.setdefault(epoch, set()).add(item)
        assert agenda.next_epoch() == min(plain, default=None)


@given(st.lists(numbers), numbers, st.one_of(st.none(), numbers))
def test_epochs_from_one_on_and_before_another(said: list[Epoch], since: Epoch, until: Epoch | None) -> None:
    epochs = Epochs()
    for epoch in said:
        epochs.add(epoch)
    expected = [epoch for epoch in sorted(set(said)) if epoch >= since and (until is None or epoch < until)]
    assert epochs.between(since, until) == expected and (since in epochs) is (since in said)


def test_the_earliest_of_several_where_some_have_nothing() -> None:
    assert earliest(None, Epoch(3), None, Epoch(0)) == 0
    assert earliest(None, None) is None
