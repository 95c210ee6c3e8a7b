"""The contract of Store, held by every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse
from crdt.store.base import Store
from crdt.store.faulty import FaultyStore
from crdt.store.level import LevelStore
from crdt.store.memory import MemoryStore

MAKERS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "faulty": lambda _: FaultyStore(),
    "leveldb": LevelStore,
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = MAKERS[request.param](tmp_path / "store")
    assert made.kind == request.param
    yield made
    made.close()


def test_a_missing_key_is_none_and_an_empty_value_is_not(store: Store) -> None:
    store.write([(b"k", b"")], sync=False)
    assert store.get(b"k") == b""
    assert store.get(b"other") is None


def test_scan_is_in_byte_order_and_within_the_prefix(store: Store) -> None:
    keys = [b"b", b"a\xff", b"a\x00", b"a", b"ab", b"aa\xff\xff", b"b\x00", b"\xff\xff"]
    store.write([(key, key.hex().encode()) for key in keys], sync=True)
    assert [key for key, _ in store.scan(b"a")] == [b"a", b"a\x00", b"aa\xff\xff", b"ab", b"a\xff"]
    assert [key for key, _ in store.scan(b"\xff")] == [b"\xff\xff"]
    assert [key for key, _ in store.scan(b"")] == sorted(keys)
    assert list(store.scan(b"c")) == []


def test_scan_from_a_start_includes_it(store: Store) -> None:
    store.write([(bytes([97, n]), b"v") for n in range(5)], sync=False)
    assert [key[1] for key, _ in store.scan(b"a", start=b"a\x02")] == [2, 3, 4]
    assert [key[1] for key, _ in store.scan(b"a", start=b"a\x02\x00")] == [3, 4]
    assert [key[1] for key, _ in store.scan(b"a", start=b"A")] == [0, 1, 2, 3, 4]
    assert list(store.scan(b"a", start=b"b")) == []


def test_in_one_batch_the_later_word_wins(store: Store) -> None:
    store.write([(b"x", b"1"), (b"x", None), (b"y", None), (b"y", b"2")], sync=False)
    assert store.get(b"x") is None
    assert store.get(b"y") == b"2"


def test_a_scan_does_not_see_writes_made_while_it_runs(store: Store) -> None:
    store.write([(b"a1", b""), (b"a3", b"")], sync=False)
    items = store.scan(b"a")
    assert next(items)[0] == b"a1"
    store.write([(b"a2", b""), (b"a3", None)], sync=False)
    assert [key for key, _ in items] == [b"a3"]
    assert [key for key, _ in store.scan(b"a")] == [b"a1", b"a2"]


def test_a_closed_store_refuses_and_closing_again_does_nothing(store: Store) -> None:
    store.write([(b"k", b"v")], sync=False)
    store.close()
    store.close()
    with pytest.raises(Misuse):
        store.get(b"k")
    with pytest.raises(Misuse):
        store.write([(b"k", b"v")], sync=False)
    with pytest.raises(Misuse):
        list(store.scan(b""))


_keys = st.binary(max_size=3)
_batches = st.lists(st.lists(st.tuples(_keys, st.none() | st.binary(max_size=2)), max_size=6), max_size=6)


@given(_batches, _keys, _keys)
def test_memory_agrees_with_a_plain_dict(
    batches: list[list[tuple[bytes, bytes | None]]], prefix: bytes, start: bytes
) -> None:
    store, model = MemoryStore(), dict[bytes, bytes]()
    for batch in batches:
        store.write(batch, sync=False)
        for key, value in batch:
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
        expected = [item for item in sorted(model.items()) if item[0].startswith(prefix) and item[0] >= start]
        assert list(store.scan(prefix, start)) == expected
