"""Plots: what is drawn is where it should be, and is well-formed whatever it is made of."""

from __future__ import annotations

import re
from itertools import pairwise
from math import nan
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Misuse
from sim.report.chart import draw, picture
from sim.report.plot import MOST_LINES, MOST_POINTS, Line, Plot, plot_of
from sim.result import Series
from tests.sim.report.made import HOSTILE, series

VALUES = st.none() | st.integers(-(10**15), 10**15) | st.floats(-1e12, 1e12)


def drawn(one: Series) -> ElementTree.Element:
    plot = plot_of(one)
    assert plot is not None
    return ElementTree.fromstring(draw(plot, "p"))


def points(svg: ElementTree.Element) -> list[list[tuple[float, float]]]:
    lines = [one.attrib["points"].split() for one in svg.iter("polyline")]
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in line)] for line in lines]


@given(st.lists(st.tuples(st.integers(-1000, 1000), VALUES, VALUES), min_size=1, max_size=40), st.booleans())
def test_whatever_the_numbers_are_it_is_drawn_inside_the_picture(rows: list[tuple[int, ...]], is_bar: bool) -> None:
    one = series(*rows, kind="bar" if is_bar else "line")
    plot = plot_of(one)
    if all(row[1] is None and row[2] is None for row in rows):
        assert plot is None
        return
    svg = drawn(one)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for shape in svg.iter():
        for key in ("x", "x1", "x2", "cx"):
            assert -1 <= float(shape.attrib.get(key, 0)) <= width + 1
        for key in ("y", "y1", "y2", "cy"):
            assert -1 <= float(shape.attrib.get(key, 0)) <= height + 1
    assert all(-1 <= x <= width + 1 and -1 <= y <= height + 1 for line in points(svg) for x, y in line)


def test_a_line_breaks_at_a_gap() -> None:
    lines = points(drawn(series((0, 1), (1, 2), (2, None), (3, 3), (4, 4))))
    assert [len(line) for line in lines] == [2, 2]


def test_a_point_between_gaps_is_a_dot() -> None:
    svg = drawn(series(*((n, 1 if n == 50 else None) for n in range(100))))
    assert not points(svg) and len(list(svg.iter("circle"))) == 1


def test_rows_are_drawn_in_the_order_of_the_axis() -> None:
    (line,) = points(drawn(series((3, 9), (1, 1), (2, 4))))
    assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert [y for _, y in line] == sorted((y for _, y in line), reverse=True)


def test_more_is_higher_and_below_zero_hangs_down() -> None:
    svg = drawn(series(("honest", 10), ("ring", -5), ("sybils", 0), kind="bar"))
    tall, hanging, none = [(float(bar.attrib["y"]), float(bar.attrib["height"])) for bar in svg.iter("rect")]
    assert tall[0] + tall[1] == pytest.approx(hanging[0])
    assert tall[1] == pytest.approx(2 * hanging[1], abs=0.2) and none[1] == 0


def test_a_band_is_drawn_of_low_and_high_and_its_columns_are_no_lines() -> None:
    one = Series("a", "A", "", ("x", "y", "y_low", "y_high", "z_low"), ((1, 2, 1, 3, 0), (2, 3, 2, 4, 0)), "")
    svg = drawn(one)
    assert len(list(svg.iter("polygon"))) == 1
    assert len(points(svg)) == 2  # y, and z_low, whose other half is missing
    assert len([one for one in svg.iter("line") if one.attrib["class"] == "whisker"]) == 0
    alone = drawn(Series("a", "A", "", ("x", "y", "y_low", "y_high"), ((1, 2, 1, 3),), ""))
    assert len([one for one in alone.iter("line") if one.attrib["class"] == "whisker"]) == 1


def test_it_is_said_in_words_too() -> None:
    svg = drawn(series((0, 1, 5), (1, 2, None)))
    found = {one.tag: one for one in svg}
    ids = svg.attrib["aria-labelledby"].split()
    assert [found["title"].attrib["id"], found["desc"].attrib["id"]] == ids and svg.attrib["role"] == "img"
    assert found["title"].text == "Income"
    said = found["desc"].text or ""
    assert "Lines over window, 2 places." in said and "who 1: from 1 to 2 JAM, the last 2." in said
    assert said.endswith("What each earns")


