"""A phone on the LAN: it joins by the link, in a browser of its own network namespace, plays, is heard, may no more."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from tests.browser import Chromium, Page, open_page
from tests.lan.nodes import LanNode, until
from tests.lan.wires import Lan, Namespace, lan, missing
from tests.node.web.conftest import needs_chromium

pytestmark = needs_chromium

PHONE = (390, 844)
REFUSED = [
    ("POST", "/api/session"),
    ("DELETE", "/api/session"),
    ("POST", "/api/chart"),
    ("POST", "/api/stop"),
    ("DELETE", "/api/guests"),
    ("GET", "/api/documents/ledger/0"),
    ("GET", "/api/session/recording"),
    ("GET", "/metrics"),
]


@pytest.fixture(scope="module")
def wires() -> Iterator[Lan]:
    if why := missing():
        pytest.skip(why)
    with lan(2) as made:
        yield made


@pytest.fixture
def host(wires: Lan, tmp_path: Path) -> Iterator[LanNode]:
    node = LanNode(wires.hosts[0], tmp_path / "host", "--guests", "--no-mdns")
    try:
        node.begin()
        until(node.is_up, "the start", 60)
        yield node
    finally:
        node.stop()


def said(node: LanNode) -> dict[str, str]:
    """What `symjam up --json` printed."""
    lines = (node.data_dir / "node.log").read_text().splitlines()
    found: dict[str, str] = json.loads(next(line for line in lines if "symjam.up/1" in line))
    return found


async def tap(page: Page, lane: int) -> None:
    """A finger on a pad."""
    box = await page.value(
        f"(() => {{ const b = document.querySelector('.pad[data-lane=\"{lane}\"]').getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2] })()"
    )
    await page.touch(*box)


async def may_no_more(page: Page) -> None:
    """Whatever is the owner's is refused, said to be for no guest, and done nothing of."""
    await page.value(
        """window.ask = (method, path) => fetch(path, {method, headers: {Authorization:
        `Bearer ${localStorage["symjam.guest"]}`}}).then((answer) => answer.status)"""
    )
    for method, path in REFUSED:
        assert await page.value(f"ask('{method}', '{path}')") == 403, (method, path)
    await page.value(
        """window.told = [];
        symjam.app.connection.addEventListener("message", ({detail: d}) => d.type === "error" && told.push(d.what));
        for (const m of [{type: "close"}, {type: "say", text: "me"}, {type: "edit", tempo_mbpm: 90000}, {type: "open"}])
          symjam.app.connection.send({...m, id: symjam.app.connection.id()})"""
    )
    await page.until("told.length === 4 && told.every((what) => what === 'not for guests')")


async def forward(place: Namespace, listener: trio.SocketListener, port: int) -> None:
    """Carry connections to a port of a host's loopback, so that one browser sees the owner's page as well."""

    async def carry(near: trio.SocketStream) -> None:
        made = place.call(lambda: socket.create_connection(("127.0.0.1", port)))
        made.setblocking(False)
        far = trio.SocketStream(trio.socket.from_stdlib_socket(made))

        async def one_way(out: trio.SocketStream, into: trio.SocketStream) -> None:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                async for some in out:
                    await into.send_all(some)
                await into.send_eof()

        async with near, far, trio.open_nursery() as nursery:
            nursery.start_soon(one_way, near, far)
            nursery.start_soon(one_way, far, near)

    await trio.serve_listeners(carry, [listener])


def listening(place: Namespace, port: int) -> trio.SocketListener:
    """A listener on a host's loopback."""
    made = place.call(lambda: socket.create_server(("127.0.0.1", port)))
    made.setblocking(False)
    return trio.SocketListener(trio.socket.from_stdlib_socket(made))


async def test_a_phone_joins_by_the_link_plays_and_is_heard_as_a_guest(
    wires: Lan, host: LanNode, tmp_path: Path, nursery: trio.Nursery
) -> None:
    up = said(host)
    port, device = int(up["page"].split(":")[2].split("/")[0]), wires.hosts[1]
    nursery.start_soon(forward, host.host, listening(device, port), port)
    with Chromium(tmp_path / "phone", device) as browser:
        async with open_page(browser, nursery) as mine, open_page(browser, nursery) as theirs:
            await mine.go(up["page"])
            await theirs.size(*PHONE, phone=True)
            await theirs.go(up["guests"][0])
            for page in (mine, theirs):
                await page.until("window.symjam && symjam.app.clock.ready && symjam.app.world.players.length === 2", 60)
            await mine.value(
                """window.heard = []; symjam.app.world.addEventListener("event", ({detail: d}) =>
                heard.push(...d.events.filter((e) => e[1] === 0).map((e) => [d.player, e[2]])))"""
            )
            assert not await theirs.value("isSecureContext || location.hash.includes('guest')")
            for lane in (0, 1, 2):
                await tap(theirs, lane)
            me = await theirs.value("symjam.app.world.me")
            await mine.until(f"heard.length === 3 && heard.every(([who]) => who === '{me}')", 30)
            assert await mine.value("heard.map(([, lane]) => lane)") == [0, 1, 2]
            await mine.until("document.querySelector('.stage').textContent.includes('(guest)')")
            assert await theirs.value("symjam.app.world.session.mine") is False  # the note has opened the host's jam
            await may_no_more(theirs)
            await theirs.go("about:blank")  # it comes back without the link, and is who it was
            await theirs.go(up["guests"][0].split("#")[0])
            await theirs.until(f"window.symjam && symjam.app.world.me === '{me}'", 30)
            await shown_out(mine, theirs, up["guests"][0])
            assert mine.errors == []


async def shown_out(mine: Page, theirs: Page, link: str) -> None:
    """The owner ends it in the page: the guest is told so, and its link leads to no more than words ever after."""
    await mine.value("location.hash = '#/mesh'")
    await mine.until("document.querySelector('.guests .code').naturalWidth > 0")
    await mine.value("document.querySelector('.guests button').click()")
    await theirs.until("document.getElementById('banner').textContent.includes('invitation has ended')", 30)
    await mine.until("symjam.app.world.players.length === 1", 30)
    await mine.value("document.querySelector('.guests button').click()")  # and lets others in
    await mine.until("document.querySelector('.link-text').textContent.includes('#guest=')")
    for wrong in (link, link[:-1] + ("A" if link[-1] != "A" else "B"), link.split("#", maxsplit=1)[0]):
        await theirs.go("about:blank")
        await theirs.go(wrong)
        await theirs.until("document.body.textContent.includes('invitation has ended')", 20)
