"""The same sweep on a Dask cluster: processes on this machine, reached over loopback."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crdt.errors import OperatingFailure
from sim.cells import code_hash
from sim.cluster import on_cluster
from sim.sweep import local
from tests.sim import runners
from tests.sim.test_sweep import run


@pytest.fixture(scope="module")
def distributed() -> Any:
    return pytest.importorskip("distributed", reason="distributed is not installed: `make test` installs it")


@pytest.fixture(scope="module")
def cluster(distributed: Any) -> Iterator[Any]:
    settings = {"host": "127.0.0.1", "dashboard_address": None, "n_workers": 2, "threads_per_worker": 1}
    with distributed.LocalCluster(processes=True, **settings) as found:
        yield found


def test_a_cluster_comes_to_the_same_as_this_machine(cluster: Any, tmp_path: Path) -> None:
    there = run(tmp_path / "there", on_cluster(cluster.scheduler_address, runners.made, code_hash()))
    here = run(tmp_path / "here", local(2, runners.made))
    assert msgspec.json.encode(there) == msgspec.json.encode(here)
    assert there.points[0].seeds == (1, 2, 3, 4, 5)


def test_a_run_that_raises_there_is_named_and_stops_no_other(cluster: Any, tmp_path: Path) -> None:
    found = run(tmp_path, on_cluster(cluster.scheduler_address, runners.failing, code_hash()))
    assert [run.error for run in found.failed] == ["ValueError: seed 3 is <bad>"] * 2
    assert [point.seeds for point in found.points] == [(1, 2, 4, 5)] * 2


def test_workers_with_other_sources_are_refused(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(OperatingFailure, match=r"runs other sources .* Install this version of SymJam there"):
        run(tmp_path, on_cluster(cluster.scheduler_address, runners.made, "another"))


def test_a_cluster_without_workers_is_said(distributed: Any, tmp_path: Path) -> None:
    settings = {"host": "127.0.0.1", "dashboard_address": None, "n_workers": 0}
    with distributed.LocalCluster(processes=True, **settings) as empty:
        spread = on_cluster(empty.scheduler_address, runners.made, code_hash())
        with pytest.raises(OperatingFailure, match="its scheduler has no workers"):
            run(tmp_path, spread)


@pytest.mark.usefixtures("distributed")
def test_no_cluster_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.cluster.CONNECT_TIMEOUT_S", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OperatingFailure, match=r"cannot reach the cluster at tcp://127\.0\.0\.1"):
            run(tmp_path, on_cluster(address, runners.made, code_hash()))


@pytest.mark.parametrize("address", ["", "nowhere:::", "ftp://x"])
@pytest.mark.usefixtures("distributed")
def test_what_is_no_address_is_said(tmp_path: Path, address: str) -> None:
    with pytest.raises(OperatingFailure, match="cannot reach the cluster at"):
        run(tmp_path, on_cluster(address, runners.made, code_hash()))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OperatingFailure, match="pip install distributed"):
        on_cluster("tcp://127.0.0.1:1", runners.made, "x")
