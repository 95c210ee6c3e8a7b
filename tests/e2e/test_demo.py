"""`symjam demo` as a user runs it: separate processes, multicast on loopback, a kill -9 on the way."""

from __future__ import annotations

import json
import subprocess
import sys

from consensus.logistic import weight_q16


def test_nodes_meet_play_attest_pay_and_agree_even_when_one_is_killed() -> None:
    command = [sys.executable, "-m", "node", "demo", "--nodes", "4", "--seconds", "55", "--kill", "--json"]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    said = [json.loads(line) for line in done.stdout.decode().splitlines()]
    tail = "\n".join(line["kind"] + ": " + str(line)[:300] for line in said[-6:])
    assert done.returncode == 0, tail + done.stderr.decode()[-2_000:]
    kinds = [line["kind"] for line in said]
    assert {"start", "met", "kill", "back", "played", "root", "done"} <= set(kinds)
    assert len({line["root"] for line in said if line["kind"] == "root"}) == 1
    accepted = {b["id"]: b for b in (line["block"] for line in said if line["kind"] == "block") if b["reward"]}
    assert len(accepted) >= 3
    for number, block in enumerate(sorted(accepted.values(), key=lambda block: block["window"])):
        assert block["reward"]["paid_micro"] <= block["reward"]["base_micro"]
        for vote in block["votes"]:
            assert vote["w_q16"] == weight_q16(vote["m"])
            assert vote["m"] <= number
