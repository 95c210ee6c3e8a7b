"""A node in memory: keeps what is played and publishes what happens, in the shapes of docs/api.md."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from hashlib import blake2b
from typing import Any

from crdt.errors import OperatingFailure
from jam.board import Assign, Change
from jam.chart import chart_id, encode_chart
from jam.midi import Note, written
from node.api.backend import ChartWish, Doc, Played, SessionWish
from node.api.notices import Board, Feed
from node.keep.frames import End, Head, said
from node.shell.stand import read_chart, shown
from tests.node.api.memory_library import MemoryLibrary
from tests.node.api.memory_till import MemoryTill

WINDOW_S = 10
EMPTY_BOARD: dict[str, Any] = {
    "title": None,
    "tempo_mbpm": None,
    "chart": None,
    "start_bar": None,
    "parts": [],
    "lines": [],
}
EPOCH_WINDOWS = 3


def identity(name: str) -> str:
    """A 32-byte id in hex, the same for the same name."""
    return blake2b(name.encode(), digest_size=32).hexdigest()


def logistic_q16(m: int) -> int:
    """w(m) = 1 / (1 + e^(m - 3)) as a share of 65536."""
    return round(65_536 / (1 + math.exp(m - 3)))


class MemoryNode(MemoryTill):
    """Implements node.api.backend.Backend."""

    def __init__(self, clock: Callable[[], int] = lambda: time.time_ns() // 1_000) -> None:
        self._clock = clock
        self.board = Board()
        self.library = MemoryLibrary()
        self.me = identity("me")
        self.started_us = clock()
        self.peers: list[dict[str, Any]] = []
        self.played: list[Played] = []
        self.changes: list[Change] = []
        self.session: dict[str, Any] | None = None
        self.block_documents: list[dict[str, Any]] = []
        self.window_documents: list[dict[str, Any]] = []
        self.lots: list[dict[str, Any]] = []
        self.items: list[dict[str, Any]] = []
        self.documents: dict[str, bytes] = {"ledger/0": b"\x00\x00"}
        self.stopped = False
        self.riff: dict[str, Any] | None = None
        self.score: dict[str, Any] | None = None
        self.chart_id: str | None = None
        self.chart_document: dict[str, Any] | None = None
        self.shown_board: dict[str, Any] = EMPTY_BOARD
        self.lets_guests_in = False
        self.guests_here: list[str] = []
        self.full = False  # whether saving fails, as with a full disk

    # Backend

    def now_us(self) -> int:
        return self._clock()

    def status(self) -> Doc:
        now_us = self._clock()
        window = now_us // (WINDOW_S * 1_000_000)
        states = [block["state"] for block in self.block_documents]
        return {
            "schema": "symjam.status/1",
            "version": "0.1.0",
            "preset": "small",
            "network": identity("network"),
            "player": self.me,
            "peer_id": "12D3KooW" + self.me[:44],
            "data_dir": "memory",
            "now_us": now_us,
            "started_us": self.started_us,
            "window": window,
            "window_s": WINDOW_S,
            "window_ends_us": (window + 1) * WINDOW_S * 1_000_000,
            "epoch": window // EPOCH_WINDOWS,
            "addresses": ["/ip4/192.168.1.20/tcp/4001"],
            "guests": [{"player": player, "host": self.me, "here": True} for player in self.guests_here],
            "peers": self.peers,
            "riff": self.riff,
            "score": self.score and {"window": window, **self.score},
            "listeners": 0,
            "total": identity("total"),
            "documents": [{"name": "ledger/0", "authors": 4, "entries": 31, "digest": identity("digest")}],
            "ledger": {
                "root": identity("root"),
                "entries": 31,
                "blocks": {state: states.count(state) for state in ("pending", "local", "final", "rejected")},
                "skipped_ops": 0,
                "supply_micro": sum(lot["amount_micro"] for lot in self.lots),
                "ready": True,
                "signs_from_epoch": None,
                "checkpoint": None,
            },
            "session": self._session_now(),
            "counters": {"entries_saved": len(self.played)},
            "refused": {},
            "quarantine": {"kept": 0, "bytes": 0, "givers": [], "suspects": []},
            "guarded": {},
            "equivocations": 0,
            "store": {"kind": "memory", "recovered": False, "detail": ""},
            "checks": [],
        }

    def blocks(self, limit: int) -> Sequence[Doc]:
        return self.block_documents[::-1][:limit]

    def blocks_like(self, begins: str) -> Sequence[Doc]:
        return [block for block in self.block_documents if block["id"].startswith(begins)][:2]

    def windows(self, limit: int) -> Sequence[Doc]:
        return self.window_documents[::-1][:limit]

    def wallet(self) -> Doc:
        return {
            "schema": "symjam.wallet/1",
            "player": self.me,
            "balance_micro": sum(lot["amount_micro"] for lot in self.lots),
            "coming_micro": 0,
            "staked_micro": 0,
            "leaving_micro": 0,
            "pending_blocks": sum(block["state"] == "pending" for block in self.block_documents),
            "lots": self.lots,
            "operations": [],
        }

    def history(self, limit: int, before: int | None) -> Doc:
        return {"schema": "symjam.history/1", "items": self.items[::-1][:limit]}

    def document(self, name: str) -> bytes | None:
        return self.documents.get(name)

    def metrics(self) -> bytes:
        return b"# TYPE symjam_events_total counter\nsymjam_events_total %d\n" % len(self.played)

    async def store(self) -> AsyncGenerator[bytes, None]:
        yield said(Head("store-small-00000000", identity("network"), "small", self.me, identity("root"), 0))
        yield said(End(0))

    async def play(self, events: Sequence[Played]) -> Doc:
        if self.full:
            raise OperatingFailure("could not save what was played", "the disk is full", "Free some space.")
        if self.session is None:
            await self.open_session(SessionWish(title="jam"))
        self.played.extend(events)
        self.hear(self.me, events)
        return {"count": len(events), "entries": 1}

    async def open_session(self, wish: SessionWish) -> Doc:
        if self.session is not None:
            raise OperatingFailure("cannot open a session", "one is open", "Close it first.")
        self.session = {
            "id": identity(wish.title),
            "title": wish.title,
            "creator": self.me,
            "tempo_mbpm": wish.tempo_mbpm,
            "beats_per_bar": wish.beats_per_bar,
            "subdivision": wish.subdivision,
            "t0_us": self._clock(),
            "t0_at_us": self._clock(),
            "tags": list(wish.tags),
            "open": True,
            "mine": True,
            "clock": {"offset_us": 0, "uncertainty_us": 0, "via": None},
        }
        document = self._session_now()
        assert document is not None
        self.board.publish({"type": "session", "session": document})
        return document

    async def close_session(self) -> Doc:
        document = self._session_now()
        if document is None:
            raise OperatingFailure("cannot close the session", "none is open", "Open one first.")
        self.session = None
        self.board.publish({"type": "session", "session": None})
        return {**document, "open": False}

    def jam(self) -> Doc:
        board = self.shown_board if self.session else None
        return {"schema": "symjam.session/1", "session": self._session_now(), "board": board}

    async def edit(self, change: Change) -> Doc:
        if self.session is None:
            raise OperatingFailure("cannot edit the board", "no jam is on", "Open one first.")
        self.changes.append(change)
        if isinstance(change, Assign):
            player = change.player.hex() if change.player else None
            parts = [{**p, "player": player} if p["part"] == change.part else p for p in self.shown_board["parts"]]
            self.shown_board = {**self.shown_board, "parts": parts}
            self.board.publish({"type": "board", "session": self.session["id"], "board": self.shown_board})
        return self.shown_board

    def chart(self) -> Doc:
        return {"schema": "symjam.chart/1", "id": self.chart_id, "chart": self.chart_document}

    async def share_chart(self, wish: ChartWish, raw: bytes) -> Doc:
        chart = read_chart(wish, raw)
        if self.session is None:
            await self.open_session(SessionWish(wish.title, chart.tempo_mbpm))
        self.chart_id, self.chart_document = chart_id(encode_chart(chart)), shown(chart)
        self.stand(0)
        return self.chart()

    async def begin_chart(self) -> Doc:
        self.stand(7)
        return self.chart()

    def stand(self, start_bar: int) -> None:
        assert self.session is not None and self.chart_document is not None
        parts = [{"part": part["part"], "player": None} for part in self.chart_document["parts"]]
        self.shown_board = {**EMPTY_BOARD, "chart": self.chart_id, "start_bar": start_bar, "parts": parts}
        self.board.publish({"type": "board", "session": self.session["id"], "board": self.shown_board})

    def recording(self, session: str | None) -> Doc:
        rows = [[e.at_us - self.started_us, e.kind, e.lane, e.pitch, e.velocity] for e in self.played]
        return {
            "schema": "symjam.recording/1",
            "session": identity("jam"),
            "title": "jam",
            "tempo_mbpm": 120_000,
            "beats_per_bar": 4,
            "duration_us": rows[-1][0] if rows else 0,
            "takes": [{"player": self.me, "events": rows}] if rows else [],
        }

    def midi(self, session: str | None) -> bytes:
        notes = [Note(e.at_us - self.started_us, e.kind, e.lane, e.pitch, e.velocity) for e in self.played]
        if not notes:
            raise OperatingFailure("cannot export the jam", "nobody has played a note in it", "Play something first.")
        return written("jam", 120_000, 4, {"me": notes})

    def guests(self) -> Doc:
        link = "http://192.168.1.20:4002/#guest=" + "g" * 43 if self.lets_guests_in else None
        code = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E" if link else None
        shown = {"schema": "symjam.guests/1", "on": bool(link), "link": link, "links": [link] if link else []}
        rows = [{"player": player, "here": True, "since_us": self.started_us} for player in self.guests_here]
        return {**shown, "qr": code, "seats": 8, "guests": rows}

    async def invite(self) -> Doc:
        self.lets_guests_in = True
        return self.guests()

    async def show_out(self) -> Doc:
        self.lets_guests_in = False
        return self.guests()

    def stop(self) -> None:
        self.stopped = True

    def subscribe(self) -> Feed:
        return self.board.subscribe()

    # What a mesh would do

    def _session_now(self) -> dict[str, Any] | None:
        return self.session and {**self.session, "t_us": self._clock() - self.session["t0_us"]}

    def join(self, name: str, rtt_us: int | None = None, uncertainty_us: int = 80, behind: int = 0) -> str:
        """A peer appears."""
        player = identity(name)
        clock = None if rtt_us is None else {"offset_us": 12_345, "uncertainty_us": uncertainty_us}
        peer = {
            "player": player,
            "peer_id": "12D3KooW" + player[:44],
            "address": f"/ip4/192.168.1.{20 + len(self.peers) + 1}/tcp/4001",
            "rtt_us": rtt_us,
            "loss_permille": 0,
            "transport": "tcp",
            "transports": ["tcp"],
            "clock": clock,
            "synced": behind == 0,
            "behind_entries": behind,
            "links": [self.me, *(other["player"] for other in self.peers)],
            "since_us": self._clock(),
        }
        self.peers.append(peer)
        return player

    def hear(self, player: str, events: Sequence[Played]) -> None:
        """Events of a player arrive."""
        assert self.session is not None
        t0_us = self.session["t0_us"]
        rows = [[e.at_us - t0_us, e.kind, e.lane, e.pitch, e.velocity, e.at_us] for e in events]
        notice = {"type": "event", "player": player, "session": self.session["id"], "t0_at_us": t0_us, "events": rows}
        self.board.publish(notice)

    def propose(self, proposer: str, window: int, quality_q16: int = 50_000) -> dict[str, Any]:
        """A block appears, pending."""
        measures = ("liveness", "accuracy", "diversity", "harmony", "humanness", "originality")
        quality = {name: min(65_536, quality_q16 + 3_000 * i) for i, name in enumerate(measures)}
        block = {
            "id": identity(f"block {proposer} {window}"),
            "proposer": proposer,
            "window": window,
            "epoch": window // EPOCH_WINDOWS,
            "session": identity("jam"),
            "document": f"jam/{identity('jam')}/0",
            "first": 0,
            "last": 71,
            "root": identity(f"root {window}"),
            "quality": {**quality, "total": quality_q16},
            "state": "pending",
            "eligible": 1 + len(self.peers),
            "quorum": 2,
            "votes": [],
            "reward": None,
            "words": ["waiting for votes"],
        }
        self.block_documents.append(block)
        self.board.publish({"type": "block", "block": block})
        return block

    def decide(self, block: dict[str, Any], verifiers: Sequence[str], m: int, why: str = "") -> None:
        """Votes arrive and settle a block: accepted, or rejected when `why` is given."""
        w_q16 = logistic_q16(m)
        for verifier in verifiers:
            vote = {"verifier": verifier, "vote": "no" if why else "yes", "why": why or "fine", "words": why or "fine"}
            block["votes"].append({**vote, "tranche": 0, "m": m, "w_q16": w_q16})
        block["state"] = "rejected" if why else "local"
        block["words"] = [why] if why else [f"{len(verifiers)} of {len(verifiers)} voted yes"]
        if not why:
            block["reward"] = self._reward(block, verifiers, w_q16)
            self._credit(block, verifiers)
        self.board.publish({"type": "block", "block": block})

    def _reward(self, block: dict[str, Any], verifiers: Sequence[str], w_q16: int) -> dict[str, Any]:
        points = 1_000_000 * block["quality"]["total"] // 65_536 * w_q16 // 65_536
        share = points // 5 // len(verifiers)
        return {
            "base_micro": 1_000_000,
            "quality_q16": block["quality"]["total"],
            "mean_w_q16": w_q16,
            "recent": 0,
            "likeness_q16": 0,
            "cluster_q16": 65_536,
            "riff_q16": 65_536,
            "person_q16": 65_536,
            "points_micro": points,
            "epoch": block["epoch"],
            "epoch_points_micro": points * 3,
            "epoch_budget_micro": 1_000_000_000,
            "paid_micro": points,
            "proposer_micro": points - share * len(verifiers),
            "verifiers": dict.fromkeys(verifiers, share),
            "unminted": {},
            "words": ["the epoch's budget covers all points, so they are paid in full"],
        }

    def _credit(self, block: dict[str, Any], verifiers: Sequence[str]) -> None:
        role = "played" if block["proposer"] == self.me else "attested"
        reward = block["reward"]
        amount = reward["proposer_micro"] if role == "played" else reward["verifiers"].get(self.me, 0)
        if amount:
            about = {key: block[key] for key in ("window", "session", "proposer")}
            by = list(verifiers)
            where = {"role": role, "attested_by": by, "place": "free", "release_epoch": None}
            self.lots.append({"block": block["id"], "amount_micro": amount, **about, **where})
            balance = sum(lot["amount_micro"] for lot in self.lots)
            item = {"window": block["window"], "role": role, "block": block["id"], "proposer": block["proposer"]}
            self.items.append({**item, "to": None, "amount_micro": amount, "balance_micro": balance})

    def tell_window(self, window: int, outcome: str, why: str = "fine", words: str = "fine", events: int = 72) -> None:
        """What became of this player's window."""
        block = identity(f"block {self.me} {window}") if outcome == "proposed" else None
        document = {
            "window": window,
            "outcome": outcome,
            "block": block,
            "why": why,
            "words": words,
            "events": events,
            "measures": None,
            "explain": [f"{events} events"],
        }
        self.window_documents.append(document)
        self.board.publish({"type": "window", "window": document})
