"""Requests and answers over a real socket."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
import trio

from crdt.errors import OperatingFailure, Reason, Violation
from crdt.limits import API_BODY_MAX_BYTES
from node.api.backend import SessionWish
from tests.node.api.conftest import Served


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/api/status", "symjam.status/1"),
        ("/api/blocks", "symjam.blocks/1"),
        ("/api/windows", "symjam.windows/1"),
        ("/api/wallet", "symjam.wallet/1"),
        ("/api/history", "symjam.history/1"),
    ],
)
async def test_each_call_answers_its_schema(served: Served, path: str, schema: str) -> None:
    status, headers, raw = await served.call("GET", path)
    assert (status, json.loads(raw)["schema"]) == (200, schema)
    assert headers["cache-control"] == "no-store"


async def test_a_limit_is_kept(served: Served) -> None:
    for window in range(5):
        served.node.propose(served.node.me, window)
    _, _, raw = await served.call("GET", "/api/blocks?limit=2")
    assert [block["window"] for block in json.loads(raw)["blocks"]] == [4, 3]


@pytest.mark.parametrize("limit", ["0", "-1", "501", "x", "", "1e3", "9" * 400, "٣"])
async def test_a_bad_limit_is_refused(served: Served, limit: str) -> None:
    assert (await served.error("GET", f"/api/blocks?limit={quote(limit)}"))[0] == 400


async def test_a_document_comes_as_bytes(served: Served) -> None:
    status, headers, raw = await served.call("GET", "/api/documents/ledger/0")
    assert (status, headers["content-type"], raw) == (200, "application/octet-stream", b"\x00\x00")


@pytest.mark.parametrize("name", ["ledger/7", "ledger/00", "../../etc/passwd", "%2e%2e/x", "jam/xyz/0", "%00"])
async def test_an_unknown_document_is_not_found(served: Served, name: str) -> None:
    assert (await served.error("GET", f"/api/documents/{name}"))[0] == 404


async def test_the_session_that_is_on_and_its_board(served: Served) -> None:
    async def session() -> dict[str, object]:
        status, _, raw = await served.call("GET", "/api/session")
        assert status == 200
        return dict(json.loads(raw))

    assert await session() == {"schema": "symjam.session/1", "session": None, "board": None}
    await served.node.open_session(SessionWish(title="jam"))
    assert (await session())["session"]


async def test_a_session_is_opened_and_closed(served: Served) -> None:
    wish = {"title": "blue", "tempo_mbpm": 90_000, "beats_per_bar": 3, "subdivision": 2, "tags": ["slow"]}
    status, _, raw = await served.call("POST", "/api/session", json.dumps(wish).encode())
    session = json.loads(raw)
    assert (status, session["tempo_mbpm"], session["tags"]) == (200, 90_000, ["slow"])
    assert (await served.error("POST", "/api/session", body=b"{}"))[0] == 503
    assert (await served.call("DELETE", "/api/session"))[0] == 200
    assert served.node.session is None


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"tempo_mbpm": 0}',
        b'{"tempo_mbpm": 1e9}',
        b'{"title": 5}',
        b'{"title": "' + b"x" * 81 + b'"}',
        b'{"tags": ["1","2","3","4","5","6","7","8","9"]}',
        b"\xff\xfe",
        b'{"subdivision": 0}',
        b"[" * 10_000,
    ],
)
async def test_a_malformed_session_is_refused(served: Served, body: bytes) -> None:
    assert (await served.error("POST", "/api/session", body=body))[0] == 400
    assert served.node.session is None


async def test_a_large_body_is_refused(served: Served) -> None:
    assert (await served.error("POST", "/api/session", body=b" " * (API_BODY_MAX_BYTES + 1)))[0] == 413


async def test_stop_is_answered_and_passed_on(served: Served) -> None:
    assert (await served.call("POST", "/api/stop"))[0] == 202
    assert served.node.stopped


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nothing"), ("PUT", "/api/status"), ("GET", "/api/stop")])
async def test_unknown_calls_are_refused(served: Served, method: str, path: str) -> None:
    assert (await served.error(method, path))[0] in (404, 405)


async def test_a_call_that_is_spelled_out_is_no_part_of_another(served: Served) -> None:
    for method in ("GET", "HEAD"):
        status, headers, _ = await served.call(method, "/api/operations/plan")
        assert (status, headers["allow"]) == (405, "POST")


async def test_a_wrong_method_is_told_the_right_ones(served: Served) -> None:
    """Found by schemathesis: RFC 9110 wants them named."""
    status, headers, _ = await served.call("PUT", "/api/session")
    assert status == 405
    assert {one.strip() for one in headers["allow"].split(",")} == {"GET", "HEAD", "POST", "DELETE"}


async def test_metrics_are_text(served: Served) -> None:
    status, headers, raw = await served.call("GET", "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain") and b"symjam_events_total 0" in raw


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperatingFailure("the store broke", "the disk is full", "Free some space."), 503),
        (Violation(Reason.FLOOD, "too many"), 400),
        (ZeroDivisionError("a bug"), 500),
    ],
)
async def test_the_nodes_errors_are_told(served: Served, error: Exception, status: int) -> None:
    def fail() -> None:
        raise error

    served.node.wallet = fail  # type: ignore[method-assign,assignment]
    got, document = await served.error("GET", "/api/wallet")
    assert got == status
    assert "Traceback" not in json.dumps(document)
    assert (await served.call("GET", "/api/status"))[0] == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70_000,
        b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\xff\xff",
    ],
)
async def test_raw_garbage_ends_only_its_own_connection(served: Served, garbage: bytes) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", served.address.port) as stream:
        await stream.send_all(garbage)
        with trio.move_on_after(0.3):
            try:
                while await stream.receive_some(65_536):
                    pass
            except trio.BrokenResourceError:
                pass
    assert (await served.call("GET", "/api/status"))[0] == 200
