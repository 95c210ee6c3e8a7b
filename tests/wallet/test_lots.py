"""Which coins are paid with: whatever is held, the sum is exact, nothing is named twice, and never too much at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.ops import OPS_PER_ENTRY_MAX, LotRef, Transfer, decode_ops, encode_ops
from crdt.errors import Misuse
from crdt.limits import LOTS_PER_OP_MAX
from crdt.types import BlockId, MicroJam, PlayerId, Window
from wallet.lots import LOTS_PER_SPEND_MAX, OPS_PER_SPEND_MAX, Held, TooLittle, TooScattered, choose


def block(number: int) -> BlockId:
    return BlockId(number.to_bytes(32, "big"))


def dust(count: int, amount_micro: int = 1) -> list[Held]:
    return [Held(Window(count - n), block(n), MicroJam(amount_micro)) for n in range(count)]


@st.composite
def purses(draw: st.DrawFn) -> list[Held]:
    numbers = draw(st.lists(st.integers(0, 2**200), unique=True, max_size=400))
    amounts = st.integers(1, 2 ** draw(st.sampled_from([1, 8, 50])))
    return [Held(Window(draw(st.integers(0, 30))), block(n), MicroJam(draw(amounts))) for n in numbers]


@given(purses(), st.integers(1, 2**59), st.randoms())
def test_any_purse_pays_exactly_or_says_what_it_can(held: list[Held], wanted: int, order: object) -> None:
    total = sum(lot.amount_micro for lot in held)
    wanted = wanted if wanted % 3 == 0 or not total else 1 + wanted % total
    try:
        parts = choose(held, wanted)
    except TooLittle as little:
        assert little.held_micro == total < wanted
        return
    except TooScattered as scattered:
        assert scattered.most_micro < wanted <= total
        assert sum(lot.amount_micro for part in choose(held, scattered.most_micro) for lot in part) > 0
        return
    lots = [lot for part in parts for lot in part]
    amounts = {lot.block: lot.amount_micro for lot in held}
    assert sum(lot.amount_micro for lot in lots) == wanted
    assert [lot.block for lot in lots] == sorted({lot.block for lot in lots})
    assert all(0 < lot.amount_micro <= amounts[lot.block] for lot in lots)
    assert 0 < len(parts) <= OPS_PER_SPEND_MAX and all(0 < len(part) <= LOTS_PER_OP_MAX for part in parts)
    assert sum(lot.amount_micro < amounts[lot.block] for lot in lots) <= 1, "one lot at most is split"
    order.shuffle(held)  # type: ignore[attr-defined]
    assert choose(held, wanted) == parts


def test_the_oldest_go_first() -> None:
    held = [
        Held(Window(9), block(1), MicroJam(50)),
        Held(Window(3), block(2), MicroJam(7)),
        Held(Window(3), block(0), MicroJam(7)),
    ]
    assert choose(held, 10) == ((LotRef(block(0), MicroJam(7)), LotRef(block(2), MicroJam(3))),)


def test_where_dust_would_fill_the_entry_the_largest_go() -> None:
    held = [*dust(LOTS_PER_SPEND_MAX + 5), Held(Window(999), block(10**6), MicroJam(1_000))]
    assert choose(held, 900) == ((LotRef(block(10**6), MicroJam(900)),),)
    with pytest.raises(TooScattered) as scattered:
        choose(held, 1_000 + LOTS_PER_SPEND_MAX)
    assert scattered.value.most_micro == 1_000 + LOTS_PER_SPEND_MAX - 1
    assert len(choose(held, scattered.value.most_micro)) == OPS_PER_SPEND_MAX


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_no_amount(amount: int) -> None:
    with pytest.raises(Misuse):
        choose(dust(3), amount)


def test_the_largest_payment_fits_one_entry() -> None:
    held = [Held(Window(n), BlockId(bytes([n]) * 32), MicroJam(2**60)) for n in range(256)]
    parts = choose(held, 2**60 * LOTS_PER_SPEND_MAX)
    ops = tuple(Transfer(PlayerId(bytes(32)), part, "\U0001f3b5" * 80) for part in parts)
    assert len(ops) == OPS_PER_SPEND_MAX <= OPS_PER_ENTRY_MAX
    assert decode_ops(encode_ops(ops)) == (ops, 0)
