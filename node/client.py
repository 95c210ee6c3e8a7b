"""The command line's side of the API: synchronous, standard library only, quick to import.

Every failure is one of the families of crdt/errors: NoNode when nothing runs, OperatingFailure with the node's own
words when it refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from crdt.errors import OperatingFailure, Refused
from crdt.limits import API_ANSWER_MAX_BYTES
from node.runtime import ApiAddress, NoNode, find

TIMEOUT_S: Final = 10.0

Doc = dict[str, Any]


class NoAnswer(OperatingFailure):
    """The node was asked, and whether it did it is not known."""


class Client:
    """Calls to one running node. Each call is a connection of its own: there are few, and none stays open."""

    def __init__(self, address: ApiAddress, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self._timeout_s = timeout_s

    @classmethod
    def of(cls, data_dir: Path, timeout_s: float = TIMEOUT_S) -> Client:
        """The client of the node that runs in a data directory; NoNode when none does."""
        return cls(find(data_dir), timeout_s)

    def status(self) -> Doc:
        """`symjam.status/1`."""
        return self._json("GET", "/api/status")

    def blocks(self, limit: int = 50) -> Doc:
        """`symjam.blocks/1`, newest first."""
        return self._json("GET", f"/api/blocks?limit={limit}")

    def block(self, begins: str) -> Doc:
        """`symjam.block/1`: the block whose id begins so."""
        return self._json("GET", f"/api/blocks/{quote(begins, safe='')}")

    def windows(self, limit: int = 50) -> Doc:
        """`symjam.windows/1`, newest first."""
        return self._json("GET", f"/api/windows?limit={limit}")

    def wallet(self) -> Doc:
        """`symjam.wallet/1`."""
        return self._json("GET", "/api/wallet")

    def history(self, limit: int = 50, before: int | None = None) -> Doc:
        """`symjam.history/1`, newest first."""
        return self._json("GET", f"/api/history?limit={limit}" + (f"&before={before}" if before else ""))

    def plan(self, wish: Mapping[str, Any]) -> Doc:
        """`symjam.plan/1`: what would be signed; fields of `wish` as POST /api/operations in docs/api.md."""
        return self._json("POST", "/api/operations/plan", json.dumps({"wish": dict(wish)}).encode())

    def sign(self, wish: Mapping[str, Any], passphrase: str | None, request: str | None = None) -> Doc:
        """`symjam.operation/1`, once it is saved. `request`: 32 random digits, the same when it is asked again."""
        body = {"wish": dict(wish), "passphrase": passphrase} | ({"request": request} if request else {})
        return self._json("POST", "/api/operations", json.dumps(body).encode())

    def operation(self, begins: str) -> Doc:
        """`symjam.operation/1` of an entry of this player's own."""
        return self._json("GET", f"/api/operations/{quote(begins, safe='')}")

    def request(self, number: str) -> Doc:
        """`symjam.operation/1`: what was signed for a request. Refused `no-such-request` when nothing was."""
        return self._json("GET", f"/api/requests/{quote(number, safe='')}")

    def vouches(self) -> Doc:
        """`symjam.vouches/1`: this player's web of trust."""
        return self._json("GET", "/api/vouches")

    def document(self, name: str) -> bytes:
        """A document as one Yjs update."""
        return self._call("GET", f"/api/documents/{quote(name)}")

    def metrics(self) -> str:
        """Prometheus text."""
        return self._call("GET", "/metrics").decode()

    @contextmanager
    def store(self) -> Iterator[Callable[[int], bytes]]:
        """The node's store as it is now, as a stream (node/keep/frames.py): what is yielded gives so many bytes of it,
        fewer at its end."""
        connection = HTTPConnection("127.0.0.1", self.address.port, timeout=self._timeout_s)
        try:
            with self._understood():
                connection.request("GET", "/api/store", headers={"Authorization": f"Bearer {self.address.token}"})
                answer = connection.getresponse()
            if answer.status >= 400:
                raise _failure(answer.status, answer.read(API_ANSWER_MAX_BYTES))

            def take(count: int) -> bytes:
                with self._understood():
                    return answer.read(count)

            yield take
        finally:
            connection.close()

    def open_session(self, wish: Mapping[str, Any]) -> Doc:
        """Open a session; fields as POST /api/session in docs/api.md."""
        return self._json("POST", "/api/session", json.dumps(dict(wish)).encode())

    def close_session(self) -> Doc:
        """Close the session that the node opened."""
        return self._json("DELETE", "/api/session")

    def share_chart(self, raw: bytes, wish: Mapping[str, Any]) -> Doc:
        """Put a chart of a MIDI file on the board; fields as POST /api/chart in docs/api.md."""
        return self._json("POST", f"/api/chart?{urlencode(wish)}", raw)

    def recording(self, session: str | None = None) -> Doc:
        """What was played in a jam, event by event."""
        return self._json("GET", "/api/session/recording" + (f"?session={session}" if session else ""))

    def midi(self, session: str | None = None) -> bytes:
        """What was played in a session, as a Standard MIDI File."""
        return self._call("GET", f"/api/session/midi?{urlencode({'session': session} if session else {})}")

    def stop(self) -> Doc:
        """End the node cleanly."""
        return self._json("POST", "/api/stop")

    def _json(self, method: str, path: str, body: bytes | None = None) -> Doc:
        raw = self._call(method, path, body)
        try:
            document = json.loads(raw)
        except ValueError as error:
            raise _unreadable(str(error)) from error
        if not isinstance(document, dict):
            raise _unreadable("not an object")
        return document

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.address.port, timeout=self._timeout_s)
        headers = {"Authorization": f"Bearer {self.address.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            with self._understood():
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                raw = answer.read(API_ANSWER_MAX_BYTES + 1)
                if answer.length and len(raw) <= API_ANSWER_MAX_BYTES:
                    raise HTTPException("the answer ended early")
        finally:
            connection.close()
        if len(raw) > API_ANSWER_MAX_BYTES:
            raise _unreadable(f"more than {API_ANSWER_MAX_BYTES} bytes")
        if answer.status >= 400:
            raise _failure(answer.status, raw)
        return raw

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """What a connection can do, in the node's terms."""
        try:
            yield
        except ConnectionRefusedError:
            raise NoNode(f"nothing listens on port {self.address.port}") from None
        except TimeoutError as error:
            remedy = "Wait and try again; `symjam stop` and `symjam up` restart it."
            raise NoAnswer("the node does not answer", f"silent for {self._timeout_s:g} s", remedy) from error
        except (OSError, HTTPException) as error:
            raise NoAnswer("the node broke off", str(error) or type(error).__name__, "Try again.") from error


def _unreadable(why: str) -> OperatingFailure:
    return OperatingFailure("cannot read the node's answer", why, "Are node and command of the same version?")


def _failure(status: int, raw: bytes) -> OperatingFailure:
    """The node's own words, where it sent them."""
    try:
        document = json.loads(raw)
        words = str(document["what"]), str(document["why"]), str(document["remedy"])
        return Refused(str(document["reason"]), *words) if "reason" in document else OperatingFailure(*words)
    except (ValueError, KeyError, TypeError):
        return OperatingFailure("the node refused the call", f"HTTP status {status}", "See the node's log.")
