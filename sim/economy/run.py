"""One economy from one seed, to a Result."""

from __future__ import annotations

import gc
import time

from sim.economy.earnings import Earned, Earnings
from sim.economy.plan import HONEST, Plan, checked
from sim.economy.stories import TALES
from sim.economy.town import Town
from sim.result import Number, Result, Series


def run_economy(plan: Plan, seed: int) -> Result:
    """Play it, and say what everybody got. Same plan and seed, same figures, but for those that end in `_wall_s`."""
    began = time.perf_counter()
    if plan.tale:
        figures, series = TALES[plan.tale](checked(plan), seed)
        return _result(plan, seed, figures, series, began)
    town = Town(checked(plan), seed)
    earnings = Earnings(town)
    try:
        for epoch in town.epochs():
            earnings.note(epoch)
            gc.freeze()  # millions of values that stay: the collector need not look through them again and again
    finally:
        gc.unfreeze()
    earnings.close()
    figures = figures_of(town, earnings)
    return _result(plan, seed, figures, series_of(town, earnings), began)


def _result(plan: Plan, seed: int, figures: dict[str, Number], series: tuple[Series, ...], began: float) -> Result:
    return Result(
        scenario=plan.name,
        fidelity="economy",
        signatures="none",
        seed=seed,
        nodes=plan.players,
        windows=plan.windows,
        figures=figures | {"run_wall_s": round(time.perf_counter() - began, 3)},
        series=series,
    )


def figures_of(town: Town, earnings: Earnings) -> dict[str, Number]:
    """Single numbers: of all, then of each group, by the head and beside honest people's."""
    honest = earnings.groups[HONEST]
    each = honest.income_micro / honest.heads
    books = town.book.fold.books
    figures: dict[str, Number] = {
        "minted_micro": books.minted_micro,
        "burned_micro": books.burned_micro,
        "ops": town.book.said,
        "blocks": sum(row.proposed for row in earnings.rows),
        "honest_each_micro": each,
        "honest_finalised": share(honest.accepted - honest.fakes_accepted, honest.proposed - honest.fakes),
        "honest_fabricated": share(honest.fabricated, honest.proposed),
        "mean_w": earnings.rows[-1].mean_w,
    }
    for name, earned in earnings.groups.items():
        if name != HONEST and earned.heads:
            figures |= {f"{name}_{what}": number for what, number in of_group(earned, each).items()}
            figures[f"{name}_persons"] = earnings.rows[-1].weights[name]
            weight = sum(earnings.rows[-1].weights.values())
            figures[f"{name}_weight_share"] = share(earnings.rows[-1].weights[name], weight)
    return figures


def of_group(earned: Earned, honest_each: float) -> dict[str, Number]:
    """A group's figures: `own` is what its own blocks brought it, `all` what it got for verifying others' too."""
    return {
        "own_over_honest": share(earned.own_micro, honest_each),
        "all_over_honest": share(earned.income_micro, honest_each),
        "own_each": share(earned.own_micro / earned.heads, honest_each),
        "all_each": share(earned.income_micro / earned.heads, honest_each),
        "burned_micro": earned.burned_micro,
        "accepted": share(earned.accepted, earned.proposed),
        "fakes_accepted": share(earned.fakes_accepted, earned.fakes),
        "fabricated": share(earned.fabricated, earned.proposed),
    }


def share(part: float, whole: float) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole else 0.0


def series_of(town: Town, earnings: Earnings) -> tuple[Series, ...]:
    """Tables by epoch."""
    names = tuple(earnings.groups)
    heads = {name: max(1, earned.heads) for name, earned in earnings.groups.items()}
    rows, supply = earnings.rows, 0
    supplies: list[tuple[int, int, int]] = []
    for row in rows:
        supply += row.minted_micro
        supplies.append((len(supplies), row.minted_micro, supply))
    return (
        Series(
            "income",
            "What a head of each group got in an epoch",
            "Playing and verifying together; before a group begins to do what it is for, nothing is counted.",
            ("epoch", *names),
            tuple((n, *(row.income_micro[name] / heads[name] for name in names)) for n, row in enumerate(rows)),
            "micro-JAM",
        ),
        Series(
            "weight",
            "What each group weighs together",
            "In persons: one founder without a stake is one.",
            ("epoch", *names),
            tuple((n, *(row.weights[name] for name in names)) for n, row in enumerate(rows)),
            "persons",
        ),
        Series(
            "supply",
            "Coins minted",
            "By epoch, and all so far; an epoch's budget bounds the first.",
            ("epoch", "in_epoch", "so_far"),
            tuple(supplies),
            "micro-JAM",
        ),
        Series(
            "quality_of_life",
            "Blocks accepted, and how familiar verifiers are",
            "The share of all proposed blocks that were accepted, and the mean w of these.",
            ("epoch", "accepted", "mean_w"),
            tuple((n, share(row.accepted, row.proposed), row.mean_w) for n, row in enumerate(rows)),
        ),
    )
