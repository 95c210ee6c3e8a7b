"""One node, run as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pycrdt import Array, Doc

from jam.midi import write
from jam.synthetic import make
from node.commands.processes import Process

HEAVY = ("libp2p", "trio", "plyvel", "pycrdt", "starlette", "hypercorn", "zeroconf", "grpc")


def _symjam(*arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "node", *arguments]
    return subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)


@pytest.mark.parametrize("arguments", [[], ["jam"], ["wallet"], ["up"], ["demo"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom node.cli import main\n"
        f"try:\n    main({[*arguments, '--help']!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
    assert b"Usage: " in done.stdout
    assert done.stderr.strip() == b"[]"


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ["status"],
            ["peers"],
            ["blocks"],
            ["stop"],
            ["wallet", "show"],
            ["wallet", "balance"],
            ["wallet", "history"],
        ),
        *(["wallet", "send", "ab" * 32, "1", "--yes"], ["wallet", "value"], ["explain", "balance"]),
    ],
)
def test_without_a_node_every_client_says_so_and_exits_3(arguments: list[str], tmp_path: Path) -> None:
    done = _symjam(*arguments, "--data", str(tmp_path / "none"), "--json")
    assert done.returncode == 3
    error = json.loads(done.stdout)
    assert error["schema"] == "symjam.error/1"
    assert "symjam up" in error["remedy"]
    assert b"no node is running" in done.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["up", "--preset", "huge"], ["up", "--port", "99999"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert _symjam(*arguments).returncode == 2


def test_a_malformed_peer_address_is_explained(tmp_path: Path) -> None:
    done = _symjam("up", "--data", str(tmp_path / "a"), "--interface", "127.0.0.1", "--peer", "nonsense")
    assert done.returncode == 1
    assert b"/ip4/HOST/tcp/PORT/p2p/PEER" in done.stderr
    assert b"Traceback" not in done.stderr


def test_two_nodes_do_not_share_a_data_directory(node: Process) -> None:
    done = _symjam("up", "--data", str(node.data_dir), "--preset", "small", "--interface", "127.0.0.1")
    assert done.returncode == 1
    assert b"running already" in done.stderr
    assert node.is_alive()


def test_a_file_is_played_in_real_time_and_is_in_the_document(node: Process, tmp_path: Path) -> None:
    performance = make(11, 4_000_000, 120_000)
    write(performance, tmp_path / "take.mid")
    began = time.monotonic()
    done = _symjam("jam", "--data", str(node.data_dir), "--midi", str(tmp_path / "take.mid"), "--json")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began >= 3
    result = json.loads(done.stdout)
    assert result["saved"] == result["events"] > 20
    of_this_jam = f"jam/{result['session']}/"  # two of them where an epoch ended meanwhile
    documents = [d for d in node.client().status()["documents"] if d["name"].startswith(of_this_jam)]
    assert 1 <= len(documents) <= 2
    for document in documents:
        doc: Doc[Array[bytes]] = Doc()
        doc.apply_update(node.client().document(document["name"]))
        assert len(doc.get(f"log:{node.player}", type=Array)) == document["entries"] > 0
    assert node.client().status()["session"] is None


def test_what_was_acknowledged_survives_kill_9(node: Process) -> None:
    done = _symjam("jam", "--data", str(node.data_dir), "--synthetic", "3", "--json")
    assert done.returncode == 0, done.stderr
    before = node.client().status()
    node.kill()
    node.start()
    after = node.client().status()
    assert after["player"] == before["player"]
    assert not after["store"]["recovered"]
    held = {document["name"]: document["entries"] for document in after["documents"]}
    for document in before["documents"]:
        assert held[document["name"]] >= document["entries"]


def test_sigterm_ends_cleanly_and_the_next_start_trusts_the_store(node: Process) -> None:
    node.stop()
    assert node.last_words() == ""
    node.start()
    status = node.client().status()
    assert status["store"] == {"kind": "leveldb", "recovered": False, "detail": ""}
    assert status["guarded"] == {}


def test_stop_ends_the_node(node: Process) -> None:
    done = _symjam("stop", "--data", str(node.data_dir))
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 5
    while node.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not node.is_alive()


def test_a_missing_file_is_explained(node: Process, tmp_path: Path) -> None:
    done = _symjam("jam", "--data", str(node.data_dir), "--midi", str(tmp_path / "nothing.mid"))
    assert done.returncode == 1
    assert b"nothing.mid" in done.stderr
    assert b"Traceback" not in done.stderr


def test_interrupting_a_performance_closes_its_jam(node: Process) -> None:
    command = [sys.executable, "-m", "node", "jam", "--data", str(node.data_dir), "--synthetic", "60", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        for _ in range(100):
            if node.client().status()["session"] is not None:
                break
            time.sleep(0.1)
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
    assert node.client().status()["session"] is None


def test_secrets_are_not_shown(node: Process) -> None:
    token = node.client().address.token
    for arguments in (["status"], ["status", "--json"], ["wallet", "show", "--json"], ["blocks"]):
        done = _symjam(*arguments, "--data", str(node.data_dir))
        assert token.encode() not in done.stdout + done.stderr
    mode = (node.data_dir / "run").stat().st_mode
    assert mode & 0o077 == 0
