"""The collector is off while a store is read, and on afterwards, whatever happened."""

from __future__ import annotations

import gc

import pytest

from node.shell.collector import no_collecting, spare_what_stands


def test_off_meanwhile_and_on_afterwards() -> None:
    with no_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_on_after_a_failure() -> None:
    with pytest.raises(OSError), no_collecting():
        raise OSError
    assert gc.isenabled()


def test_what_stands_is_spared() -> None:
    try:
        spare_what_stands()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
