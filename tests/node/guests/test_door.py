"""The guests' door: every call of the API is for guests or refused, and nothing but a guest's secret opens it."""

from __future__ import annotations

import re

import pytest
import trio

from crdt.limits import GUEST_REQUESTS_BURST_MAX, GUESTS_MAX
from node.api.calls import CALLS
from node.api.gate import DOOR
from node.guests.allow import MAY, MAY_NOT
from tests.node.guests.conftest import Door

TABLE = {(call.method, call.path) for call in CALLS} | {("GET", "/ws"), ("GET", DOOR + "{name:path}")}
# Of a status, what says something about the owner's machine.
PRIVATE = {"data_dir", "addresses", "peer_id", "counters", "refused", "quarantine", "store", "documents", "guarded"}


def test_of_every_call_it_is_decided_whether_it_is_for_guests() -> None:
    assert TABLE == MAY | MAY_NOT
    assert not MAY & MAY_NOT


async def test_each_call_is_answered_as_it_was_decided(door: Door) -> None:
    _, secret = await door.join()
    for method, path in sorted(TABLE - {("GET", "/ws"), ("GET", DOOR + "{name:path}")}):
        status, said = await door.ask(method, re.sub(r"\{[^}]*\}", "ab12", path), secret)
        if (method, path) in MAY:
            assert status == (404 if "{" in path else 200), (method, path)
        else:
            assert (status, said["what"]) == (403, "not for guests"), (method, path)
    assert door.backend.engine.current_session(door.node.clock.now_us()) is None  # nor has any of it done anything
    assert door.guests.links()


async def test_nobody_else_gets_anything_at_all(door: Door) -> None:
    for secret in ("", "x", "T" * 43, "\xfc", door.token):  # the invitation itself opens no call
        for call in ("/api/status", "/api/wallet", "/metrics", "/api/nothing", "/api/guest/words"):
            status, said = await door.ask("GET", call, secret)
            assert (status, said["what"]) == (401, "not invited")
    assert (await door.ask("GET", "/"))[0] == 200  # the page itself holds nothing


async def test_a_guest_sees_its_own_coins_and_windows_and_nothing_of_the_owners_machine(door: Door) -> None:
    player, secret = await door.join()
    _, status = await door.ask("GET", "/api/status", secret)
    assert status["player"] == player and status["host"] == door.backend.engine.player.hex()
    assert not PRIVATE & set(status)
    for call in ("/api/wallet", "/api/history", "/api/windows"):
        _, said = await door.ask("GET", call, secret)
        assert said.get("player", player) == player and door.backend.engine.player.hex() not in str(said)


async def test_only_the_address_of_the_link_is_answered_and_no_other_page(door: Door) -> None:
    port = door.host.split(":")[1]
    for host in (f"localhost:{port}", "evil.example", f"evil.example:{port}", "127.0.0.1", f"10.0.0.1:{port}"):
        assert (await door.ask("GET", "/", headers={"Host": host}))[0] == 403
        assert (await door.ask("POST", "/api/guest", body={"token": door.token}, headers={"Host": host}))[0] == 403
    for origin in ("null", "http://evil.example", f"https://{door.host}", "http://127.0.0.1:1"):
        assert (await door.ask("POST", "/api/guest", body={"token": door.token}, headers={"Origin": origin}))[0] == 403


async def test_a_knock_that_is_none_is_refused(door: Door) -> None:
    for body in ({}, {"token": 7}, {"token": "x" * 65}, {"token": "x", "more": 1}, [], "x" * 20_000):
        assert (await door.ask("POST", "/api/guest", body=body))[0] in (400, 413)


async def test_seats_and_requests_are_bounded(door: Door) -> None:
    secrets = [(await door.join())[1] for _ in range(GUESTS_MAX)]
    status, said = await door.ask("POST", "/api/guest", body={"token": door.token})
    assert (status, said["what"]) == (503, "no seat is free")
    assert await door.join(secrets[0])  # who has one keeps it
    first = door.guests._open.party.of(secrets[0])  # type: ignore[union-attr]
    assert first is not None
    first._requests.spend(100 * GUEST_REQUESTS_BURST_MAX, door.node.clock.now_us())  # as if it had asked as often
    assert (await door.ask("GET", "/api/session", secrets[0]))[0] == 429
    assert (await door.ask("GET", "/api/session", secrets[1]))[0] == 200  # another's are its own


async def test_who_tries_tokens_has_to_wait(door: Door) -> None:
    answers = [(await door.ask("POST", "/api/guest", body={"token": "x" * 43}))[0] for _ in range(30)]
    assert answers[0] == 401 and 429 in answers


async def test_switched_off_the_port_is_closed_and_on_again_the_old_link_is_none(door: Door) -> None:
    old, before = door.token, door.host
    player, secret = await door.join()
    await door.backend.show_out()
    with pytest.raises(OSError):
        await trio.open_tcp_stream("127.0.0.1", int(before.split(":")[1]))
    assert not door.backend.guests()["on"] and door.guests.links() == []
    assert not door.backend.engine.seats.here().players
    await door.backend.invite()
    assert door.host == before and door.token != old
    assert (await door.ask("GET", "/api/status", secret))[0] == 401
    assert (await door.ask("POST", "/api/guest", body={"token": old, "secret": secret}))[0] == 401
    assert (await door.join(secret))[0] == player
