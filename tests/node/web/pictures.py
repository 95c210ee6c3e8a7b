"""`make pictures`: every view of the page on real nodes that play, as docs/img/*.png for the README and the docs.

Four nodes; two players with parts of a shared chart, whose performances are made up; after some windows each view is
taken from the first one's page. Take them on a machine that is otherwise idle: what is seen is measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import trio

from node.commands.processes import Player, Process, start_nodes
from tests.browser import Chromium, Page, chromium, open_page
from tests.jam.test_chart import band

VIEWS = ("play", "mesh", "ledger", "wallet", "jam", "setup")
NODES = 4
PLAYING_S = 62
LOOK_S = 1.5
IMAGES = Path(__file__).parents[3] / "docs" / "img"
CHART = {"title": "On the roof", "players": 3}


def main() -> int:
    """Take them all; 1 where there is no browser."""
    parser = argparse.ArgumentParser(prog="python -m tests.node.web.pictures", description=__doc__)
    parser.add_argument("views", nargs="*", metavar="VIEW", help=f"of {', '.join(VIEWS)}; default: all")
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--seconds", type=int, default=PLAYING_S, help="how long is played before")
    wish = parser.parse_args()
    if unknown := set(wish.views) - set(VIEWS):
        parser.error(f"no view is named {', '.join(sorted(unknown))}; there are: {' '.join(VIEWS)}")
    if chromium() is None:
        print("cannot take pictures: there is no Chromium here", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as root:
        nodes = start_nodes(Path(root), NODES)
        try:
            with Chromium(Path(root) / "chromium") as browser:
                trio.run(
                    _take, browser, nodes, wish.seconds, [wish.out / f"{view}.png" for view in wish.views or VIEWS]
                )
        finally:
            for node in nodes:
                node.stop()
    return 0


async def _take(browser: Chromium, nodes: Sequence[Process], seconds: int, wanted: Sequence[Path]) -> None:
    async with (
        trio.open_nursery() as nursery,
        open_page(browser, nursery) as here,
        open_page(browser, nursery) as there,
    ):
        await here.size(1280, 800)
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        await here.call("Emulation.setEmulatedMedia", features=dark)
        for page, node in ((here, nodes[0]), (there, nodes[1])):
            await page.go(node.client().address.page_url)
            met = f"window.symjam && symjam.app.clock.ready && symjam.app.world.players.length === {NODES}"
            await page.until(met, 120)
        nodes[0].client().share_chart(band(), CHART)
        for number, page in enumerate((here, there)):
            await page.value("location.hash = '#/jam'")
            await page.until("document.querySelectorAll('.parts button').length === 3", 60)
            await page.value(f"document.querySelectorAll('.parts button')[{number}].click()")
        await here.value("location.hash = '#/play'")
        for key in "asdf":
            await here.press(key)
        playing = [_player(node, seconds + 120, seed) for seed, node in enumerate(nodes[:2], start=3) if seconds]
        try:
            await trio.sleep(seconds)
            for path in wanted:
                await _picture(here, path)
        finally:
            for player in playing:
                player.stop()
        nursery.cancel_scope.cancel()


def _player(node: Process, seconds: int, seed: int) -> Player:
    return Player(node, ("--synthetic", str(seconds), "--seed", str(seed), "--join"))


async def _picture(page: Page, path: Path) -> None:
    view = path.stem
    await page.value(f"location.hash = '#/{view}'")
    await page.until(f"document.querySelector('main .view.{view}') !== null")
    if view == "play":  # well inside a window, when there is a score to see
        await page.until("(({window_ends_us, now_us}) => window_ends_us - now_us < 4e6)(symjam.app.world.status)", 60)
    await trio.sleep(LOOK_S)
    await page.screenshot(path)
    print(path.name, flush=True)


if __name__ == "__main__":
    sys.exit(main())
