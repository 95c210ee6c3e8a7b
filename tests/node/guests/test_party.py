"""What becomes of guests over time: they come back, the jam ends, the node starts again, they take their key home."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from consensus.events import Kind
from crdt.errors import OperatingFailure
from crdt.keys import Identity
from node.api.backend import Played, SessionWish
from node.guests.party import ROOM_AFTER_S
from tests.node.guests.conftest import Door, opened
from wallet.words import entropy_of, seed_of


async def _soon(condition: object) -> None:
    with trio.fail_after(10):
        while not condition():  # type: ignore[operator]
            await trio.sleep(0.02)


async def test_the_invitation_ends_with_the_jam_and_the_next_one_brings_the_key_back(door: Door) -> None:
    await door.backend.open_session(SessionWish("first"))
    player, secret = await door.join()
    old, said = door.token, []
    door.guests.renewed = lambda: said.append(door.token)
    await trio.sleep(1.1)  # it has been seen that a jam is on
    await door.backend.close_session()
    await _soon(lambda: door.token != old)
    assert said == [door.token]  # whoever shows the code is told
    assert (await door.ask("GET", "/api/status", secret))[0] == 401
    status, answer = await door.ask("POST", "/api/guest", body={"token": old, "secret": secret})
    assert status == 401 and "ended" in answer["why"] and "Ask" in answer["remedy"]
    assert (await door.join(secret))[0] == player


async def test_after_a_restart_a_guest_is_who_it_was_and_its_log_goes_on(tmp_path: Path) -> None:
    players, counts = [], []
    secret = ""
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            door = await opened(tmp_path / "node", nursery)
            player, secret = await door.join(secret)
            players.append(player)
            at_us = door.node.clock.now_us()
            guest = next(iter(door.guests._open.party._guests))  # type: ignore[union-attr]
            await guest.backend.play((Played(at_us, Kind.NOTE_ON, 3, 60, 100),))
            await _soon(lambda d=door: d.node.engine.seats.of(bytes.fromhex(players[0])).authoring.signed is not None)
            await door.node.hands.settled()
            held = door.node.engine.documents.replicas.values()
            counts.append(sum(len(log) for r in held for key, log in r.logs.items() if key.author.hex() == player))
            nursery.cancel_scope.cancel()
        door.node.close()
    assert players[0] == players[1] and counts[1] > counts[0]
    files = list((tmp_path / "node" / "guests").rglob("*"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    raw = b"".join(path.read_bytes() for path in files if path.is_file())
    assert secret.encode() not in raw  # only its hash


async def test_a_key_taken_home_is_the_one_it_was_and_never_used_here_again(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    player, secret = await door.join()
    status, said = await door.ask("POST", "/api/guest/words", secret)
    assert status == 200 and Identity(seed_of(entropy_of(" ".join(said["words"])))).player.hex() == player
    assert (await door.ask("GET", "/api/guest/words", secret))[0] in (404, 405)  # only on purpose
    assert (await door.join(secret))[0] == player  # still here
    assert (await door.ask("DELETE", "/api/guest", secret))[0] == 200
    assert (await door.ask("GET", "/api/status", secret))[0] == 401
    other, fresh = await door.join(secret)
    assert other != player and fresh != secret
    assert said["words"][3] not in caplog.text and secret not in caplog.text


async def test_one_guest_cannot_have_anothers_words_or_turn_it_out(door: Door) -> None:
    (one, first), (other, second) = await door.join(), await door.join()
    assert one != other
    assert (await door.ask("DELETE", "/api/guest", first))[0] == 200
    assert (await door.ask("GET", "/api/wallet", second))[1]["player"] == other
    assert (await door.ask("POST", "/api/guest/words", first))[0] == 401


async def test_who_is_gone_for_long_makes_room(door: Door) -> None:
    secrets = [(await door.join())[1] for _ in range(8)]
    party = door.guests._open.party  # type: ignore[union-attr]
    party._guests[2]._last_here_s -= ROOM_AFTER_S
    await door.node.hands.settled()
    assert await door.join()
    assert (await door.ask("GET", "/api/status", secrets[2]))[0] == 401
    assert (await door.ask("GET", "/api/status", secrets[3]))[0] == 200


async def test_a_machine_without_a_local_network_says_so(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.guests.lan.all_ipv4", lambda: [("lo", "127.0.0.1"), ("eth0", "203.0.114.7")])
    await door.backend.show_out()
    object.__setattr__(door.node.config, "interfaces", None)
    with pytest.raises(OperatingFailure) as caught:
        await door.backend.invite()
    assert "local network" in caught.value.why and caught.value.remedy
    assert not door.backend.guests()["on"]
