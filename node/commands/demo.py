"""`symjam demo`: separate node processes on this machine that meet, play, attest and pay.

Nothing is simulated: each node is a `symjam up` of its own with its own data directory, found by multicast on the
loopback interface; one is fed by a `symjam jam` process; everything shown is read from the nodes' APIs. Success is
what the ledger says: enough accepted blocks, and one state root on all nodes.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from crdt.errors import OperatingFailure
from node.commands.blocks import block_lines, refusal_line
from node.commands.common import as_json_line, jam, short
from node.commands.processes import SYNTHETIC_S, Player, Process, start_nodes, start_player

MEET_TIMEOUT_S: Final = 60.0
DECIDE_TIMEOUT_S: Final = 60.0
AGREE_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.5
COUNT_EVERY_S: Final = 5.0
TRIAL_S: Final = 35  # at least two whole windows
GAP_S: Final = 12.0  # more than a window: what was played has become known
KILL_AFTER_S: Final = 25.0

Doc = dict[str, Any]


def run(
    nodes: int, play: Path | None, wanted: int, seconds: int | None, kill: bool, trials: bool, keep: bool, as_json: bool
) -> int:
    """Run the demonstration; 0 when it showed what it should, 1 when something is missing, which it names."""
    root = Path(tempfile.mkdtemp(prefix="symjam-demo-"))
    demo = Demo(root, Voice(as_json), wanted)
    try:
        return demo.run(nodes, play, seconds, kill, trials)
    finally:
        demo.end()
        if keep:
            click.echo(f"data directories kept in {root}", err=True)
        else:
            shutil.rmtree(root, ignore_errors=True)


class Voice:
    """Says things as they happen: lines for people, JSON lines for programs."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._start = time.monotonic()

    def say(self, kind: str, words: str, **facts: object) -> None:
        """One thing that happened."""
        at_s = time.monotonic() - self._start
        if self._as_json:
            as_json_line({"schema": "symjam.demo/1", "at_s": round(at_s, 2), "kind": kind, **facts})
        else:
            first, *rest = words.split("\n")
            click.echo(f"{at_s:6.1f}  {first}")
            for line in rest:
                click.echo(f"        {line}")


