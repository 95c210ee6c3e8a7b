"""The calls of the API: what is called how, with what, what is answered, and what a read-only token may.

The table is the one place where a call is named. The server makes its routes of it (node/api/http.py), the guests' door
its allow list (node/guests/allow.py), the gate its list of what only reads (node/api/gate.py), and the description that
the daemon serves (node/api/openapi.py) its operations. Requests are checked against the types that stand here.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from crdt.limits import API_BODY_MAX_BYTES, API_LIST_MAX, CHART_FILE_MAX_BYTES
from node.api.backend import ChartWish, SessionWish, SignWish
from node.shapes import jam, ledger, money
from node.shapes.commands import Stopped
from node.shapes.status import Status

SPECIFICATION: Final = "/api/openapi.json"
BEGINNING: Final = "^[0-9a-fA-F]{4,64}$"  # of an id: so much of it as no other begins with
NUMBER_MAX: Final = 10**12


class Limited(msgspec.Struct, frozen=True):
    """How many of the newest."""

    limit: Annotated[int, Meta(ge=1, le=API_LIST_MAX)] = 50


class Rows(Limited, frozen=True):
    """How many of the newest below `before`; 0: of all."""

    before: Annotated[int, Meta(ge=0, le=NUMBER_MAX)] = 0


class OfSession(msgspec.Struct, frozen=True):
    """Of which session, in full; empty: the one that is on, or the newest."""

    session: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


class Bytes(NamedTuple):
    """What is no JSON: its media type, and the most that a request may hold."""

    media_type: str
    max_bytes: int | None = None


class Call(NamedTuple):
    """One call. `name`: its handler. `refuses`: statuses of errors beside those that every call has."""

    method: str
    path: str
    name: str
    says: str
    answer: Any
    body: Any = None
    query: type[msgspec.Struct] | None = None
    writes: bool = False
    refuses: tuple[int, ...] = ()
    status: int = 200

    @property
    def max_bytes(self) -> int:
        """How large a body may be; 0 where none is read."""
        if isinstance(self.body, Bytes):
            return self.body.max_bytes or 0
        return API_BODY_MAX_BYTES if self.body is not None else 0


FILE: Final = Bytes("application/octet-stream", CHART_FILE_MAX_BYTES)
MIDI: Final = Bytes("audio/midi")
YJS: Final = Bytes("application/octet-stream")
FRAMES: Final = Bytes("application/octet-stream")
PROMETHEUS: Final = Bytes("text/plain; version=0.0.4")
DESCRIPTION: Final = Bytes("application/json")  # its shape is OpenAPI's own

CALLS: Final = (
    Call("GET", SPECIFICATION, "specification", "This description of the API", DESCRIPTION),
    Call("GET", "/api/status", "status", "Is it working? Everything countable about the node", Status),
    Call("GET", "/api/blocks", "blocks", "Blocks, newest first", ledger.Blocks, query=Limited),
    Call("GET", "/api/blocks/{begins}", "block", "The block whose id begins so", ledger.OneBlock, refuses=(404, 409)),
    Call("GET", "/api/windows", "windows", "What became of this player's windows", ledger.Windows, query=Limited),
    Call("GET", "/api/wallet", "wallet", "What this player holds, lot by lot", money.Wallet),
    Call("GET", "/api/history", "history", "What came, went or did not count", money.History, query=Rows),
    Call("POST", "/api/operations", "sign", "Sign a wish", money.SignedEntry, SignWish, None, True, (404, 409)),
    Call("POST", "/api/operations/plan", "plan", "What would be signed", money.Plan, SignWish, refuses=(404, 409)),
    Call("GET", "/api/operations/{begins}", "operation", "How an own entry stands", money.SignedEntry, refuses=(404,)),
    Call("GET", "/api/requests/{number}", "requested", "What was signed for it", money.SignedEntry, refuses=(404, 409)),
    Call("GET", "/api/vouches", "vouches", "This player's web of trust", money.Vouches),
    Call("GET", "/api/documents/{name:path}", "document", "A document as one Yjs update (v1)", YJS, refuses=(404,)),
    Call("GET", "/api/session", "session", "The session that is on, and its board", jam.Jam),
    Call("POST", "/api/session", "open_session", "Open a session", jam.Session, SessionWish, None, True, (409,)),
    Call("DELETE", "/api/session", "close_session", "Close one's own", jam.Session, writes=True, refuses=(409,)),
    Call(
        "GET", "/api/session/recording", "recording", "What was played", jam.Recording, None, OfSession, False, (404,)
    ),
    Call("GET", "/api/session/midi", "midi", "The same as a MIDI file", MIDI, query=OfSession, refuses=(404, 409)),
    Call("GET", "/api/chart", "chart", "The chart of the session that is on", jam.Chart),
    Call("POST", "/api/chart", "share_chart", "Share a chart of a MIDI file", jam.Chart, FILE, ChartWish, True, (409,)),
    Call("POST", "/api/chart/start", "begin_chart", "Again, in two bars", jam.Chart, writes=True, refuses=(409,)),
    Call("GET", "/api/guests", "guests", "Whether guests are let in, and who is here", jam.Guests),
    Call("POST", "/api/guests", "invite", "Let guests in", jam.Guests, writes=True),
    Call("DELETE", "/api/guests", "show_out", "Show all guests out", jam.Guests, writes=True),
    Call("GET", "/api/store", "store", "All records of the store as of now, in frames (docs/api.md)", FRAMES),
    Call("POST", "/api/stop", "stop", "End the node cleanly", Stopped, writes=True, status=202),
    Call("GET", "/metrics", "metrics", "Counters and gauges for Prometheus", PROMETHEUS),
)
# Calls that no GET is, and that change nothing all the same: a read-only token may.
READS: Final = frozenset((call.method, call.path) for call in CALLS if not call.writes and call.method != "GET")
