"""The page's pure modules, asked in the browser that runs them."""

from __future__ import annotations

from random import Random
from typing import Any

from consensus.quality.grid import Grid
from consensus.quality.wife3 import chance_q16, worth_q16
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


async def test_a_page_whose_pictures_cost_much_draws_seldom_and_never_stops(shown: Shown) -> None:
    cost_and_gone_ms = [[1, 1], [2, 2], [5, 5], [30, 30], [1_000, 66], [5, 80]]
    rests = await ask(shown.page, "ticker", f"return {cost_and_gone_ms}.map((pair) => m.restMs(...pair));")
    assert rests == [7, 14, 35, 170, 134, 0]


async def test_pictures_are_few_while_nothing_goes_on_and_soon_again_when_it_does(shown: Shown) -> None:
    """A drawer of a second copy of the module, which only it draws with."""
    result = await shown.page.value(
        """(async () => {
          const m = await import('/js/ticker.js?alone');
          const drawn = [];
          let lively = false;
          const end = m.eachFrame((ms) => { drawn.push(ms); return lively; });
          const rest = (ms) => new Promise((go) => setTimeout(go, ms));
          await rest(200);
          const from = drawn.length, began = performance.now();
          await rest(1000);
          const idle = (drawn.length - from) / ((performance.now() - began) / 1000);
          const before = drawn.length;
          while (drawn.length === before) await rest(0);
          await rest(20); // the rest has begun
          const at = drawn.length, woken = performance.now();
          lively = true;
          m.wake();
          while (drawn.length === at) await rest(0);
          const waited = performance.now() - woken;
          end();
          await rest(300);
          const after = drawn.length;
          await rest(300);
          return {idle, waited, ended: drawn.length === after};
        })()"""
    )
    assert 2 < result["idle"] < 14
    assert result["ended"]
    assert result["waited"] < 2_000  # it came; how soon is the latency trials' to say


async def test_the_clock_never_jumps_on_small_news_and_follows_one_that_was_set(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "clock",
        """
        const clock = new m.NodeClock();
        const burst = (from, offset, there = 1) => {
          for (let i = 0; i < clock.probes; i++) {
            const sent = from + i * 10;
            clock.add(sent, (sent + there) * 1000 + offset, sent + 2);
          }
        };
        burst(0, 0);
        const before = clock.nodeUs(400);
        const dueMs = clock.dueMs;
        burst(10000, 1000, 0.5);
        const steps = [];
        for (let t = 10400; t < 10404; t += 0.25) steps.push(clock.nodeUs(t + 0.25) - clock.nodeUs(t));
        const small = [Math.min(...steps), Math.max(...steps)];
        const later = clock.nodeUs(14000) - 14000000;
        burst(15000, 9e6);
        const far = clock.nodeUs(16000) - 16000000;
        burst(17000, 8e6);
        const halfway = [17400, 17401, 18000, 19000, 30000].map((t) => clock.nodeUs(t) - t * 1000);
        clock.add(1, NaN, 2);
        clock.add(3, 5, 2);
        const ready = clock.ready;
        clock.reset();
        return {before, dueMs, small, later, far, halfway, ready, readyAfter: clock.ready};
        """,
    )
    assert result["before"] == 400_000  # 1 ms forward, 1 ms back: offset 0
    assert 1_300 <= result["dueMs"] <= 1_400
    assert result["small"][0] >= 249 and result["small"][1] <= 251  # 0.25 ms steps, slewed by at most a thousandth
    assert result["later"] > 0
    assert abs(result["far"] - 9e6) < 1_000
    assert abs(result["halfway"][1] - result["halfway"][0] + 500) <= 1  # at half the pace
    assert abs(result["halfway"][-1] - 8e6) < 5_000
    assert result["ready"] and not result["readyAfter"]


async def test_the_clock_finds_a_phones_drift(shown: Shown) -> None:
    """80 ppm, for two minutes, on an uneven Wi-Fi: what is shown stays within the stated bound, and near."""
    result = await ask(
        shown.page,
        "clock",
        """
        const clock = new m.NodeClock();
        let seed = 11;
        const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
        const real = performance.now.bind(performance);
        let page = real(), worst = 0, beyond = 0, back = 0, last = -Infinity;
        const start = page, truth = (ms) => ms * 1000 + 5e8 + (ms - start) * 1000 * 80e-6;
        performance.now = () => page;
        try {
          while (page < start + 120000) {
            if (clock.dueMs <= page) {
              for (let i = 0; i < clock.probes; i++) {
                const there = 1 - Math.log(1 - random()) * 2, home = 1 - Math.log(1 - random()) * 2;
                clock.add(page, truth(page + there), page + there + home);
                page += 15;
              }
            }
            page += 50;
            const error = Math.abs(clock.nodeUs(page) - truth(page));
            if (page > start + 10000) worst = Math.max(worst, error);
            if (error > clock.uncertaintyUs + 1) beyond++;
            if (clock.nodeUs(page) <= last) back++;
            last = clock.nodeUs(page);
          }
        } finally {
          performance.now = real;
        }
        return {worst, beyond, back};
        """,
    )
    assert result["worst"] < 1_500
    assert result["beyond"] == 0 and result["back"] == 0


async def test_what_is_shown_never_goes_back_whatever_is_measured(shown: Shown) -> None:
    result = await ask(
        shown.page,
        "slew",
        """
        let seed = 3, back = 0;
        const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
        for (let round = 0; round < 50; round++) {
          const shown = new m.Slewed();
          let us = 0, last = -Infinity;
          for (let step = 0; step < 200; step++) {
            us += random() * 1e6;
            if (random() < 0.3) shown.aim((random() - 0.5) * 9e6 * random() ** 4, us, (random() - 0.5) * 2e-4);
            const now = us + (shown.at(us) ?? -1e9);
            if (now < last) back++;
            last = now;
          }
        }
        return {back, none: new m.Slewed().at(5)};
        """,
    )
    assert result == {"back": 0, "none": None}


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


async def test_hits_are_labelled_by_the_rules_own_table(shown: Shown) -> None:
    """Deviation and worth of every hit to the last bit, and labels by what it is worth against chance."""
    chance = Random(11)
    for tempo, subdivision in ((120_000, 4), (94_000, 4), (133_337, 3), (20_000, 1), (400_000, 12)):
        grid = Grid(tempo, 4, subdivision)
        times = [chance.randrange(0, 10**10) for _ in range(300)]
        session = f"{{tempo_mbpm: {tempo}, subdivision: {subdivision}}}"
        found = await ask(
            shown.page,
            "wife3",
            f"return {times}.map((t) => {{ const j = m.judge(t, {session}, 7000, {chance_q16(grid)}); "
            "return [j.errorUs, j.worth, j.label]; })",
        )
        for t_us, (error_us, worth, label) in zip(times, found, strict=True):
            assert error_us == grid.deviation_us(t_us - 7_000)
            assert worth == worth_q16(error_us)
            better = worth > max(0, chance_q16(grid))
            assert label == ("BAD" if not better else "COOL" if worth >= 62_259 else "GOOD")
    errors = [*range(-181_000, 181_001, 977), 0, 5_000, 64_999, 65_000, 179_999, 180_000, 10**9]
    assert await ask(shown.page, "wife3", f"return {errors}.map(m.worthQ16)") == [worth_q16(e) for e in errors]
    at = await ask(shown.page, "grid", "return m.place(9_250_000, {tempo_mbpm: 120000, beats_per_bar: 4})")
    assert at == {"bar": 4, "beat": 2, "phase": 0.5}


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