class Demo:
    """One run: its processes, and what has been shown of them."""

    def __init__(self, root: Path, voice: Voice, wanted: int) -> None:
        self._root = root
        self._voice = voice
        self._wanted = wanted
        self._nodes: list[Process] = []
        self._player: Player | None = None
        self._shown: dict[str, tuple[str, int, int | None]] = {}
        self._windows: set[int] = set()
        self._counts: dict[str, int] = {}
        self._next_count = 0.0
        self._missing: list[str] = []

    def run(self, nodes: int, play: Path | None, seconds: int | None, kill: bool, trials: bool) -> int:
        """Start, meet, play, settle, agree."""
        what = str(play) if play else f"a made-up (synthetic) performance of {seconds or SYNTHETIC_S} s"
        self._voice.say("start", f"starting {nodes} nodes; they will hear {what}", nodes=nodes, play=what)
        self._nodes = start_nodes(self._root, nodes)
        for node in self._nodes:
            self._voice.say(
                "node", f"node {node.name} is player {short(node.player)}", node=node.name, player=node.player
            )
        if not self._wait(MEET_TIMEOUT_S, self._all_met):
            return self._give_up("the nodes did not all find each other")
        self._voice.say("met", f"all {nodes} nodes found each other by multicast and are linked")
        self._perform(start_player(self._nodes[0], play, seconds), kill)
        if trials:
            self._try_to_cheat(play)
        self._wait(DECIDE_TIMEOUT_S, self._all_decided)
        return self._settle()

    def _perform(self, player: Player, kill: bool = False) -> None:
        """Show what happens while somebody plays."""
        self._player = player
        began = time.monotonic()
        while player.is_playing():
            self._show_progress()
            if kill and time.monotonic() - began > KILL_AFTER_S:
                kill = False
                self._kill_one()
            time.sleep(POLL_S)
        self._voice.say("played", f"the performance is over: {player.summary()}")
        if not player.is_complete():
            self._missing.append(f"the player process failed: {player.summary()}")

    def _try_to_cheat(self, play: Path | None) -> None:
        """The same recording again, then quantised: every whole window must be refused, with its reason."""
        for words, quantise in (
            ("the same recording again", False),
            ("the recording with every note on the grid", True),
        ):
            self._voice.say("trial", f"now {words}", quantise=quantise)
            time.sleep(GAP_S)
            known, accepted = set(self._windows), self._accepted()
            self._perform(start_player(self._nodes[0], play, TRIAL_S, quantise))
            self._wait(GAP_S + 5, lambda seen=known: len(self._refused() - seen) >= TRIAL_S // 10 - 1)  # type: ignore[misc]
            self._show_progress()
            refused = len(self._windows - known)
            if refused < TRIAL_S // 10 - 1 or self._accepted() > accepted + 1:
                self._missing.append(f"{words}: only {refused} windows were refused")

    def _refused(self) -> set[int]:
        windows = self._nodes[0].client().windows(100)["windows"]
        return {window["window"] for window in windows if window["outcome"] == "refused"}

    def _accepted(self) -> int:
        return int(self._nodes[0].client().status()["ledger"]["blocks"]["local"])

    def _kill_one(self) -> None:
        victim = self._nodes[-1]
        before = victim.client().status()
        victim.kill()
        held = sum(document["entries"] for document in before["documents"])
        self._voice.say(
            "kill", f"killed node {victim.name} (-9) while it held {held} entries", node=victim.name, held=held
        )
        time.sleep(2)
        victim.start()
        began = time.monotonic()
        back = self._wait(30, lambda: victim.client().status()["ledger"]["ready"] and self._met(victim))
        took = time.monotonic() - began
        if back:
            self._voice.say(
                "back", f"node {victim.name} is back and linked {took:.1f} s after its page answered", took_s=took
            )
        else:
            self._missing.append(f"node {victim.name} did not rejoin after kill -9")

    # looking

    def _met(self, node: Process) -> bool:
        return len(node.client().status()["peers"]) == len(self._nodes) - 1

    def _all_met(self) -> bool:
        return all(self._met(node) for node in self._nodes)

    def _all_decided(self) -> bool:
        self._show_progress()
        return all(node.client().status()["ledger"]["blocks"]["pending"] == 0 for node in self._nodes)

    def _show_progress(self) -> None:
        first = self._nodes[0].client()
        for block in reversed(first.blocks(100)["blocks"]):
            seen = (block["state"], len(block["votes"]), (block["reward"] or {}).get("paid_micro"))
            if self._shown.get(block["id"]) != seen:
                self._shown[block["id"]] = seen
                self._voice.say("block", "\n".join(block_lines(block)), block=block)
        for window in reversed(first.windows(100)["windows"]):
            if window["outcome"] == "refused" and window["window"] not in self._windows:
                self._windows.add(window["window"])
                self._voice.say("window", refusal_line(window), window=window)
        self._show_replication()

    def _show_replication(self, always: bool = False) -> None:
        if not always and time.monotonic() < self._next_count:
            return
        self._next_count = time.monotonic() + COUNT_EVERY_S
        counts = {node.name: _jam_entries(node.client().status()) for node in self._nodes if node.is_alive()}
        if counts != self._counts:
            self._counts = counts
            shown = ", ".join(f"{name} {count}" for name, count in counts.items())
            self._voice.say("replicated", f"signed entries of the jam on each node: {shown}", entries=counts)

    def _settle(self) -> int:
        agreed = self._wait(AGREE_TIMEOUT_S, lambda: len(self._roots()) == 1)
        self._show_replication(always=True)
        for node in self._nodes:
            status = node.client().status()
            ledger = status["ledger"]
            balance = node.client().wallet()["balance_micro"]
            root = ledger["root"]
            self._voice.say("root", f"node {node.name}  root {root}  balance {jam(balance)}", node=node.name, root=root)
        if not agreed:
            self._missing.append("the nodes do not agree on the state root")
        accepted = self._accepted()
        if accepted < self._wanted:
            self._missing.append(f"{accepted} blocks were accepted, {self._wanted} were wanted")
        if self._missing:
            return self._give_up("; ".join(self._missing))
        self._voice.say("done", f"{accepted} blocks accepted, one state root on all nodes", accepted=accepted, ok=True)
        return 0

    def _roots(self) -> set[str]:
        return {node.client().status()["ledger"]["root"] for node in self._nodes}

    def _give_up(self, why: str) -> int:
        self._voice.say("failed", f"missing: {why}", why=why, ok=False)
        for node in self._nodes:
            words = node.last_words()
            if words:
                click.echo(f"node {node.name} said: {words}", err=True)
        return 1

    def _wait(self, timeout_s: float, is_so: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if is_so():
                    return True
            except OperatingFailure:
                if not all(node.is_alive() for node in self._nodes):
                    return False
            time.sleep(POLL_S)
        return False

    def end(self) -> None:
        """End every process that was started here."""
        if self._player is not None:
            self._player.stop()
        for node in self._nodes:
            node.stop()


def _jam_entries(status: Doc) -> int:
    return sum(document["entries"] for document in status["documents"] if document["name"].startswith("jam/"))
