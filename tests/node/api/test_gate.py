"""Who may speak to the API, and what every answer carries."""

from __future__ import annotations

import pytest

from tests.node.api.conftest import TOKEN, Served

PRIVATE = ["/api/status", "/api/blocks", "/api/wallet", "/api/documents/ledger/0", "/metrics", "/api/nothing"]


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xfc\xfc"],
)
async def test_no_data_without_the_token(served: Served, path: str, authorization: str) -> None:
    status, _ = await served.error("GET", path, headers={"Authorization": authorization})
    assert status == 401


async def test_the_token_is_not_accepted_in_an_address(served: Served) -> None:
    status, _ = await served.error("GET", f"/api/status?token={TOKEN}", headers={"Authorization": ""})
    assert status == 401


@pytest.mark.parametrize("path", ["/", "/api/status"])
@pytest.mark.parametrize(
    "host", ["", "127.0.0.1", "127.0.0.1:1", "evil.example", "localhost.evil.example:{port}", "[::1]:{port}"]
)
async def test_a_foreign_host_is_refused(served: Served, path: str, host: str) -> None:
    wanted = host.format(port=served.address.port)
    status, _, _ = await served.call("GET", path, headers={"Host": wanted})
    assert status == (403 if host else 400)  # HTTP itself demands the header


async def test_localhost_is_our_name_too(served: Served) -> None:
    host = f"localhost:{served.address.port}"
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert (await served.call("GET", "/api/status", headers=headers))[0] == 200


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://127.0.0.1", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
async def test_a_foreign_origin_is_refused(served: Served, origin: str) -> None:
    headers = {"Origin": origin.format(port=served.address.port)}
    assert (await served.error("POST", "/api/stop", headers=headers))[0] == 403
    assert not served.node.stopped


async def test_a_cross_site_fetch_is_refused(served: Served) -> None:
    assert (await served.error("GET", "/api/status", headers={"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert (await served.call("GET", "/", headers={"Sec-Fetch-Site": "cross-site"}))[0] == 200  # following a link


@pytest.mark.parametrize("path", ["/", "/js/main.js", "/api/status", "/nothing"])
async def test_every_answer_is_sealed(served: Served, path: str) -> None:
    _, headers, _ = await served.call("GET", path)
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


async def test_the_page_needs_no_token_and_holds_none(served: Served) -> None:
    status, headers, raw = await served.call("GET", "/", headers={"Authorization": ""})
    assert status == 200 and headers["content-type"].startswith("text/html")
    assert TOKEN.encode() not in raw and b"<script>" not in raw


async def test_an_unchanged_file_is_not_sent_again(served: Served) -> None:
    _, headers, _ = await served.call("GET", "/js/main.js")
    status, _, raw = await served.call("GET", "/js/main.js", headers={"If-None-Match": headers["etag"]})
    assert (status, raw) == (304, b"")


@pytest.mark.parametrize("path", ["/../runtime.py", "/js/../../cli.py", "/%2e%2e/runtime.py", "/js/", "/api"])
async def test_only_the_pages_files_are_served(served: Served, path: str) -> None:
    assert (await served.call("GET", path))[0] == 404
