"""Each check says how bad it is; what is wrong has a reason and a remedy, and fits on a terminal."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from crdt.types import PlayerId
from node.commands.doctor import lines
from node.doctor import clock, disk, key, multicast, neighbours, store, versions, wires
from node.doctor.check import Check, Level, fail, ok, troubles, warning
from node.doctor.multicast import Heard, Neighbour
from node.mesh.address import at
from tests.crdt.authors import AUTHORS
from wallet import keystore

OK, WARNING, FAIL = Level.OK, Level.WARNING, Level.FAIL
MS, S, MINUTE = 1_000, 1_000_000, 60_000_000
ME, ANN, BEN = (PlayerId(author.player) for author in AUTHORS[:3])
TAG, OTHER_TAG = "ab" * 8, "cd" * 8


def near(player: PlayerId, port: int = 4001, tag: str = TAG) -> Neighbour:
    return Neighbour([at("10.0.0.9", port, player)], tag)


JUDGED: list[tuple[Check, Level, str]] = [
    (clock.against_peers([], 120, True), OK, "no peer"),
    (clock.against_peers([-3 * MS, 5 * MS], 120, None), OK, "2 peers"),
    (clock.against_peers([-2 * S], 120, True), WARNING, "2.0 s ahead of 1 peer"),
    (clock.against_peers([2_500_000], 10, False), FAIL, "2.5 s behind 1 peer"),
    (clock.against_peers([10 * MINUTE], 120, True), FAIL, "10.0 minutes behind 1 peer"),
    (clock.against_peers([10 * MINUTE, 10 * MINUTE, 3], 120, True), FAIL, "10.0 minutes behind 3 peers (median)"),
    (clock.against_peers([10 * MINUTE, 2, 3], 120, True), OK, "3 peers"),
    (clock.against_peers([-3 * 3600 * S], 120, None), FAIL, "3.0 hours ahead"),
    (clock.system(True), OK, "synchronised"),
    (clock.system(None), OK, "does not say"),
    (clock.system(False), WARNING, "nothing synchronises"),
    (clock.stepped(-999_999), OK, "not set"),
    (clock.stepped(-600 * S), WARNING, "-600 s"),
    (clock.gone_back(59 * S, 0), OK, "no file"),
    (clock.gone_back(61 * S, 0), FAIL, "61.0 s in the future"),
    (disk.space(None), OK, "does not say"),
    (disk.space(disk.SPACE_FAIL_BYTES - 1), FAIL, "16 MB"),
    (disk.space(disk.SPACE_WARN_BYTES - 1), WARNING, "256 MB"),
    (disk.space(disk.SPACE_WARN_BYTES), OK, "256 MB"),
    (key.twins([]), OK, "no other"),
    (key.twins(["10.0.0.2 port 7"]), FAIL, "10.0.0.2 port 7"),
    (key.equivocated(0), OK, "no proof"),
    (key.equivocated(1), FAIL, "two different entries"),
    (store.recovered(False, ""), OK, "whole"),
    (store.recovered(True, "7 dropped"), WARNING, "7 dropped"),
    (wires.own_port({}), WARNING, "nowhere"),
    (wires.own_port({("10.0.0.1", 7): "answers"}), OK, "port 7"),
    (wires.own_port({("10.0.0.1", 7): "answers", ("10.1.0.1", 7): "silent"}), FAIL, "10.1.0.1 port 7: silent"),
    (wires.interfaces([("lo", "127.0.0.1")], None)[0], FAIL, "no network"),
    (wires.interfaces([("lo", "127.0.0.1")], ("127.0.0.1",))[0], OK, "127.0.0.1"),
    (wires.interfaces([("lo", "127.0.0.1"), ("eth0", "10.0.0.1")], None)[0], OK, "10.0.0.1 (eth0)"),
    (wires.interfaces([("eth0", "10.0.0.1")], ("10.9.9.9",))[0], FAIL, "10.9.9.9"),
    (multicast.judge(["10.0.0.1"], Heard(own={"10.0.0.1"}), 0), OK, "nobody else"),
    (multicast.judge(["10.0.0.1"], Heard(own={"10.0.0.1"}, others={"10.0.0.2"}), 0), OK, "1 other machines"),
    (multicast.judge(["10.0.0.1"], Heard(), 0), FAIL, "not heard"),
    (multicast.judge(["10.0.0.1"], Heard(failed={"10.0.0.1": "No such device"}), 0), FAIL, "No such device"),
    (multicast.judge(["10.0.0.1", "10.1.0.1"], Heard(own={"10.0.0.1"}), 0), WARNING, "10.1.0.1"),
    (multicast.judge(["10.0.0.1"], Heard(), 1), WARNING, "not heard"),
    (neighbours.unlinked([], 0), OK, "nobody"),
    (neighbours.unlinked(["a", "b", "c", "d", "e"], 0), FAIL, "a, b, c, d and others"),
    (neighbours.unlinked(["a"], 2), WARNING, "a"),
    (neighbours.peers(0, 0), WARNING, "nobody else announces"),
    (neighbours.peers(0, 2), WARNING, "though 2"),
    (neighbours.peers(3, 0), OK, "3"),
    (neighbours.other_networks([near(ANN)], TAG, 0), OK, "nobody near"),
    (neighbours.other_networks([near(ANN, tag=OTHER_TAG)], TAG, 0), WARNING, "1 nodes near"),
    (neighbours.other_networks([near(ANN, tag=OTHER_TAG)], TAG, 1), OK, "1 nodes near"),
    (versions.check(None), OK, "symjam"),
    (versions.check("0.0.7"), WARNING, "0.0.7"),
]


@pytest.mark.parametrize(("check", "level", "words"), JUDGED)
def test_how_bad_it_is_and_what_to_do(check: Check, level: Level, words: str) -> None:
    assert check.level is level
    assert words in check.seen
    assert bool(check.why) == bool(check.remedy) == (level is not OK)


def test_the_remedy_of_a_clock_that_differs_from_one_other_says_whom_to_doubt() -> None:
    doubts = {one: clock.against_peers([10 * MINUTE], 120, one).remedy for one in (True, False, None)}
    assert "the other first" in doubts[True]
    assert "this one is not synchronised" in doubts[False]
    assert "a third" in doubts[None]
    assert "One of the two" not in clock.against_peers([10 * MINUTE] * 2, 120, True).remedy


def test_whom_to_dial_and_who_did_not_answer() -> None:
    seen = [near(ME, 1), near(ANN, 2), near(BEN, 3), near(BEN, 4), near(ANN, 5, OTHER_TAG)]
    assert neighbours.places(seen, {BEN}, ME, TAG) == [("10.0.0.9", 2)]
    assert neighbours.places(seen, set(), ME, "") == [("10.0.0.9", port) for port in (2, 3, 4, 5)]
    assert neighbours.unanswered(seen, {("10.0.0.9", 2): "silent", ("10.0.0.9", 3): "answers"}) == {
        "10.0.0.9 port 2 (silent)"
    }
    assert neighbours.twin_addresses(seen, ME, [("10.0.0.9", 1)], TAG) == []
    assert neighbours.twin_addresses(seen, ME, [("10.0.0.9", 7)], TAG) == ["10.0.0.9 port 1"]
    assert neighbours.twin_addresses([near(ME, 1, OTHER_TAG)], ME, [], TAG) == []  # the same key in another network


def test_a_question_is_a_query_that_zeroconf_reads() -> None:
    message = multicast.DNSIncoming(multicast.question([("_p2p._udp.local.", 12), ("some-mark.local", 1)]))
    assert message.valid and message.is_query()
    assert [(one.name, one.type) for one in message.questions] == [("_p2p._udp.local.", 12), ("some-mark.local.", 1)]


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check = wires.port_free(port, "127.0.0.1")
        assert (check.level, "--port" in check.remedy) == (FAIL, True)
        assert wires.dial([("127.0.0.1", port)]) == {("127.0.0.1", port): "answers"}
    assert wires.dial([("127.0.0.1", port)]) == {("127.0.0.1", port): "refused"}
    assert wires.port_free(port, "127.0.0.1").level is OK
    assert wires.port_free(0).level is OK


def open_to_all(data: Path) -> Path:
    (data / "run").mkdir(mode=0o700)
    (data / "run").chmod(0o755)
    return data


def readable_key(data: Path) -> Path:
    keystore.create(data / "keys")
    (data / "keys" / keystore.FILE_NAME).chmod(0o644)
    return data / "keys"


def left_over(data: Path) -> Path:
    (data / "run").mkdir(mode=0o700)
    for name in ("lock", "api.json"):
        (data / "run" / name).touch(mode=0o600)
    return data


def not_a_directory(data: Path) -> Path:
    (data / "file").touch()
    return data / "file"


FOUND: list[tuple[Callable[[Path], Path], Callable[[Path], Check], Level, str]] = [
    (open_to_all, disk.permissions, FAIL, "chmod 700"),
    (readable_key, key.file, FAIL, "chmod 600"),
    (left_over, disk.runtime, WARNING, "symjam up"),
    (not_a_directory, disk.writable, FAIL, "--data"),
]


@pytest.mark.parametrize(("prepare", "look", "level", "remedy"), FOUND)
def test_what_lies_wrong_in_a_data_directory(
    prepare: Callable[[Path], Path], look: Callable[[Path], Check], level: Level, remedy: str, tmp_path: Path
) -> None:
    check = look(prepare(tmp_path))
    assert check.level is level
    assert remedy in check.remedy


def test_a_key_without_a_passphrase_is_said(tmp_path: Path) -> None:
    assert key.file(tmp_path).level is OK and key.player_in(tmp_path) is None
    identity = keystore.create(tmp_path / "keys")
    assert key.file(tmp_path / "keys").level is WARNING
    assert key.player_in(tmp_path / "keys") == identity.player


def test_a_damaged_record_of_what_was_signed_fails(tmp_path: Path) -> None:
    (tmp_path / "last-signed-small-ab").write_bytes(b"symjam" + os.urandom(60))
    (check,) = store.look(tmp_path)
    assert check.level is FAIL and "backup" in check.remedy


@pytest.mark.parametrize("columns", [20, 80, 400])
def test_it_fits_and_says_all_of_it(columns: int) -> None:
    checks = [
        ok("one", "well"),
        fail("two", "seen " * 60, "because " * 40, "do this " * 40),
        warning("three", "x", "y", "z"),
    ]
    said = lines(checks, columns)
    plain = [line.replace("\x1b[0m", "") for line in said]
    assert max(len(line) for line in plain if "\x1b" not in line) <= max(60, min(columns, 100))
    words = " ".join(plain).split()
    assert (words.count("seen"), words.count("because"), words.count("this")) == (60, 40, 40)
    assert [check.name for check in troubles(checks)] == ["two", "three"]
