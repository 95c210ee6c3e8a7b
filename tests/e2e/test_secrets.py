"""No secret is anywhere that it should not be: a known one is planted, and everything that can be read is searched.

Words, passphrases and seeds, in every spelling that a program might give them; in what the commands and a running node
print, in its arguments, environment and limits, in what it answers, and in every file it leaves.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from crdt.errors import OperatingFailure
from crdt.keys import Identity
from node.api import static
from node.api.calls import CALLS
from node.client import Client
from node.commands.keys import BACK, OTHER_SCREEN
from node.runtime import NoNode
from tests.terminal import Terminal, words_on
from wallet import keystore
from wallet.keyfile import Form
from wallet.words import entropy_of, seed_of, words_of

ENTROPY = bytes.fromhex("c0ffee") * 10 + b"\x01\x02"
WORDS = words_of(ENTROPY)
ME = Identity(seed_of(ENTROPY))
PASSPHRASE, WRONG = "canary in a coal mine", "another bird altogether"
TOKEN, READ_TOKEN = "canary-token-" * 4, "looking-canary-" * 3  # as the last run's, so that the node takes them
HOLD_TOKENS = {"api.json", "seat.json", "read.token"}
TIMEOUT_S = 60.0


def needles() -> list[bytes]:
    found = [PASSPHRASE.encode(), WRONG.encode()]
    found += [" ".join(WORDS[n : n + 3]).encode() for n in range(22)]
    for secret in (ENTROPY, ME.seed(), ME.vrf_seed()):
        found += [secret, secret.hex().encode(), base64.b64encode(secret)[:40], base64.urlsafe_b64encode(secret)[:40]]
        found += [repr(secret)[2:30].encode(), str(list(secret))[1:40].encode()]
    return found


def clean(what: str, text: bytes) -> None:
    assert text, f"nothing of {what} was looked at"
    for needle in needles():
        assert needle not in text, f"a secret is in {what}"


def no_token(what: str, text: bytes) -> None:
    """Besides: the tokens, which are the user's own way in."""
    clean(what, text)
    for token in (TOKEN, READ_TOKEN):
        assert token.encode() not in text, f"a token is in {what}"


def test_what_is_searched_for_is_found() -> None:
    for shown in (f"{PASSPHRASE}!", "x " + " ".join(WORDS[20:]), f"seed: {ME.seed()!r}", ME.seed().hex()):
        with pytest.raises(AssertionError, match="a secret is in it"):
            clean("it", shown.encode())
    with pytest.raises(AssertionError, match="a token is in it"):
        no_token("it", f"http://127.0.0.1/#token={TOKEN}".encode())


