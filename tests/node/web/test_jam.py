"""The Jam and Setup views, and what Play shows of score, riff and chart, in a real browser."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from typing import Any

import trio

from jam.board import Assign
from node.api.backend import ChartWish, Played, SessionWish
from tests.jam.test_chart import band
from tests.node.api.memory_node import MemoryNode
from tests.node.web.conftest import CLICK, HAND_OVER, TYPE, Shown, needs_chromium

pytestmark = needs_chromium


async def heard(node: MemoryNode, enough: Callable[[list[Played]], Any]) -> list[Played]:
    with trio.fail_after(20):
        while not enough(node.played):
            await trio.sleep(0.02)
    return node.played


def score(node: MemoryNode, **changed: Any) -> dict[str, Any]:
    assert node.session is not None
    measures = {"liveness": 50_000, "accuracy": 40_000, "diversity": 60_000, "harmony": 65_536, "humanness": 58_000}
    return {
        "session": node.session["id"],
        "events": 41,
        "lanes": 6,
        "active_s": 7,
        "lag_us": -12_000,
        "chance_q16": 60_000,
        "accuracy_cap_q16": 62_259,
        "measures": {**measures, "originality": 65_536, "total": 32_768},
        "why": "fine",
        "words": "",
        "explain": ["accuracy 0.61: what would change it"],
        "riff": None,
        **changed,
    }


async def test_the_score_that_the_node_tells_is_shown_with_its_words(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await node.open_session(SessionWish(title="roof"))
    node.score = score(node)
    await page.until("document.querySelector('.score-total').textContent === '50%'")
    text = await page.value("document.querySelector('.score').textContent")
    assert "41 notes on 6 lanes" in text and "12 ms early" in text and "Enough for a block" in text
    assert "what would change it" in text
    node.score = score(node, why="too_few_lanes", words="too few different lanes")
    await page.until("document.querySelector('.verdict').textContent === 'Not a block yet: too few different lanes.'")
    node.score = score(node, window=1)  # of a window that is over
    await page.until("document.querySelector('.score-total').textContent === '–'")


async def test_the_offset_that_the_node_found_is_taken_out_of_the_labels(shown: Shown) -> None:
    """Every note 40 ms early: worse than chance on sixteenths, until the node has said that it is the device's lead."""
    node, page = shown.node, shown.page
    await node.open_session(SessionWish(title="roof"))
    await page.until("symjam.app.world.session && symjam.app.world.t0AtUs !== null")
    judged = """import('/js/wife3.js').then(({judge}) => { const {session, score} = symjam.app.world;
      return judge(125000 * 40 - 40000, session, score?.lag_us, score?.chance_q16 ?? 60000).label; })"""
    assert await page.value(judged) == "BAD"
    node.score = score(node, lag_us=-40_000)
    await page.until("symjam.app.world.score?.lag_us === -40000")
    assert await page.value(judged) == "COOL"


