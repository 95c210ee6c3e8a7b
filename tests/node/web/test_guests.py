"""Guests on the owner's page: the switch and its code, and whoever is one is called so wherever a name stands."""

from __future__ import annotations

from node.api.backend import Played, SessionWish
from tests.node.api.memory_node import identity
from tests.node.web.conftest import Shown, needs_chromium

pytestmark = needs_chromium
GUEST = identity("a phone")


async def test_a_guest_is_seen_heard_and_named_as_one(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await node.open_session(SessionWish("jam"))
    node.guests_here = [GUEST]
    await page.until("symjam.app.world.players.length === 2")
    await page.until("document.querySelector('.stage').textContent.includes('(guest)')")
    node.hear(GUEST, [Played(node.now_us(), 0, 3, 60, 100)])
    await page.until("[...document.querySelectorAll('.seat')].some((s) => s.classList.contains('playing'))")
    node.propose(GUEST, 3)
    for view, where in (("ledger", ".blocks"), ("mesh", ".mesh-picture"), ("mesh", "tbody")):
        await page.value(f"location.hash = '#/{view}'")
        await page.until(f"document.querySelector('{where}').textContent.includes('(guest)')")
    assert page.errors == []


async def test_the_owner_lets_guests_in_and_shows_them_out(shown: Shown) -> None:
    node, page = shown.node, shown.page
    await page.value("location.hash = '#/mesh'")
    await page.until("document.querySelector('.guests .code').hidden")
    await page.value("document.querySelector('.guests button').click()")
    await page.until("document.querySelector('.guests .code').src.startsWith('data:image/svg')")
    assert await page.value("document.querySelector('.link-text').textContent") == node.guests()["link"]
    await page.value("document.querySelector('.guests button').click()")
    await page.until("document.querySelector('.guests .code').hidden")
    assert not node.lets_guests_in and page.errors == []


async def test_whoever_has_no_way_in_is_told_what_to_do(shown: Shown) -> None:
    """The owner's door knows no guests: an invitation that got there leads nowhere, in words."""
    page = shown.page
    await page.value("sessionStorage.clear()")
    for fragment in ("", "#guest=", "#guest=" + "x" * 43):
        await page.go("about:blank")
        await page.go(shown.url + fragment)
        await page.until(
            "document.body.dataset.state === 'refused' && document.querySelector('[role=alert].empty') !== null", 60
        )
    assert "guest" not in await page.value("location.hash")
