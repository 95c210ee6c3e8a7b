"""What coins are worth to oneself: paths are the shortest, sums never exceed what is there."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wallet.value import BY_ROLE, HOPS_MAX, ONE_Q16, Origin, by_provenance, by_tags, by_trust, paths_from

PEOPLE = [f"{n:02x}" * 32 for n in range(14)]
ME = PEOPLE[0]


def lot(proposer: str, amount: int = 1_001, role: str = "played", *tags: str) -> Origin:
    return Origin(amount, proposer, role, tags)


def test_trust_halves_with_every_vouch_and_ends() -> None:
    chain = list(pairwise(PEOPLE))
    found = by_trust([lot(player) for player in PEOPLE], ME, chain)
    assert [v.weight_q16 for v in found[: HOPS_MAX + 1]] == [ONE_Q16 >> n for n in range(HOPS_MAX + 1)]
    assert [v.value_micro for v in found[:3]] == [1_001, 500, 250]
    assert found[2].path == tuple(PEOPLE[:3])
    assert all(v == (0, 0, ()) for v in found[HOPS_MAX + 1 :])


def test_a_vouch_counts_from_me_only() -> None:
    towards_me = [(player, ME) for player in PEOPLE[1:]]
    assert [v.value_micro for v in by_trust([lot(PEOPLE[1])], ME, towards_me)] == [0]


@given(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=60), st.randoms())
def test_paths_are_the_shortest_in_any_order(vouches: list[tuple[str, str]], order: object) -> None:
    paths = paths_from(ME, vouches)
    order.shuffle(vouches)  # type: ignore[attr-defined]
    assert paths_from(ME, vouches) == paths
    for player, path in paths.items():
        assert (path[0], path[-1]) == (ME, player) and len(set(path)) == len(path) <= HOPS_MAX + 1
        assert all(step in vouches for step in pairwise(path))
    for one, other in vouches:
        if one in paths and len(paths[one]) <= HOPS_MAX:
            assert len(paths[other]) <= len(paths[one]) + 1
    lots = [lot(player, 7) for player in PEOPLE]
    assert all(0 <= v.value_micro <= 7 for v in by_trust(lots, ME, vouches))


def test_tags_take_the_best_that_matches() -> None:
    lots = [lot(ME, 100, "played", "blues", "jazz"), lot(ME, 100, "played", "polka"), lot(ME, 100)]
    found = by_tags(lots, {"jazz": 2 * ONE_Q16, "blues": ONE_Q16, "polka": 0}, ONE_Q16 // 4)
    assert [(v.value_micro, v.path) for v in found] == [(200, ("jazz", "blues")), (0, ("polka",)), (25, ())]


def test_provenance_is_how_one_came_by_it() -> None:
    lots = [lot(ME, 1_000, role) for role in ("played", "attested", "performed", "received", "stolen")]
    assert [v.value_micro for v in by_provenance(lots)] == [1_000, 500, 1_000, 250, 0]
    assert [v.value_micro for v in by_provenance(lots, {**BY_ROLE, "received": ONE_Q16})][3] == 1_000