async def test_the_riff_is_called_with_its_keys_when_it_comes_near(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await node.open_session(SessionWish(title="roof"))
    assert await page.value("document.querySelector('.riff').hidden")
    assert node.session is not None
    now_us = node.now_us() - node.session["t0_us"]
    t_us = [now_us + 6_000_000 + n * 500_000 for n in range(4)]
    node.riff = {"window": 7, "lanes": [0, 3, 7, 9], "t_us": t_us, "tolerance_us": 100_000}
    await page.until("!document.querySelector('.riff').hidden")
    keys = "[...document.querySelectorAll('.riff-keys li')].map((key) => key.textContent)"
    assert await page.value(keys) == ["A", "F", "K", ";"]
    assert "Riff: A, then F, then K, then ;" in await page.value("document.getElementById('said').textContent")
    await page.until("document.querySelector('.pad[data-lane=\"3\"]').classList.contains('wanted')")
    node.score = score(node, window=7, riff=True)
    await page.until("document.querySelector('.riff').classList.contains('played')")
    await page.until("document.querySelector('.riff').hidden")
    assert page.errors == []


async def test_a_midi_file_is_shared_and_its_parts_taken(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana = node.join("ana", 1_500)
    await page.value("location.hash = '#/jam'")
    await page.value(f"({HAND_OVER})('{base64.b64encode(band()).decode()}')")
    await page.value(f"({TYPE})('Parts', '3')")
    await page.value(f"({CLICK})('Share with the jam')")
    await page.until("document.querySelectorAll('.parts li').length === 3")
    about = await page.value("[...document.querySelectorAll('.jam-about')].map((a) => a.textContent).join()")
    assert "On the roof: 11 bars on 10 lanes" in about
    await page.value("document.querySelector('.parts button').click()")
    await page.until("document.querySelector('.parts li').textContent.includes('you')")
    assert isinstance(node.changes[-1], Assign) and node.changes[-1].part == "bass"
    ahead = """symjam.app.chart.between(0, 4_800_000, symjam.app.world.session).map((n) => [n.player, n.lane, n.tUs])"""
    notes = await page.value(ahead)
    assert notes and {player for player, _, _ in notes} == {node.me}  # parts that nobody took are not shown
    assert [t_us for _, _, t_us in notes] == sorted(t_us for _, _, t_us in notes)
    node.shown_board["parts"][1]["player"] = ana
    node.board.publish({"type": "board", "session": node.session["id"], "board": node.shown_board})  # type: ignore[index]
    await page.until("document.querySelectorAll('.parts button')[1].disabled")  # ana's
    again = await page.value(
        "symjam.app.chart.between(1000 * 60e9 / 100000 * 33 / 1000 - 1, 1e9, symjam.app.world.session).length"
    )
    assert again > 0  # it comes round again
    assert page.errors == []


async def test_a_broken_file_and_no_file_are_told_in_words(shown: Shown) -> None:
    page = shown.page
    await page.value("location.hash = '#/jam'")
    trouble = "[...document.querySelectorAll('.trouble')].map((t) => t.textContent).join('')"
    await page.value(f"({CLICK})('Share with the jam')")
    await page.until(f"({trouble}).includes('Choose a MIDI file')")
    await page.value(f"({HAND_OVER})('{base64.b64encode(b'RIFF of another kind').decode()}')")
    await page.value(f"({CLICK})('Share with the jam')")
    await page.until(f"({trouble}).includes('not a Standard MIDI File')")
    assert shown.node.session is None


async def test_who_joins_late_has_the_chart(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await node.share_chart(ChartWish("song"), band())
    await page.call("Page.reload")
    await page.until("window.symjam && symjam.app.chart.parts.length === 2", 30)


async def test_an_answer_that_was_overtaken_puts_nothing_old_back(shown: Shown) -> None:
    """News comes by WebSocket, answers by HTTP: on a busy machine one overtakes the other."""
    node, page = shown.node, shown.page
    await page.value(
        """window.held = []; const real = window.fetch;
        window.fetch = async (path, how) => {
          const answer = await real(path, how);
          if (/api.(session|chart)$/.test(path)) await new Promise((go) => window.held.push([path, go]));
          return answer;
        }; 0"""
    )
    await node.open_session(SessionWish(title="roof"))
    await page.until("held.length === 1")  # the board as it was before the chart came
    await node.share_chart(ChartWish("song"), band())
    await page.until("held.length === 2")
    await node.share_chart(ChartWish("another"), band())
    await page.until("held.length === 3")
    for index in (2, 1, 0):
        await page.value(f"held[{index}][1]()")
        await page.until("symjam.app.chart.chart?.title === 'another'")
    await trio.sleep(0.1)
    assert await page.value("[symjam.app.chart.chart?.title, symjam.app.chart.parts.length]") == ["another", 2]


async def test_a_jam_is_opened_left_come_back_to_and_closed(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.press("5")
    await page.until("location.hash === '#/jam'")
    trouble = "document.querySelector('form .trouble').textContent"
    for tempo in ("0", "19", "401", "1e99", "", "-120"):
        await page.value(f"({TYPE})('Tempo', '{tempo}')")
        await page.value(f"({CLICK})('Open')")
        assert await page.until(trouble) == "A tempo is 20 to 400 beats a minute."
    for label, value in {"Title": "Roof", "Tempo": "92.5", "Key": "E flat minor", "Tags": "blues, late"}.items():
        await page.value(f"({TYPE})('{label}', '{value}')")
    await page.value(f"({CLICK})('Open')")
    await page.until("document.querySelector('.jam-about').textContent === 'Roof'")
    assert node.session is not None
    assert (node.session["tempo_mbpm"], node.session["tags"]) == (92_500, ["E flat minor", "blues", "late"])
    await page.value(f"({CLICK})('Leave')")
    await page.press("a")
    await page.value(f"({CLICK})('Come back')")
    await page.press("s")
    played = await heard(node, lambda notes: len(notes) >= 2)
    assert {event.lane for event in played} == {1}  # what was played while away stayed there
    await page.value(f"({CLICK})('Close it for all')")
    await page.until("document.querySelector('.jam-about').textContent.startsWith('None')")
    assert page.errors == []


async def test_keys_are_remapped_and_kept(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.press("6")
    await page.until("location.hash === '#/setup' && document.querySelectorAll('.key').length === 10")
    await page.value("document.querySelectorAll('.key')[2].click()")
    await page.press("3")  # a digit turns pages
    assert await page.value("location.hash") == "#/setup"
    await page.press("q")
    await page.until("document.querySelectorAll('.key')[2].textContent === 'Q'")
    await page.value("document.querySelectorAll('.key')[0].click()")
    await page.press("s")  # has another lane: they change places
    await page.until("document.querySelectorAll('.key')[1].textContent === 'A'")
    await page.call("Page.reload")
    await page.until("window.symjam && symjam.app.clock.ready", 30)
    for key in "qsad":
        await page.press(key)
    played = await heard(node, lambda notes: len(notes) >= 6)
    assert [event.lane for event in played if event.kind == 0] == [2, 0, 1]  # d plays nothing any more


async def test_the_rollover_test_counts_keys_and_plays_none(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.value("location.hash = '#/setup'")
    await page.value(f"({CLICK})('Begin the test')")
    for key in "asdfg":
        await page.key("keyDown", key)
        await page.key("keyDown", key, repeat=True)
    await page.until("document.querySelector('.count').textContent === '5'")
    for key in "asdfg":
        await page.key("keyUp", key)
    await page.value(f"({CLICK})('End the test')")
    await page.until("JSON.parse(localStorage.getItem('symjam.settings')).rollover === 5")
    assert node.played == []
    await node.open_session(SessionWish(title="roof"))
    await page.until("symjam.app.world.session")
    await page.press("a")
    await page.press("s")
    played = await heard(node, lambda notes: len(notes) >= 5)
    assert [(e.pitch, e.velocity) for e in played if e.kind == 4] == [(1, 5)]  # once, beside the notes
    assert page.errors == []


async def test_a_midi_devices_notes_are_played_with_their_pitch(shown: Shown) -> None:
    """Asking for devices needs a click; what they would send is handed to where it arrives."""
    node, page = shown.node, shown.page
    assert await page.value("symjam.app.midi.state") in ("off", "unsupported")
    say = "((...message) => symjam.app.midi.hear(message, performance.now()))"
    await page.value(f"{say}(0x99, 38, 100); {say}(0x89, 38, 0); {say}(0xb0, 1, 2); {say}(0xf8)")
    await page.value("symjam.app.midi.playsDrums = () => false")
    await page.value(f"{say}(0x90, 61, 77); {say}(0x90, 61, 0)")
    played = await heard(node, lambda notes: len(notes) >= 4)
    assert [(e.kind, e.lane, e.pitch, e.velocity) for e in played] == [
        (0, 1, 38, 100),
        (1, 1, 38, 0),
        (0, 0, 61, 77),
        (1, 0, 61, 0),
    ]


async def test_snapping_moves_what_one_hears_and_nothing_that_was_played(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana = node.join("ana", 1_500)
    await node.open_session(SessionWish(title="roof"))
    await page.until("symjam.app.world.session")
    await page.value("document.getElementById('snap').click()")
    await page.value(
        """window.due = []; window.told = [];
        symjam.app.player.addEventListener("heard", ({detail: d}) => due.push(d.atUs));
        symjam.app.world.addEventListener("event", ({detail: d}) => told.push(d.events[0][5]))"""
    )
    assert node.session is not None
    t0_us = node.session["t0_us"]
    step = (node.now_us() - t0_us) // 125_000 + 4
    played_us = t0_us + step * 125_000 + 31_000
    node.hear(ana, [Played(played_us, 0, 4, 43, 100)])
    await page.until("due.length === 1")
    assert await page.value("due[0]") == t0_us + step * 125_000
    assert await page.value("told[0]") == played_us
    await page.value(
        """document.activeElement.blur(); window.own = [];
        symjam.app.player.addEventListener("own", ({detail: d}) => own.push(symjam.app.clock.nodeUs(d.atMs)))"""
    )
    for key in "adg":
        await page.press(key)
    mine = await heard(node, lambda notes: len(notes) >= 6)
    own = await page.value("own")
    assert all(abs(event.at_us - own_us) < 1_000 for event, own_us in zip(mine, own, strict=True))


async def test_who_is_far_is_heard_a_bar_later_by_itself_and_by_choice(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana = node.join("ana", 1_500)
    await node.open_session(SessionWish(title="roof"))
    await page.until("symjam.app.world.session")
    await page.value(
        "window.due = []; symjam.app.player.addEventListener('heard', ({detail: d}) => due.push([d.atUs, d.dueMs]))"
    )
    late_ms = f"symjam.app.player.isBarLate('{ana}')"
    for _ in range(12):  # each a tenth of a second old
        node.hear(ana, [Played(node.now_us() - 100_000, 0, 4, 43, 100)])
        await trio.sleep(0.01)
    await page.until(late_ms)
    await page.value("document.querySelector('[aria-label=\"Hear others\"]').value = 'direct'")
    await page.value("document.querySelector('[aria-label=\"Hear others\"]').dispatchEvent(new Event('change'))")
    node.hear(ana, [Played(node.now_us(), 0, 4, 43, 100)])
    await page.until(f"!{late_ms}")


async def test_a_face_that_fails_costs_no_note(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.value(
        """import('/js/faces.js').then(({Face}) => {
          for (const part of ["draw", "hit", "celebrate"]) Face.prototype[part] = () => { throw new Error(part); };
          window.frames_drawn = 0;
          const draw = symjam.views.play.draw.bind(symjam.views.play);
          symjam.views.play.draw = (now) => { window.frames_drawn++; draw(now); };
        })"""
    )
    await page.until("symjam.app.faces.failed > 0")
    node.join("ana", 1_500)
    await page.press("a")
    assert (await heard(node, lambda notes: len(notes) >= 2))[0].lane == 0
    drawn = await page.value("window.frames_drawn")
    await page.until(f"window.frames_drawn > {drawn} + 3")
    await page.until("document.querySelectorAll('.seat').length === 2")
    assert await page.value("symjam.app.audio.running")
    assert page.errors == []


async def test_a_recording_plays_back_here_only_and_is_exported(shown: Shown) -> None:
    node, page = shown.node, shown.page
    now_us = node.now_us()
    live = "window.live = []; symjam.app.player.addEventListener('heard', ({detail: d}) => live.push(d.lane))"
    await page.value(live)
    await node.play([Played(now_us + n * 50_000, 0, n, 36 + n, 90) for n in range(4)])
    await page.until("live.length + symjam.app.playout.stale === 4")  # a busy machine may be too late for some
    await page.value("location.hash = '#/jam'")
    await page.value(
        "window.again = []; symjam.app.player.addEventListener('heard', ({detail: d}) => again.push([d.lane, d.dueMs]))"
    )
    before = len(node.played)
    await page.value(f"({CLICK})('Play back')")
    await page.until("again.length === 4")
    rows = await page.value("again")
    assert [lane for lane, _ in rows] == [0, 1, 2, 3]
    assert all(abs(b[1] - a[1] - 50) < 0.01 for a, b in itertools.pairwise(rows))
    await page.until("[...document.querySelectorAll('button')].some((b) => b.textContent === 'Play back')")
    assert len(node.played) == before
    head = "symjam.app.connection.file('/api/session/midi').then((file) => file.slice(0, 4).text())"
    assert await page.value(head) == "MThd"


async def test_every_view_has_an_address_and_a_light_and_a_dark_look(shown: Shown) -> None:
    page = shown.page
    grounds = set()
    for look in ("light", "dark"):
        await page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": look}])
        for view in ("play", "mesh", "ledger", "wallet", "jam", "setup"):
            await page.go(f"{shown.url}#/{view}")
            await page.until(f"document.querySelector('main .view.{view}') !== null")
            assert await page.value("document.querySelector('[aria-current=page]').dataset.view") == view
        grounds.add(await page.value("getComputedStyle(document.documentElement).getPropertyValue('--ink-0').trim()"))
    assert len(grounds) == 2
    await page.size(390, 844, phone=True)
    await page.laid_out(390)
    for view in ("jam", "setup", "play"):
        await page.value(f"location.hash = '#/{view}'")
        await page.until(f"document.querySelector('main .view.{view}') !== null")
        assert await page.value("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []
