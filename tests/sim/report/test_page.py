"""The page: nothing outside itself, everything escaped, and said where nobody can miss it which signatures it was."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from msgspec import structs

from sim.joined import FailedRun, Sweep, point
from sim.report.page import MOST_ROWS, MOST_SHOWN, page
from sim.report.view import View, names_of, view
from sim.report.words import SIGNATURES, figure
from sim.result import Broken, Result, Series
from tests.sim.report.made import HOSTILE, result, series

VOID = {"meta", "br", "line", "circle", "rect", "polyline", "polygon"}


class Reader(HTMLParser):
    """Tags that are open, attributes that were seen, the words of each element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, str, str]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen += [(tag, name, value or "") for name, value in attrs] or [(tag, "", "")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append((self.open[-1] if self.open else "", data.strip()))


def sweep(*, seeds: int = 3, choices: tuple[int, ...] = (1, 2)) -> Sweep:
    points = [
        point({"ring": choice}, [result(series((0, choice + seed)), seed=seed, earned_micro=choice * 10**6 + seed)
                                 for seed in range(seeds)])
        for choice in choices
    ]  # fmt: skip
    over = {"ring": choices} if len(choices) > 1 else {}
    return Sweep("ring", "symjam sim sweep ring", "c0de", tuple(range(seeds)), over, ("network",), ("cheap", "real"),
                 (16,), (30,), tuple(points))  # fmt: skip


def test_it_has_no_address_and_no_script() -> None:
    hostile = Series(HOSTILE, HOSTILE, HOSTILE, ("x", HOSTILE), ((HOSTILE, 1), (HOSTILE, None)), HOSTILE, "bar")
    one = structs.replace(
        result(hostile, series((0, 1))),
        scenario=HOSTILE,
        replay=HOSTILE,
        figures={HOSTILE: 1},
        settings={HOSTILE: HOSTILE},
        broken=(Broken(HOSTILE, 1, HOSTILE),),
    )
    text = page(view(one, HOSTILE))
    reader = Reader(text)
    tags = {tag for tag, _, _ in reader.seen}
    assert not tags & {"script", "img", "link", "iframe", "object", "base", "form", "style "}
    assert not [name for _, name, _ in reader.seen if name.startswith("on") or name in {"src", "action"}]
    links = {value for _, name, value in reader.seen if name in {"href", "xlink:href"}}
    assert links == {"result.json", "script_alert_1_script_img_src_x_onerror_alert_2.csv", "income.csv"} or all(
        re.fullmatch(r"[a-z0-9_]+\.(csv|json)", link) for link in links
    )
    assert not re.search(r"url\(|@import|https?:|//", text.replace(HOSTILE, ""))
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in reader.seen


@pytest.mark.parametrize("label", list(SIGNATURES))
def test_which_signatures_it_was_is_said_before_any_figure(label: str) -> None:
    text = page(view(structs.replace(result(series((0, 1))), signatures=label)))
    assert f"<b>Signatures: {label}.</b>" in text
    assert text.index(f"Signatures: {label}") < text.index("<h2>")
    assert ('class="note warn"' in text) == (label == "cheap")


def test_a_sweep_names_all_kinds_of_signatures() -> None:
    text = page(view(sweep()))
    assert "Signatures: cheap." in text and "Signatures: real." in text


def test_what_was_run_and_its_figures_are_there() -> None:
    reader = Reader(page(view(result(series((0, 1))), "Ten keys vote for each other.")))
    said = [words for _, words in reader.words]
    for words in (
        "ring",
        "Ten keys vote for each other.",
        "symjam sim run ring --seed 1",
        "Nothing that was checked was broken.",
    ):
        assert words in said
    at = said.index("Honest")
    assert said[at : at + 3] == ["Honest", "12.5 JAM", "Converged"] and said[at + 4] == "321.5 ms"
    assert said[at + 3].startswith("how long after the last note")


def test_what_did_not_hold_is_said_with_the_command_that_shows_it() -> None:
    one = structs.replace(result(), broken=(Broken("no coin twice", 1_500_000, "player 3 minted twice"),))
    text = page(view(one))
    assert "Invariants did not hold." in text and "at 1.500 s: player 3 minted twice" in text
    assert 'class="note bad"' in text and "Nothing that was checked" not in text
    failed = structs.replace(
        sweep(), failed=(FailedRun({"ring": 2}, 7, "MemoryError", "symjam sim run ring --seed 7"),)
    )
    text = page(view(failed))
    assert "One run came to no result." in text and "ring = 2, seed 7: MemoryError" in text
    assert "symjam sim run ring --seed 7" in text


def test_what_did_not_hold_many_times_in_one_run_is_said_once() -> None:
    many = tuple(Broken("no coin twice", number, f"player {number}") for number in range(40))
    one = view(structs.replace(result(), broken=(*many, Broken("converged", 5, "they differ"))))
    assert [(wrong.what, wrong.words) for wrong in one.wrong] == [
        ("no coin twice", "player 0 (and 39 more of it in the same run)"),
        ("converged", "they differ"),
    ]


def test_a_figure_that_never_changes_is_in_the_table_and_not_drawn() -> None:
    points = tuple(point({"ring": ring}, [result(frames=7, earned_micro=ring)]) for ring in (1, 2))
    one = view(structs.replace(sweep(), points=points))
    assert [series.name for series in one.series] == ["by_ring_earned_micro"]
    assert [row.label for row in one.parts[0].rows] == ["Frames", "Earned"]


def test_a_sweep_shows_each_figure_over_what_varied_with_its_interval() -> None:
    one = view(sweep())
    by = next(series for series in one.series if series.name == "by_ring_earned_micro")
    assert by.columns == ("ring", "earned_micro", "earned_micro_low", "earned_micro_high") and by.unit == "JAM"
    assert [row[:2] for row in by.rows] == [(1, pytest.approx(1.000001)), (2, pytest.approx(2.000001))]
    text = page(one)
    assert text.count("<polygon") == 1 and "Each is the mean of 3 runs." in text


def test_a_figure_that_some_runs_lack_says_how_many_had_it() -> None:
    runs = [result(seed=1, converged_ms=20), result(seed=2, converged_ms=40), result(seed=3, converged=0)]
    for choices in ((1,), (1, 2)):  # in rows, and side by side
        several = structs.replace(sweep(), points=tuple(point({"ring": ring}, runs) for ring in choices))
        assert {row.name: (row.shown, row.runs) for row in view(several).parts[0].rows} == {
            "converged_ms": ("30 ms", "2 of 3"),
            "converged": ("0", "1 of 3"),
        }
        assert "2 of 3" in page(view(several))


def test_many_points_have_a_table_each_and_words_as_values_are_bars() -> None:
    many = view(sweep(choices=tuple(range(1, 10))))
    assert page(many).count("<summary>ring = ") == 9
    words = structs.replace(sweep(), over={"ring": ("a", "b")}, points=tuple(
        structs.replace(one, overrides={"ring": name}) for one, name in zip(sweep().points, "ab", strict=True)
    ))  # fmt: skip
    assert view(words).series[0].kind == "bar" and "<rect" in page(view(words))


def test_two_parameters_are_lines_over_the_first() -> None:
    points = tuple(
        point({"ring": ring, "caught": caught}, [result(earned_micro=10 * ring + caught)])
        for ring in (1, 2) for caught in (5, 9) if (ring, caught) != (2, 9)
    )  # fmt: skip
    one = structs.replace(sweep(), over={"ring": (1, 2), "caught": (5, 9)}, points=points)
    by = view(one).series[0]
    assert by.columns[1::3] == ("caught = 5", "caught = 9")
    assert [(row[1], row[4]) for row in by.rows] == [
        (pytest.approx(15e-6), pytest.approx(19e-6)),
        (pytest.approx(25e-6), None),
    ]


def test_one_point_has_no_interval() -> None:
    one = view(sweep(seeds=1, choices=(1,)))
    assert one.parts[0].rows[0].interval == "" and one.series[0].columns == ("window", "who 1")
    assert "0 (1 runs" not in page(one)


def test_long_tables_and_many_series_end_and_say_so() -> None:
    long = series(*((n, n) for n in range(MOST_ROWS + 5)))
    text = page(view(result(long, *(series((0, 1), name=f"s{n}") for n in range(MOST_SHOWN + 3)))))
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 5:,} rows" in text
    assert text.count("<figure") == MOST_SHOWN and "More series, as files only" in text and 's62.csv"' in text


def test_each_series_has_a_file_name_of_its_own_that_leads_nowhere_else() -> None:
    names = ("../../etc/passwd", "a", "a", "A!", "", "index", "..", "C:\\x", "ü", "x" * 500)
    found = names_of([series((0, 1), name=name) for name in names])
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z0-9_]{1,90}\.csv", name) for name in found)


def test_millionths_are_shown_as_coins() -> None:
    one = structs.replace(series((0, 2_500_000), (1, None)), unit="micro-JAM")
    text = page(view(result(one)))
    assert '<td class="number">2.5</td>' in text and "micro-JAM" not in text


def test_no_figures_and_no_series_make_a_page_too() -> None:
    one = structs.replace(result(), figures={})
    assert "<h2>Figures</h2>" not in page(view(one)) and isinstance(view(one), View)
    assert isinstance(one, Result) and "Plots" not in page(view(one))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("honest_micro", 12_500_000, "Honest: 12.5 JAM"),
        ("finalised_share", 0.993, "Finalised: 99.3 %"),
        ("deliveries_per_s", 31_234.5, "Deliveries: 31,234.5 per second"),
        ("frames_per_node_s", 2.5, "Frames: 2.5 per node and second"),
        ("lag_us", 1_500, "Lag: 1.5 ms"),
        ("weight_q16", 32_768, "Weight: 0.5"),
        ("frames", 7, "Frames: 7"),
        ("_s", 1, "_s: 1 s"),
        ("", 1, ": 1"),
    ],
)
def test_figures_are_shown_in_their_unit(name: str, value: float, shown: str) -> None:
    how = figure(name)
    assert f"{how.label}: {how.shown(value)}" == shown
