"""The unit: what it runs, what it refuses, and that nothing of somebody else's is touched."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from node.cli import main
from node.commands.service import unit
from node.shapes.commands import Completion
from node.shell import supervisor
from tests.fitting import misfit
from wallet import keystore
from wallet.keyfile import Cost, new_key


def service(*words: str) -> Result:
    return CliRunner().invoke(main, ["service", *words])


def test_install_show_uninstall(tmp_path: Path) -> None:
    data = str(tmp_path / "100% mine")
    shown = service("show", "--data", data, "--name", "jam-2")
    assert shown.exit_code == 0 and "Type=notify" in shown.stdout and "100%% mine" in shown.stdout
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user" / "jam-2.service"
    assert not file.exists()
    done = service("install", "--data", data, "--name", "jam-2")
    assert done.exit_code == 0 and file.read_text() == shown.stdout == done.stdout
    assert "systemctl --user enable --now jam-2" in done.stderr
    assert service("install", "--data", data, "--name", "jam-2").exit_code == 0
    assert json.loads(service("uninstall", "--name", "jam-2", "--json").stdout)["installed"] is False
    assert not file.exists()
    assert service("uninstall", "--name", "jam-2").exit_code == 1
    file.write_text("[Unit]\nDescription=mine\n")
    for words in (("install", "--data", data), ("uninstall",)):
        refused = service(*words, "--name", "jam-2")
        assert refused.exit_code == 1 and "left alone" in refused.stderr
    assert "mine" in file.read_text()


def test_a_locked_key_needs_a_credential_that_is_closed_to_others(tmp_path: Path) -> None:
    data, held = tmp_path / "data", tmp_path / "passphrase"
    keystore.put(data / "keys", new_key(), "a long passphrase", Cost(1, 1_024))
    words = ("install", "--data", str(data), "--credential", str(held))
    assert service("install", "--data", str(data)).exit_code == 4
    assert service(*words).exit_code == 1
    held.write_text("a long passphrase\n")
    held.chmod(0o644)
    assert "chmod 600" in service(*words).stderr
    held.chmod(0o600)
    done = service(*words)
    assert done.exit_code == 0 and f"LoadCredential=passphrase:{held}" in done.stdout
    assert "$$CREDENTIALS_DIRECTORY/passphrase" in done.stdout and "a long passphrase" not in done.stdout


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "-x", "a.b"])
def test_no_other_names(name: str) -> None:
    assert service("show", "--name", name).exit_code == 2


def test_a_path_cannot_add_a_setting(tmp_path: Path) -> None:
    refused = service("show", "--data", f"{tmp_path}/x\nExecStartPost=/bin/true")
    assert refused.exit_code == 1 and refused.stdout == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("credential", [None, Path("/x/pass phrase")])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, credential: Path | None) -> None:
    file = tmp_path / "symjam.service"
    file.write_text(unit(tmp_path / "100% mine", credential))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert str(file) not in done.stderr and "symjam.service" not in done.stderr, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_program(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("no bash")
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0 and "_SYMJAM_COMPLETE" in done.stdout
    assert not misfit(CliRunner().invoke(main, ["completion", shell, "--json"]).stdout, Completion)


def test_a_supervisor_is_told_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    supervisor.tell("READY=1")
    for place, address in ((str(tmp_path / "s"), str(tmp_path / "s")), (f"@{tmp_path}", f"\0{tmp_path}")):
        monkeypatch.setenv("NOTIFY_SOCKET", place)
        supervisor.tell("nobody listens")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(address)
            supervisor.tell("READY=1", "STATUS=well")
            assert listening.recv(100) == b"READY=1\nSTATUS=well"
