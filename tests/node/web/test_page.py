"""The page in a real browser, as a player meets it."""

from __future__ import annotations

import trio

from node.api.backend import Played, SessionWish
from tests.node.api.conftest import TOKEN
from tests.node.web.conftest import Shown, needs_chromium

pytestmark = needs_chromium

# One machine, one clock: what separates page and node times is the estimator's error and the test's own steps.
SLACK_US = 150_000


async def test_keys_are_heard_by_the_node_with_their_times(shown: Shown) -> None:
    node, page = shown.node, shown.page
    began = node.now_us()
    await page.key("keyDown", "a")
    await page.key("keyDown", "a", repeat=True)
    await page.key("keyDown", ";")
    await page.key("keyUp", "a")
    await page.key("keyUp", ";")
    with trio.fail_after(10):
        while len(node.played) < 4:
            await trio.sleep(0.02)
    ended = node.now_us()
    assert [(e.kind, e.lane) for e in node.played] == [(0, 0), (0, 9), (1, 0), (1, 9)]
    times = [e.at_us for e in node.played]
    assert times == sorted(times) and began - SLACK_US < times[0] and times[-1] < ended + SLACK_US
    assert node.played[0].pitch == 36 and node.played[0].velocity > 0 and node.played[2].velocity == 0
    assert node.session is not None  # the first key opened one
    assert await page.until("symjam.app.audio.running")
    await page.until("document.querySelector('.about strong').textContent === 'jam'")
    await page.until("/ms|grid/.test(document.querySelector('.lean').textContent) || symjam.app.world.t0AtUs")
    assert page.errors == []


async def test_the_token_leaves_the_address_bar_and_stays_in_the_tab(shown: Shown) -> None:
    page = shown.page
    assert await page.value("location.href") == f"{shown.url}#/play"
    assert TOKEN not in await page.value("document.documentElement.outerHTML")
    await page.call("Page.reload")
    await page.until("window.symjam && symjam.app.connection.state === 'live'")


async def test_a_window_without_a_token_says_what_to_do(shown: Shown) -> None:
    await shown.page.value("sessionStorage.clear()")
    await shown.page.go(f"{shown.url}#/mesh")
    await shown.page.call("Page.reload")
    await shown.page.until("!window.symjam && document.querySelector('main').textContent.includes('symjam up')")


