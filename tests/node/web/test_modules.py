"""The page's pure modules, asked in the browser that runs them."""

from __future__ import annotations

from typing import Any

from tests.browser import Page
from tests.node.web.conftest import Shown, needs_chromium

pytestmark = needs_chromium


async def ask(page: Page, module: str, body: str) -> Any:
    """The value of a function body that has the module as `m`."""
    return await page.value(f"import('/js/{module}.js').then((m) => {{ {body} }})")


async def test_the_clock_takes_the_shortest_ways(shown: Shown) -> None:
    """Offset 7 s; delays are uneven and much longer there than back, but now and then both are 0.2 ms."""
    result = await ask(
        shown.page,
        "clock",
        """
        const clock = new m.NodeClock();
        let seed = 7;
        const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
        const start = performance.now() - 5000;
        for (let i = 0; i < 90; i++) {
          const sent = start + i * 50, there = 0.2 + random() ** 3 * 20, back = 0.2 + random() ** 3 * 4;
          clock.add(sent, (sent + there) * 1000 + 7e6, sent + there + back);
        }
        const at = start + 6000;
        return {error: clock.nodeUs(at) - (at * 1000 + 7e6), bound: clock.uncertaintyUs};
        """,
    )
    assert abs(result["error"]) <= result["bound"] + 1
    assert result["bound"] < 1_000


async def test_the_clock_never_jumps_on_small_news_and_does_on_great(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "clock",
        """
        const clock = new m.NodeClock();
        for (let i = 0; i < 40; i++) clock.add(i * 100, i * 100000 + 1000, i * 100 + 2);
        const before = clock.nodeUs(4000);
        for (let i = 40; i < 60; i++) clock.add(i * 100, i * 100000 + 1500, i * 100 + 1);
        const steps = [];
        for (let t = 5901; t < 5905; t += 0.25) steps.push(clock.nodeUs(t + 0.25) - clock.nodeUs(t));
        const small = [Math.min(...steps), Math.max(...steps)];
        const later = clock.nodeUs(8000) - 8000000;
        for (let i = 60; i < 90; i++) clock.add(i * 1000 + 70000, (i * 1000 + 70000) * 1000 + 9e6, i * 1000 + 70001);
        const far = clock.nodeUs(160000) - 160000000;
        clock.add(1, NaN, 2);
        clock.add(3, 5, 2);
        return {before, small, later, far, ready: clock.ready};
        """,
    )
    assert result["before"] == 4_000_000  # 1 ms forward, 1 ms back: offset 0
    assert result["small"][0] >= 249 and result["small"][1] <= 251  # 0.25 ms steps, slewed by at most a thousandth
    assert result["later"] > 0
    assert abs(result["far"] - 9e6) < 1_000


async def test_no_two_instruments_share_a_lanes_pitch(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "instruments",
        """
        const wrong = [];
        for (const [name, { pitches }] of Object.entries(m.INSTRUMENTS))
          pitches.forEach((pitch, lane) => m.guess(lane, pitch) === name || wrong.push([name, lane]));
        const groove = [[36], [37, 38, 40], [48, 50], [45, 47], [43, 58], [26, 46], [22, 42, 44], [49, 52, 55, 57],
          [51, 53, 59]];
        for (const [lane, pitches] of groove.entries())
          for (const pitch of pitches) m.guess(lane, pitch) === "drums" || wrong.push([lane, pitch]);
        return wrong;
        """,
    )
    assert result == []


JUDGED = [
    (0, "COOL", 0),
    (125_000, "COOL", 0),
    (140_000, "COOL", 15_000),
    (100_000, "GOOD", -25_000),
    (60_000, "BAD", 60_000),
]


async def test_hits_are_judged_by_their_step(shown: Shown) -> None:
    session = "{tempo_mbpm: 120000, beats_per_bar: 4, subdivision: 4}"
    for t_us, label, error_us in JUDGED:
        result = await ask(shown.page, "grid", f"return m.judge({t_us}, {session})")
        assert (result["label"], result["errorUs"]) == (label, error_us)
    assert await ask(shown.page, "grid", f"return m.place(9_250_000, {session})") == {"bar": 4, "beat": 2, "phase": 0.5}


async def test_numbers_are_exact_and_the_unknown_is_a_dash(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "format",
        """return [m.jam(1), m.jam(1234567), m.jam(-500000), m.jam(9007199254740991), m.jam(null), m.jam(undefined),
        m.ms(3140), m.ms(null), m.percent(65536), m.percent(undefined), m.factor(3109), m.count(1234567),
        m.bpm(null), m.span(-5)]""",
    )
    assert result[:4] == ["0.000001", "1.234567", "−0.500000", "9007199254.740991"]
    assert result[4:] == ["–", "–", "3.1 ms", "–", "100%", "–", "0.047", "1\u2009234\u2009567", "–", "–"]


async def test_notes_of_others_keep_their_rhythm_through_uneven_arrival(shown: Shown) -> None:
    result = await shown.page.value(
        """
        Promise.all([import('/js/playout.js'), import('/js/clock.js')]).then(async ([{Playout}, {NodeClock}]) => {
          const clock = new NodeClock();
          const now = performance.now();
          for (let i = 30; i > 0; i--) clock.add(now - i, (now - i) * 1000, now - i);
          const playout = new Playout(clock, () => {});
          const due = [];
          playout.addEventListener("note", ({detail}) => due.push(detail.dueMs - detail.atUs / 1000));
          const atUs = (lagMs) => Math.round((performance.now() - lagMs) * 1000);
          const add = (lagMs, extra = 0) => playout.add({player: "x", atUs: atUs(lagMs)}, extra);
          for (let i = 0; i < 60; i++) add(2 + (i % 10) * 2);
          const learned = playout.delayMs("x");
          due.length = 0;
          for (const lag of [3, 9, 15]) add(lag);
          add(5000);
          await new Promise((resolve) => setTimeout(resolve, 80));
          const spread = Math.max(...due) - Math.min(...due);
          due.length = 0;
          add(10, 60);
          return {learned, spread, heard: due.length, bar: due[0], stale: playout.stale};
        })
        """
    )
    assert 15 <= result["learned"] <= 30
    assert result["spread"] < 3
    assert result["heard"] == 1 and abs(result["bar"] - 60) < 1
    assert result["stale"] == 1


async def test_players_are_told_apart_by_colour_and_keep_it(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "people",
        """
        const ids = ["80", "81", "82", "7f", "80ff", "03", "fe"].map((start) => start.padEnd(64, "5"));
        const hues = ids.map(m.hueOf);
        const gap = (a, b) => Math.min(Math.abs(a - b), 360 - Math.abs(a - b));
        const gaps = hues.flatMap((a, i) => hues.slice(i + 1).map((b) => gap(a, b)));
        return {least: Math.min(...gaps), same: ids.every((id, i) => m.hueOf(id) === hues[i])};
        """,
    )
    assert result["least"] >= 30 and result["same"]


async def test_ids_in_the_nodes_words_become_names(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "people",
        """const [me, ana] = ["a".repeat(64), "b".repeat(64)];
        return [m.named("aaaaaaaa and bbbbbbbb, not cccccccc", [me, ana], me), m.nameOf(ana)]""",
    )
    assert result[0] == f"you and {result[1]}, not cccccccc"