def test_names_stand_at_the_ends_of_few_lines_and_in_a_legend_of_many() -> None:
    few, many = drawn(series((0, 1, 1, 1), (1, 2, 2, 2))), drawn(series((0, *range(6)), (1, *range(6))))
    ends = [one for one in few.iter("text") if one.attrib["class"].startswith("name ")]
    assert [one.text for one in ends] == ["who 1", "who 2", "who 3"]
    heights = [float(one.attrib["y"]) for one in ends]
    assert all(after - before >= 14.9 for before, after in pairwise(heights))
    assert len([one for one in many.iter("text") if one.attrib["class"] == "key"]) == 6


def test_lines_are_told_apart_without_colour() -> None:
    svg = drawn(series((0, *range(12)), (1, *range(12))))
    lines = list(svg.iter("polyline"))
    looks = [(one.attrib["class"], one.attrib.get("stroke-dasharray")) for one in lines]
    assert len(set(looks)) == 12 and len({dash for _, dash in looks[:4]}) == 4


def test_columns_beyond_those_that_can_be_told_apart_are_counted() -> None:
    plot = plot_of(series((0, *range(20)), (1, *range(20))))
    assert plot is not None and len(plot.lines) == MOST_LINES and plot.left_out == 20 - MOST_LINES


def test_a_long_line_is_thinned_and_keeps_its_peaks() -> None:
    rows = [(n, 1_000 if n == 7_777 else -500 if n == 3_333 else n % 7) for n in range(20_000)]
    plot = plot_of(series(*rows))
    assert plot is not None and len(plot.places) <= MOST_POINTS + 2
    assert {1_000, -500} <= set(plot.lines[0].values) and plot.places[0] == 0 and plot.places[-1] == 19_999


@pytest.mark.parametrize(
    "one",
    [
        Series("a", "A", "", ("x", "y"), ()),
        Series("a", "A", "", ("x", "y"), ((1, None),)),
        Series("a", "A", "", ("x", "y"), ((None, 1),)),
        Series("a", "A", "", ("x", "y"), ((1, "yes"), (2, 5))),
        Series("a", "A", "", ("x", "y"), ((1, 2),), "", "table"),
        Series("a", "A", "", ("x",), ((1,),)),
    ],
)
def test_what_is_only_a_table_is_not_drawn(one: Series) -> None:
    assert plot_of(one) is None


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (series((1, nan)), "income.who 1 is nan"),
        (series((1, 2), (float("inf"), 2)), "income.window is inf"),
        (series((1, 10**200)), "no plot can show"),
        (Series("a", "A", "", ("x", "y"), ((1, 2, 3),)), "has 2 columns and a row of 3"),
        (Series("a", "A", "", ("x", "x"), ((1, 2),)), "names of their own"),
        (Series("a", "A", "", (), ()), "names of their own"),
    ],
)
def test_what_cannot_be_drawn_is_refused(one: Series, says: str) -> None:
    with pytest.raises(Misuse, match=re.escape(says)):
        plot_of(one)


def test_an_empty_plot_is_refused() -> None:
    with pytest.raises(Misuse, match="nothing to draw"):
        draw(Plot("A", "x", (1,), (Line("y", (None,)),)), "p")


def test_hostile_names_stay_words() -> None:
    one = Series(HOSTILE, HOSTILE, HOSTILE, ("x" + HOSTILE, HOSTILE), ((HOSTILE, 1),), HOSTILE, "bar")
    svg = drawn(one)
    assert {part.tag for part in svg.iter()} <= {"svg", "title", "desc", "line", "text", "rect"}
    assert svg.findtext("title") == HOSTILE


def test_a_picture_of_its_own_names_its_space_and_brings_its_colours() -> None:
    plot = plot_of(series((1, 2), (2, 3)))
    assert plot is not None
    svg = ElementTree.fromstring(picture([plot, plot._replace(title=HOSTILE), plot]))
    space = "{http://www.w3.org/2000/svg}"
    assert svg.tag == f"{space}svg" and len(svg.findall(f"{space}svg")) == 3
    assert "prefers-color-scheme: dark" in (svg.findtext(f"{space}style") or "")
    places = [(float(one.attrib["x"]), float(one.attrib["y"])) for one in svg.findall(f"{space}svg")]
    assert places[0][1] == places[1][1] < places[2][1] and places[0][0] == places[2][0] < places[1][0]
