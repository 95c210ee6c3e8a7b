"""Small files and the clock: hints that may be damaged, time that never goes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.shell import remembered
from node.shell.clock import NodeClock
from node.shell.config import Config, boot_id


def test_addresses_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    assert remembered.load(path) == []
    remembered.save(path, ["/ip4/127.0.0.1/tcp/1/p2p/x", "b"])
    assert remembered.load(path) == ["/ip4/127.0.0.1/tcp/1/p2p/x", "b"]


def test_only_so_many_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    remembered.save(path, [str(number) for number in range(1_000)])
    assert remembered.load(path) == [str(n) for n in range(1_000 - remembered.ADDRESSES_MAX, 1_000)]


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe", b"3", b"[1, null]"])
def test_a_damaged_file_is_no_failure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "peers.json"
    path.write_bytes(content)
    assert remembered.load(path) == []


def test_a_directory_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    remembered.save(tmp_path / "no" / "such" / "peers.json", ["a"])


def test_the_clock_only_goes_forward() -> None:
    clock = NodeClock()
    times = [clock.now_us() for _ in range(1_000)]
    assert times == sorted(times)
    assert abs(clock.wall_skew_us()) < 1_000_000


def test_networks_do_not_share_files() -> None:
    here = Path("data")
    paths = {
        config.store_path
        for config in (Config(here), Config(here, preset="small"), Config(here, room="a"), Config(here, room="b"))
    }
    assert len(paths) == 4


def test_the_boot_has_a_name() -> None:
    assert 1 <= len(boot_id()) <= 64