async def test_others_are_seen_and_heard_and_the_own_echo_is_not(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana = node.join("ana", 1_500)
    await node.open_session(SessionWish(title="roof"))
    await page.until("document.querySelectorAll('.seat').length === 2")
    await page.value(
        """window.heard = [];
        symjam.app.player.addEventListener("heard", ({detail: d}) => heard.push([d.player, d.lane, d.off]))"""
    )
    node.hear(ana, [Played(node.now_us(), 0, 3, 62, 100), Played(node.now_us() + 50_000, 1, 3, 62, 0)])
    await page.until("heard.length === 2")
    assert await page.value("heard") == [[ana, 3, False], [ana, 3, True]]
    await page.until("document.querySelectorAll('.seat')[1].classList.contains('playing')")
    await page.press("d")
    with trio.fail_after(10):
        while len(node.played) < 2:
            await trio.sleep(0.02)
    # The node echoed those two back; another client of the same player is no echo.
    node.hear(node.me, [Played(node.now_us(), 0, 7, 49, 90)])
    await page.until("heard.length >= 3")
    assert await page.value("heard.slice(2)") == [[node.me, 7, False]]
    assert page.errors == []


async def test_notes_of_another_hour_are_told_and_push_aside_none_of_now(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana, ben = node.join("ana", 1_500), node.join("ben", 1_500)
    await node.open_session(SessionWish(title="roof"))
    await page.until("document.querySelectorAll('.seat').length === 3")
    await page.value(
        "window.heard = []; symjam.app.player.addEventListener('heard', ({detail: d}) => heard.push(d.player))"
    )
    node.hear(ben, [Played(node.now_us() + 1_000_000, 0, 5, 62, 100)])
    for _ in range(12):
        node.hear(ana, [Played(node.now_us() + 3_900_000_000, 0, 3, 62, 100)] * 250)
        await trio.sleep(0.01)
    await page.until("document.querySelector('#banner').textContent.includes('ahead of this jam')")
    assert "1 h" in await page.value("document.querySelector('#banner').textContent")
    await page.until("heard.length > 0")
    assert await page.value("heard") == [ben]
    assert page.errors == []


async def test_a_note_of_another_flashes_its_lane(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana = node.join("ana", 1_500)
    await node.open_session(SessionWish())
    await page.value(
        """window.lit = new Set();
        document.querySelectorAll(".pad .lights").forEach((lights, lane) =>
          new MutationObserver(() => lit.add(lane)).observe(lights, {childList: true}))"""
    )
    node.hear(ana, [Played(node.now_us(), 0, 4, 43, 100)])
    assert await page.until("lit.size && [...lit]") == [4]


async def test_a_tap_between_two_pictures_is_seen_all_the_same(shown: Shown) -> None:
    page = shown.page
    await page.value(
        """window.seen = new Set();
        const watch = new MutationObserver((news) => news.forEach(({target: t}) => {
          if (t.classList.contains("down")) seen.add(t.dataset.lane); }));
        document.querySelectorAll(".pad").forEach((pad) => watch.observe(pad, {attributeFilter: ["class"]}))"""
    )
    tap = """symjam.views.play; for (const kind of ["keydown", "keyup"])
      document.body.dispatchEvent(new KeyboardEvent(kind, {code: "KeyD", key: "d", bubbles: true}))"""
    await page.value(tap)
    assert await page.until("seen.size && [...seen]") == ["2"]
    await page.until("!document.querySelector('.pad.down')")


async def test_touch_plays(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.size(390, 844, phone=True)
    await page.laid_out(390)
    box = await page.value(
        """(({x, y, width, height}) => [x + width / 2, y + height * 0.9])(
          document.querySelectorAll(".pad")[6].getBoundingClientRect())"""
    )
    await page.touch(*box)
    with trio.fail_after(10):
        while len(node.played) < 2:
            await trio.sleep(0.02)
    assert [(e.kind, e.lane) for e in node.played] == [(0, 6), (1, 6)]
    assert node.played[0].velocity > 110  # low on the pad is hard
    assert await page.value("document.documentElement.scrollWidth <= innerWidth")


async def test_blocks_go_from_pending_to_accepted_while_one_looks(shown: Shown) -> None:
    node, page = shown.node, shown.page
    ana, ben = node.join("ana", 1_500), node.join("ben", 900)
    window = node.now_us() // 10_000_000
    older = node.propose(node.me, window - 2)
    node.decide(older, [ana, ben], 0)
    await page.press("3")
    await page.until("location.hash === '#/ledger'")
    block = node.propose(node.me, window - 1)
    node.tell_window(window - 1, "proposed")
    await page.until("document.querySelector('.blocks .pill.pending') !== null")
    node.decide(block, [ana, ben], 3)
    await page.until("document.querySelectorAll('.blocks .pill.local').length === 2")
    formula = await page.until("document.querySelector('.formula')?.innerText")
    assert "1.000000" in formula and "0.500" in formula  # base, and w at m = 3
    assert await page.value("document.querySelectorAll('.decay circle').length") == 2
    node.tell_window(window, "refused", "too-few", "too few events", 3)
    await page.until("document.querySelector('.outcomes.all').textContent.includes('too few events')")
    await page.press("4")
    reward = block["reward"]["proposer_micro"] + older["reward"]["proposer_micro"]
    shown_balance = f"{reward // 1_000_000}.{reward % 1_000_000:06d}"
    await page.until(f"document.querySelector('.balance')?.textContent.startsWith('{shown_balance}')")
    assert page.errors == []


async def test_the_mesh_says_what_it_knows_and_a_dash_for_what_it_does_not(shown: Shown) -> None:
    node, page = shown.node, shown.page
    node.join("ana", 3_100, 140)
    node.join("ben", None, behind=17)
    await page.press("2")
    await page.until("document.querySelectorAll('.mesh tbody tr').length === 2")
    rows = await page.value(
        """[...document.querySelectorAll(".mesh tbody tr")].map((row) =>
          [...row.cells].slice(1).map((cell) => cell.textContent))"""
    )
    assert rows == [["3.1 ms", "± 0.14 ms", "yes"], ["–", "–", "17 behind"]]
    assert "17 entries behind" in await page.value("document.querySelector('.mesh-picture').textContent")


async def test_names_from_the_mesh_are_never_markup(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await node.open_session(SessionWish(title="<img src=x onerror=alert(1)>"))
    node.tell_window(1, "refused", "x", "<script>window.hurt = 1</script>", 0)
    await page.until("document.querySelector('.about strong').textContent.startsWith('<img')")
    await page.until("document.querySelector('.outcomes').textContent.includes('<script>')")
    assert not await page.value("document.querySelector('main img') || window.hurt")


async def test_a_node_that_goes_is_said_and_found_again(shown: Shown) -> None:
    page = shown.page
    shown.server.cancel()
    await page.until("document.body.dataset.state === 'gone' && !document.querySelector('#banner').hidden")
    assert "symjam up" in await page.value("document.querySelector('#banner').textContent")
    await page.press("s")  # sounds, is not kept, and breaks nothing
    await shown.restart()
    await page.until("symjam.app.connection.state === 'live' && symjam.app.clock.ready")
    await page.until("document.querySelector('#banner').hidden")
    await page.press("d")
    with trio.fail_after(10):
        while len(shown.node.played) < 2:
            await trio.sleep(0.02)
    assert {e.lane for e in shown.node.played} == {2}


async def test_a_page_that_stood_still_does_not_take_the_node_for_gone(shown: Shown) -> None:
    """What the node said meanwhile was thrown away with the connection, and so were notes of others."""
    page = shown.page
    await page.value(
        """window.states = []; const {connection, world} = symjam.app;
        connection.addEventListener("state", () => states.push(connection.state));
        const now = performance.now.bind(performance);
        // Just after one word of the node's, so that the page looks at the silence before the next one.
        const jumped = new Promise((done) => world.addEventListener("status", done, {once: true}));
        jumped.then(() => { performance.now = () => now() + 9_000; })"""
    )
    await trio.sleep(0.7)  # it looks twice a second
    assert await page.value("states") == []


async def test_another_token_is_said_and_not_tried_for_ever(shown: Shown) -> None:
    shown.server.cancel()
    await shown.page.until("document.body.dataset.state === 'gone'")
    await shown.restart(token="another-token-that-this-window-does-not-have")
    await shown.page.until("document.body.dataset.state === 'refused'")
    assert "symjam up" in await shown.page.value("document.querySelector('#banner').textContent")


async def test_a_refused_note_is_told_in_the_nodes_words(shown: Shown) -> None:
    shown.node.full = True
    await shown.page.press("f")
    await shown.page.until("document.querySelector('#banner').textContent.includes('the disk is full')")


async def test_views_have_addresses_and_keys(shown: Shown) -> None:
    page = shown.page
    for key, view in (("2", "mesh"), ("3", "ledger"), ("4", "wallet"), ("1", "play")):
        await page.press(key)
        await page.until(f"location.hash === '#/{view}' && document.body.dataset.view === '{view}'")
        assert await page.value("document.querySelector('.tabs a[aria-current]').dataset.view") == view
    await page.value("document.querySelector('.tabs a[aria-current]').focus()")
    await page.press("ArrowRight")
    await page.until("document.body.dataset.view === 'mesh' && document.activeElement.dataset.view === 'mesh'")
    await page.value("location.hash = '#/nowhere'")
    await page.until("document.body.dataset.view === 'play'")
    assert page.errors == []


async def test_the_instrument_is_chosen_and_kept(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.value("document.querySelector('#voice-bass').click()")
    await page.press("a")
    with trio.fail_after(10):
        while len(node.played) < 2:
            await trio.sleep(0.02)
    assert node.played[0].pitch == 31
    await page.call("Page.reload")
    await page.until("window.symjam && document.querySelector('#voice-bass').checked")
