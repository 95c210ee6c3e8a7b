"""The page: HTML that needs nothing but itself, no script, no font, no address.

Everything that came from a scenario or a run is escaped, and the page's own policy forbids to load or run anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from typing import Final

from sim.report import chart
from sim.report.plot import plot_of
from sim.report.style import CSS
from sim.report.ticks import full
from sim.report.view import Part, Row, View, Wrong
from sim.report.words import SIGNATURES, shown
from sim.result import Series

MOST_ROWS: Final = 400  # of a series' table; the CSV has all
MOST_SHOWN: Final = 60  # series; the CSVs have the others
MOST_WRONG: Final = 50
SIDE_BY_SIDE: Final = 6  # points of a sweep in one table

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
INTERVAL: Final = (
    "The 95% interval is where the true mean lies in 95 of 100 such sweeps (Student's t over independent seeds). "
    "One run alone has none."
)


def page(view: View) -> str:
    """The whole document."""
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(view.title)}: SymJam simulator</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>"
    )
    parts = [head, *_top(view), *_wrong(view.wrong), *_run(view), *_figures(view), *_plots(view), *_foot(view)]
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def _top(view: View) -> Iterator[str]:
    yield f'<p class="kicker">SymJam simulator: {"one run" if view.kind == "run" else "a sweep"}</p>'
    yield f"<h1>{escape(view.title)}</h1>"
    if view.says:
        yield f"<p>{escape(view.says)}</p>"
    for name in view.signatures:
        kind = "warn" if name == "cheap" else "plain"
        yield f'<p class="note {kind}" id="signatures-{escape(name)}"><b>Signatures: {escape(name)}.</b> '
        yield f"{escape(SIGNATURES.get(name, ''))}</p>"
    yield f'<p class="note {"bad" if view.wrong else "good"}">{escape(view.verdict)}</p>'


def _wrong(wrong: Sequence[Wrong]) -> Iterator[str]:
    if not wrong:
        return
    yield "<h2>What went wrong</h2>"
    for one in wrong[:MOST_WRONG]:
        yield f"<h3>{escape(one.what)}</h3><p>{escape(one.where)}: {escape(one.words)}</p>"
        if one.replay:
            yield f"<pre>{escape(one.replay)}</pre>"
    if len(wrong) > MOST_WRONG:
        yield f"<p>And {len(wrong) - MOST_WRONG} more, in result.json.</p>"


def _run(view: View) -> Iterator[str]:
    yield "<h2>What was run</h2><dl>"
    for name, value in view.facts:
        yield f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
    if view.command:
        yield f"<p>The same again:</p><pre>{escape(view.command)}</pre>"


def _figures(view: View) -> Iterator[str]:
    if not any(part.rows for part in view.parts):
        return
    yield "<h2>Figures</h2>"
    if view.kind == "sweep":
        yield f"<p>{INTERVAL}</p>"
    if 1 < len(view.parts) <= SIDE_BY_SIDE:
        yield from _side_by_side(view.parts)
        return
    for number, part in enumerate(view.parts):
        if len(view.parts) > 1:
            yield f"<details{' open' if not number else ''}><summary>{escape(part.title)}</summary>"
        yield from _table(part, view.kind == "sweep")
        if len(view.parts) > 1:
            yield "</details>"


def _meaning(means: str) -> str:
    return f'<br><span class="soft">{escape(means)}</span>' if means else ""


def _side_by_side(parts: Sequence[Part]) -> Iterator[str]:
    """A column for each point: the mean, its interval below."""
    yield '<div class="wide"><table><thead><tr><th scope="col">Figure</th>'
    yield (
        "".join(f'<th scope="col" class="number">{escape(part.title)}</th>' for part in parts) + "</tr></thead><tbody>"
    )
    for name, first in {row.name: row for part in reversed(parts) for row in part.rows}.items():
        yield f'<tr><th scope="row" title="{escape(name)}">{escape(first.label)}{_meaning(first.means)}</th>'
        for part in parts:
            row = next((row for row in part.rows if row.name == name), None)
            yield f'<td class="number">{_mean(row) if row else ""}</td>'
        yield "</tr>"
    yield "</tbody></table></div>"
    runs = sorted({int(row.runs.split()[-1]) for part in parts for row in part.rows})
    some = any(" of " in row.runs for part in parts for row in part.rows)
    told = f"Each is the mean of {' to '.join(map(str, {runs[0]: 0, runs[-1]: 0}))} runs"
    yield f"<p>{told}{', unless fewer had it, which it then says' if some else ''}.</p>"


def _mean(row: Row) -> str:
    """The mean, and below it its interval, and how many runs had one where not all did."""
    runs = f"in {row.runs} runs" if " of " in row.runs else ""
    below = "; ".join(words for words in (row.interval, runs) if words)
    return escape(row.shown) + (f'<br><span class="soft">{escape(below)}</span>' if below else "")


def _table(part: Part, is_sweep: bool) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr><th scope="col">Figure</th>'
    yield f'<th scope="col" class="number">{"Mean" if is_sweep else "Value"}</th>'
    if is_sweep:
        yield '<th scope="col" class="number">95% interval</th><th scope="col" class="number">Runs</th>'
    yield "</tr></thead><tbody>"
    for row in part.rows:
        cells = [row.shown, row.interval, row.runs] if is_sweep else [row.shown]
        yield f'<tr><th scope="row" title="{escape(row.name)}">{escape(row.label)}{_meaning(row.means)}</th>'
        yield "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _plots(view: View) -> Iterator[str]:
    numbered = enumerate(zip(view.series, view.files, strict=True))
    for title, count in view.sections:
        several = [(number, *both) for number, both in islice(numbered, count)]
        if not any(number < MOST_SHOWN for number, *_ in several):
            continue
        yield f'<h2>{escape(title)}</h2><div class="plots">'
        for number, series, file in several:
            if number < MOST_SHOWN:
                yield from _plot(series, file, f"p{number}")
        yield "</div>"
    if len(view.series) > MOST_SHOWN:
        yield "<p>More series, as files only: "
        yield ", ".join(f'<a href="{file}">{file}</a>' for file in view.files[MOST_SHOWN:]) + "</p>"


def _plot(series: Series, file: str, ident: str) -> Iterator[str]:
    series = shown(series)
    plot = plot_of(series)
    yield f'<figure id="{ident}"><h3>{escape(series.title or series.name)}</h3>'
    if series.words:
        yield f"<p>{escape(series.words)}</p>"
    if plot is not None:
        yield chart.draw(plot, ident)
        if plot.left_out:
            yield f"<p>{plot.left_out} more columns are in the numbers only.</p>"
    opened = " open" if plot is None else ""
    yield f'<details{opened}><summary>Its numbers (<a href="{file}">{file}</a>)</summary>{_numbers(series)}</details>'
    yield "</figure>"


def _numbers(series: Series) -> str:
    unit = f" ({series.unit})" if series.unit else ""
    heads = [chart.spoken(name) + (unit if at else "") for at, name in enumerate(series.columns)]
    has_words = [any(isinstance(row[at], str) for row in series.rows) for at in range(len(series.columns))]
    kinds = ["" if words else ' class="number"' for words in has_words]
    parts = ['<div class="wide"><table><thead><tr>']
    parts += [f'<th scope="col"{kind}>{escape(head)}</th>' for head, kind in zip(heads, kinds, strict=True)]
    parts.append("</tr></thead><tbody>")
    for row in series.rows[:MOST_ROWS]:
        cells = ("" if value is None else value if isinstance(value, str) else full(value) for value in row)
        parts.append(
            "<tr>" + "".join(f"<td{kind}>{escape(c)}</td>" for c, kind in zip(cells, kinds, strict=True)) + "</tr>"
        )
    parts.append("</tbody></table></div>")
    if len(series.rows) > MOST_ROWS:
        parts.append(f"<p>The first {MOST_ROWS} of {len(series.rows):,} rows; the file has all.</p>")
    return "".join(parts)


def _foot(view: View) -> Iterator[str]:
    yield '<footer><p>Beside this page: <a href="result.json">result.json</a>, everything that is shown here, and a '
    yield f"CSV file for each of the {len(view.series)} series. " if view.series else "no series. "
    yield "The same command and the same code give the same numbers.</p></footer>"
