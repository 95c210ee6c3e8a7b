"""The runtime directory: modes, locks, stale and damaged files."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crdt.errors import OperatingFailure
from node.runtime import AlreadyRunning, ApiAddress, NoNode, Runtime, find

TOKEN = "t" * 43


def test_a_published_address_is_found_and_gone_at_the_end(tmp_path: Path) -> None:
    with Runtime(tmp_path) as runtime:
        runtime.publish(4321, TOKEN)
        assert find(tmp_path) == ApiAddress(4321, TOKEN, os.getpid())
        assert find(tmp_path).page_url == f"http://127.0.0.1:4321/#token={TOKEN}"
    assert not (tmp_path / "run" / "api.json").exists()
    with pytest.raises(NoNode):
        find(tmp_path)


def test_only_the_user_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "run").mkdir(mode=0o777)
        with Runtime(tmp_path) as runtime:
            runtime.publish(4321, TOKEN)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runtime.directory.iterdir()}
            assert modes == dict.fromkeys(("lock", "api.json", "seat.json", "read.token"), 0o600)
            assert stat.S_IMODE(runtime.directory.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_directory_open_to_others_is_not_trusted(tmp_path: Path) -> None:
    with Runtime(tmp_path) as runtime:
        runtime.publish(4321, TOKEN)
        runtime.directory.chmod(0o755)
        with pytest.raises(OperatingFailure, match="read by others") as failure:
            find(tmp_path)
        assert not isinstance(failure.value, NoNode)


def test_the_token_is_never_printed(tmp_path: Path) -> None:
    assert TOKEN not in repr(ApiAddress(1, TOKEN, 1)) and TOKEN not in str(ApiAddress(1, TOKEN, 1))


def test_nothing_has_run_here(tmp_path: Path) -> None:
    with pytest.raises(NoNode) as failure:
        find(tmp_path / "nowhere")
    assert failure.value.what == "no node is running" and "symjam up" in failure.value.remedy


def test_a_second_node_is_refused_and_the_first_unharmed(tmp_path: Path) -> None:
    with Runtime(tmp_path) as runtime:
        runtime.publish(4321, TOKEN)
        with pytest.raises(AlreadyRunning), Runtime(tmp_path):
            pass
        assert find(tmp_path).port == 4321


def test_a_killed_nodes_file_is_stale(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from node.runtime import Runtime\n"
        "with Runtime(Path(sys.argv[1])) as r:\n"
        "    r.publish(4321, 't' * 43); print('ready', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        assert find(tmp_path).pid == child.pid
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert (tmp_path / "run" / "api.json").exists()
    with pytest.raises(NoNode):
        find(tmp_path)
    with Runtime(tmp_path) as runtime:
        assert not (tmp_path / "run" / "api.json").exists()  # claimed, but not listening yet
        with pytest.raises(NoNode, match="still starting"):
            find(tmp_path)
        assert runtime.seat()[:2] == (4321, TOKEN)  # an open page finds the node again


def test_the_read_only_token_is_kept_and_lies_alone_in_a_file(tmp_path: Path) -> None:
    with Runtime(tmp_path) as runtime:
        runtime.publish(4321, TOKEN, "r" * 43)
        assert runtime.seat() == (4321, TOKEN, "r" * 43)
        assert find(tmp_path).read_token == (runtime.directory / "read.token").read_text() == "r" * 43
        runtime.publish(4321, TOKEN, TOKEN)  # which would make it more than that
        assert find(tmp_path).read_token == ""
    assert "r" * 43 not in repr(ApiAddress(1, TOKEN, 1, "r" * 43))


def test_a_first_seat_is_any_port_and_a_new_token(tmp_path: Path) -> None:
    with Runtime(tmp_path) as runtime:
        (port, *tokens), (_, *others) = runtime.seat(), runtime.seat()
        assert port == 0 and len({*tokens, *others}) == 4 and all(len(one) >= 43 for one in tokens)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"port": 1, "token": "short", "pid": 1}',
        json.dumps({"port": 0, "token": TOKEN, "pid": 1}),
        json.dumps({"port": 70_000, "token": TOKEN, "pid": 1}),
        json.dumps({"port": True, "token": TOKEN, "pid": 1}),
        json.dumps({"port": "80", "token": TOKEN, "pid": 1}),
        json.dumps({"port": 80, "token": [TOKEN], "pid": 1}),
        "x" * 100_000,
        "\xff\x00",
    ],
)
def test_a_damaged_file_is_no_address(tmp_path: Path, content: str) -> None:
    with Runtime(tmp_path) as runtime:
        for name in ("api.json", "seat.json"):
            (runtime.directory / name).write_text(content)
        with pytest.raises(NoNode):
            find(tmp_path)
        assert runtime.seat()[0] == 0
        runtime.publish(4321, TOKEN)
        assert find(tmp_path).port == 4321


def test_a_directory_that_cannot_be_made_is_an_operating_failure(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the directory should be")
    with pytest.raises(OperatingFailure, match="runtime directory"), Runtime(tmp_path):
        pass
