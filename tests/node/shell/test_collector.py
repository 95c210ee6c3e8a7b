"""The collector is off while a store is read, and on afterwards, whatever happened."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from node.shell.collector import no_collecting, spare_what_stands


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_off_meanwhile_and_on_afterwards() -> None:
    with no_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_meanwhile_is_not_looked_through_afterwards() -> None:
    with no_collecting():
        kept = [[number] for number in range(10_000)]
    assert gc.get_freeze_count() > len(kept)
    assert not any(one is kept for one in gc.get_objects())


def test_on_after_a_failure() -> None:
    with pytest.raises(OSError), no_collecting():
        raise OSError
    assert gc.isenabled()


def test_what_stands_is_spared() -> None:
    spare_what_stands()
    assert gc.get_freeze_count() > 0
