"""Somebody who has one node sign things, by its API or by `symjam wallet`, and keeps what was answered.

However a node dies, every request comes to an end that is known: it was signed, as this entry, or it was not. Which of
the two is compared with what stands in the logs (books.py).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from crdt.errors import OperatingFailure, Refused
from node.client import Client, NoAnswer
from node.commands.processes import Process
from node.runtime import NoNode
from tests.kills.schedule import Kind
from wallet.amounts import format_jam

MOST_MICRO: Final = 500  # paid or staked at once: there is enough for hundreds
PATIENCE_S: Final = 240.0
UNSURE: Final = "not-known"


@dataclass
class Request:
    """One thing to be signed. `entry`: as what it was; `refused`: why not; neither: the answer was lost."""

    number: str
    wish: dict[str, Any]
    entry: str = ""
    refused: str = ""

    @property
    def is_known(self) -> bool:
        """Whether one knows how it ended."""
        return bool(self.entry or self.refused)


class Teller:
    """At one node, for one player."""

    def __init__(self, node: Process, other: Process, chance: Random) -> None:
        self.node, self._other, self._chance = node, other, chance
        self.requests: list[Request] = []
        self.contradictions: list[str] = []

    def wish(self, kind: Kind) -> Request:
        """Something new to be signed."""
        amount, number = self._chance.randint(1, MOST_MICRO), f"{self._chance.getrandbits(128):032x}"
        named: dict[str, Any] = {"kind": "send", "player": self._other.player, "memo": number}
        if kind is Kind.STAKE:
            may_unstake = self._client().wallet()["staked_micro"] >= amount
            named = {"kind": self._chance.choice(("stake", "unstake")) if may_unstake else "stake"}
        request = Request(number, {**named, "amount_micro": amount})
        self.requests.append(request)
        return request

    def ask(self, request: Request, again: bool = False) -> float:
        """Have the node sign it; how long it took, seconds. What was lost stays open."""
        began = time.monotonic()
        try:
            self._take(request, self._client().sign(request.wish, None, request.number)["entry"])
        except Refused as refused:
            request.refused = refused.reason
        except NoNode as gone:
            request.refused = "" if again else gone.what  # nobody has heard of it, unless somebody had before
        except NoAnswer:
            pass
        return time.monotonic() - began

    def command(self, request: Request, again: bool = False) -> float:
        """The same by `symjam wallet`, which waits for its node to come back and chooses the request's number."""
        wish, began = request.wish, time.monotonic()
        about = [wish["player"]] if "player" in wish else []
        memo = ["--memo", wish["memo"]] if "memo" in wish else []
        numbered = ["--request", request.number] if again else []
        request.number = request.number if again else ""
        words = [wish["kind"], *about, format_jam(wish["amount_micro"]), *memo, *numbered]
        call = [sys.executable, "-m", "node", "wallet", *words, "--yes", "--wait", "0", "--json", "--data"]
        done = subprocess.run([*call, str(self.node.data_dir)], capture_output=True, timeout=PATIENCE_S, check=False)
        said = json.loads(done.stdout or b"{}")
        if done.returncode in (0, 5):
            self._take(request, said["entry"])
        elif said.get("reason") == UNSURE:
            request.number = said["remedy"].split("--request ")[1][:32]  # which it chose itself
        elif "reason" in said or not again:
            request.refused = said.get("reason") or said.get("what") or done.stderr.decode(errors="replace")
        return time.monotonic() - began

    def settle(self, request: Request, by_command: bool, is_given_up: bool) -> None:
        """The node is there again: find out how a request ended. OperatingFailure when that cannot be found out."""
        deadline = time.monotonic() + PATIENCE_S
        while not request.is_known:
            if time.monotonic() > deadline:
                raise OperatingFailure("a request has no end", request.number)
            if is_given_up:
                self._look(request)
            elif by_command:
                self.command(request, again=True)
            else:
                self.ask(request, again=True)

    def _look(self, request: Request) -> None:
        """Only look whether it was signed. What was not is not asked for again, and must not come later."""
        try:
            self._take(request, self._client().request(request.number)["entry"])
        except Refused as refused:
            request.refused = refused.reason
        except (NoAnswer, NoNode):
            time.sleep(0.1)

    def has_signed(self, request: Request) -> bool:
        """Whether the node knows of something signed for a request; False where only `symjam wallet` has the number."""
        try:
            return bool(request.number and self._client().request(request.number))
        except OperatingFailure:
            return False

    def repeat(self) -> None:
        """Ask once more for something that was signed: nothing new may come of it."""
        signed = [request for request in self.requests if request.entry and request.number]
        if signed:
            self.ask(self._chance.choice(signed), again=True)

    def _client(self) -> Client:
        return Client.of(self.node.data_dir, PATIENCE_S)

    def _take(self, request: Request, entry: str) -> None:
        if request.entry not in ("", entry):
            self.contradictions.append(f"request {request.number} was {request.entry[:8]}, then {entry[:8]}")
        request.entry = entry
