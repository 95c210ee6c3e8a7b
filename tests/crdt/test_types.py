import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse
from crdt.types import (
    Epoch,
    SessionId,
    is_document,
    jam_document,
    jam_session,
    ledger_document,
    ledger_epoch,
    player_id,
    short,
)

SESSION = SessionId(bytes(range(32)))


@given(st.integers(0, 10**12 - 1))
def test_a_ledger_document_names_its_epoch(epoch: int) -> None:
    assert ledger_epoch(ledger_document(Epoch(epoch))) == epoch


@given(st.binary(min_size=32, max_size=32), st.integers(0, 999_999))
def test_a_jam_document_names_its_session_and_part(session: bytes, part: int) -> None:
    assert jam_session(jam_document(SessionId(session), part)) == (session, part)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ledger/",
        "ledger/-1",
        "ledger/+1",
        "ledger/01",
        "ledger/1\n",
        "ledger/1/0",
        "ledger/1000000000000",
        "ledger/١",  # a digit, but not an ASCII one: two spellings would be two documents
        "Ledger/1",
        "jam/",
        f"jam/{'a' * 63}/0",
        f"jam/{'A' * 64}/0",
        f"jam/{'a' * 64}",
        f"jam/{'a' * 64}/00",
        f"jam/{'a' * 64}/1000000",
        f"jam/{'a' * 64}/0\n",
        f"jam/{'g' * 64}/0",
        "../ledger/1",
    ],
)
def test_other_names_are_no_documents(name: str) -> None:
    assert not is_document(name)
    assert ledger_epoch(name) is None
    assert jam_session(name) is None


@pytest.mark.parametrize("epoch", [-1, 10**12])
def test_no_ledger_document_out_of_bounds(epoch: int) -> None:
    with pytest.raises(Misuse):
        ledger_document(Epoch(epoch))


@pytest.mark.parametrize(
    ("session", "part"), [(b"", 0), (bytes(31), 0), (bytes(33), 0), (SESSION, -1), (SESSION, 10**6)]
)
def test_no_jam_document_out_of_bounds(session: bytes, part: int) -> None:
    with pytest.raises(Misuse):
        jam_document(SessionId(session), part)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_player_id_has_32_bytes(size: int) -> None:
    with pytest.raises(Misuse):
        player_id(bytes(size))


def test_a_player_id_is_its_bytes() -> None:
    assert player_id(SESSION) == SESSION
    assert short(SESSION) == "00010203"