def holding(text: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def command(*arguments: str, **held: str) -> subprocess.Popen[bytes]:
    fds = {name: holding(text) for name, text in held.items()}
    given = [part for name, fd in fds.items() for part in (f"--{name.replace('_', '-')}-fd", str(fd))]
    child = subprocess.Popen(
        [sys.executable, "-m", "node", *arguments, *given],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=tuple(fds.values()),
        start_new_session=True,
    )
    for fd in fds.values():
        os.close(fd)
    return child


def said(child: subprocess.Popen[bytes]) -> bytes:
    return b"".join(child.communicate(timeout=TIMEOUT_S))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the canary's key, restored from its words."""
    found = tmp_path_factory.mktemp("canary") / "data"
    child = command("wallet", "restore", "--data", str(found), words=" ".join(WORDS), passphrase=PASSPHRASE)
    clean("what restore says", said(child))
    assert child.returncode == 0
    return found


def started(data: Path) -> tuple[subprocess.Popen[bytes], Client]:
    """A node that was unlocked by a descriptor, with known tokens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        seat = {"port": free.getsockname()[1], "token": TOKEN, "read_token": READ_TOKEN, "pid": 1}
    (data / "run").mkdir(mode=0o700, exist_ok=True)
    (data / "run" / "seat.json").write_text(json.dumps(seat))
    where = ("--data", str(data), "--preset", "small", "--room", data.parent.name, "--interface", "127.0.0.1")
    child = command("up", *where, "--no-mdns", passphrase=PASSPHRASE)
    deadline_s = time.monotonic() + TIMEOUT_S
    while True:
        try:
            client = Client.of(data)
            client.status()
            break
        except NoNode:
            assert child.poll() is None, said(child)
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
    return child, client


@pytest.fixture(scope="module")
def node(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], Client]]:
    child, client = started(data)
    try:
        yield child, client
    finally:
        child.kill()
        child.communicate()


def test_a_running_node_shows_its_secrets_nowhere(
    data: Path, node: tuple[subprocess.Popen[bytes], Client], tmp_path: Path
) -> None:
    child, client = node
    process = Path(f"/proc/{child.pid}")
    for name in ("cmdline", "environ"):
        no_token(name, process.joinpath(name).read_bytes())
    listed = [Path(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit()]
    no_token("the process list", b"\n".join(path.read_bytes() for path in listed if path.exists()))
    limits = process.joinpath("limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    status = client.status()
    assert status["player"] == ME.player.hex()
    answers: list[Any] = [status, client.metrics(), client.wallet(), client.history(), client.blocks()]
    for wish in ({"kind": "stake", "amount_micro": 1}, {"kind": "mint"}, {"kind": "stake", "amount_micro": "1"}):
        with pytest.raises(OperatingFailure) as refused:
            client.sign(wish, PASSPHRASE)
        answers.append(str(refused.value))
    no_token("what the node answers", json.dumps(answers).encode())
    for path in [*(call.path for call in CALLS if call.method == "GET"), *(route.path for route in static.routes())]:
        no_token(path, answer(client, re.sub(r"\{.*\}", "ledger/0", path)))
    assert status["ledger"]["signs_from_epoch"] > status["epoch"] - 1
    assert not status["ledger"]["ready"]
    report = tmp_path / "report.tgz"
    clean("what bugreport says", said(command("bugreport", str(report), "--data", str(data), "--no-mdns", "--yes")))
    with tarfile.open(report) as archive:
        for member in archive.getmembers():
            text = extracted.read() if (extracted := archive.extractfile(member)) else b""
            clean(member.name, text)
            assert client.address.token.encode() not in text and ME.player.hex().encode() not in text, member.name
    os.kill(child.pid, signal.SIGTERM)
    shown, words = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0
    assert b"restored" in words
    no_token("what the node says", words)
    assert shown.count(TOKEN.encode()) == 1 == shown.count(f"/#token={TOKEN}".encode())  # the page's address
    clean("what the node prints", shown)
    files(data)


def answer(client: Client, path: str) -> bytes:
    """Head and body of an answer, whatever it says."""
    connection = HTTPConnection("127.0.0.1", client.address.port, timeout=TIMEOUT_S)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    said = connection.getresponse()
    return str(said.getheaders()).encode() + said.read()


def files(data: Path) -> None:
    """Every file is this user's alone, and holds no secret; the tokens are in the three that are for that."""
    for path in data.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file() and path.stat().st_size:
            (clean if path.name in HOLD_TOKENS else no_token)(path.name, path.read_bytes())


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_image_of_the_memory_is_left_to_anybody() -> None:
    code = "import ctypes, node.commands.asking as a; a.no_core_dumps(); print(ctypes.CDLL(None).prctl(3))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=TIMEOUT_S)
    assert done.stdout == b"0\n"  # PR_GET_DUMPABLE


def test_a_node_that_crashes_leaves_nothing_behind(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")
    child, _ = started(data)
    os.kill(child.pid, signal.SIGSEGV)
    _, words = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == -signal.SIGSEGV and b"Fatal Python error" in words
    no_token("the trace of a crash", words)
    assert not [path for place in (data, Path.cwd()) for path in place.glob("core*") if path.is_file()]
    files(data)


@pytest.mark.parametrize(
    ("arguments", "held", "code"),
    [
        (("wallet", "passwd"), {"passphrase": f"{WRONG}\n{PASSPHRASE}\n"}, 4),
        (("wallet", "restore"), {"words": " ".join(WORDS[:23])}, 1),
        (("wallet", "restore"), {"words": " ".join([*WORDS[1:], WORDS[0]])}, 1),
        (("up", "--preset", "small", "--no-mdns"), {"passphrase": WRONG}, 4),
        (("up", "--preset", "small", "--no-mdns"), {}, 4),
    ],
    ids=["wrong passphrase", "23 words", "wrong order", "up with a wrong one", "up without"],
)
def test_a_command_that_fails_shows_no_secret(
    data: Path, arguments: tuple[str, ...], held: dict[str, str], code: int
) -> None:
    child = command(*arguments, "--data", str(data), **held)
    words = said(child)
    assert child.returncode == code, words
    assert b"Traceback" not in words
    clean("what it says", words)


def test_a_traceback_shows_no_secret(data: Path) -> None:
    code = (
        "import pathlib, sys, wallet.keystore as k\n"
        "try: k.load(pathlib.Path(sys.argv[1]), sys.stdin.readline().strip())\n"
        "finally:\n"
        "    found = k.look(pathlib.Path(sys.argv[1]))\n"
        "    raise RuntimeError(found, found.open(sys.stdin.readline().strip()))"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, str(data / "keys")],
        input=f"{WRONG}\n{PASSPHRASE}\n".encode(),
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.stderr.count(b"Traceback") == 2
    assert b"secret hidden" in done.stderr
    clean("two tracebacks", done.stdout + done.stderr)


def test_at_a_terminal_words_are_shown_once_and_asked_back(tmp_path: Path) -> None:
    with Terminal("wallet", "init", "--data", str(tmp_path)) as somebody:
        somebody.answer("new passphrase: ", "short")
        assert "fewer than 8" in somebody.until("new passphrase: ")
        somebody.answer("", PASSPHRASE)
        somebody.answer("the same again: ", PASSPHRASE)
        page = somebody.until("Written down? Enter")
        assert OTHER_SCREEN in page
        words = words_on(page)
        somebody.answer("", "")
        somebody.until(BACK)
        for turn in range(3):
            place = int(re.findall(r"word (\d+): ", somebody.until(": "))[-1])
            if not turn:
                somebody.answer("", "nonsense")
                assert "another word" in somebody.until(f"word {place}: ")
            somebody.answer("", words[place - 1])
        assert somebody.ended() == 0
    shown = somebody.seen.split(BACK, 1)[1]
    # What it says itself may be one of the words ("another" is one), so where they would stand is what is looked at.
    assert not [word for word in words if re.search(rf": *{word}\b", shown)]
    assert not [pair for pair in itertools.pairwise(words) if " ".join(pair) in shown]
    assert PASSPHRASE not in somebody.seen
    opened = keystore.look(tmp_path / "keys").open(PASSPHRASE)
    assert opened.form is Form.SEED
    assert opened.secret == seed_of(entropy_of(" ".join(words)))
