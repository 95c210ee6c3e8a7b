"""What is said under a key, by whom first, and taking it back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consensus.chains import Source
from consensus.claims import Claims
from crdt.types import EntryId, Epoch, PlayerId, Seq


def source(number: int) -> Source:
    return Source(Epoch(1), Seq(number), 0, PlayerId(bytes(32)), EntryId(bytes(32)))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6), st.booleans()), max_size=40))
def test_the_first_of_what_is_still_said(said: list[tuple[str, int, bool]]) -> None:
    claims: Claims[str, int] = Claims()
    plain: dict[str, dict[int, int]] = {"a": {}, "b": {}}
    for nth, (key, number, is_said) in enumerate(said):
        if is_said:
            claims.say(key, source(number), nth)
            plain[key][number] = nth
        else:
            claims.unsay(key, source(number))
            plain[key].pop(number, None)
        for name, held in plain.items():
            first = min(held, default=None)
            assert claims.first(name) == (None if first is None else (source(first), held[first]))
            assert list(claims.of(name).items()) == [(source(n), held[n]) for n in sorted(held)]
            assert (name in claims) is bool(held)
    assert sorted(claims) == [name for name, held in plain.items() if held] and len(claims) == len(list(claims))


def test_one_thing_said_often_is_taken_back_without_looking_through_all_of_it() -> None:
    """Each comparison is counted: some for each source, not one for each pair of them."""
    claims: Claims[str, None] = Claims()
    compared = 0

    class Counting(Source):
        def __lt__(self, other: Source) -> bool:
            nonlocal compared
            compared += 1
            return self.seq < other.seq

    many = [Counting(Epoch(1), Seq(number), 0, PlayerId(bytes(32)), EntryId(bytes(32))) for number in range(1_000)]
    for one in many:
        claims.say("a", one, None)
        claims.first("a")
    for one in many:
        assert claims.first("a") == (one, None)
        claims.unsay("a", one)
    assert claims.first("a") is None and 0 < compared < 40_000
