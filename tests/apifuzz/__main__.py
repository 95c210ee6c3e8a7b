"""`make api-fuzz`: a node of its own, its OpenAPI document validated, then every operation with values that fit and
that do not, by schemathesis. Ends with 1 when an answer is a 5xx, is not as described, or something failed in the node.

schemathesis lives in an environment of its own (requirements-api.txt). Two operations are left out: what ends the node,
and what opens a door on this machine's LAN.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from node.api.calls import SPECIFICATION
from node.commands.processes import Process

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("ignored_auth", "unsupported_method"),
)
LEFT_OUT = ("stop", "invite")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.apifuzz", description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="where schemathesis' own interpreter and command are")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="symjam-api-fuzz-") as root:
        node = Process("A", Path(root) / "a", room=Path(root).name)
        try:
            node.start()
            node.client().open_session({"title": "fuzzed"})
            return _try(node, Path(root), given.bin, given.seconds, given.seed)
        finally:
            node.stop()


def _try(node: Process, root: Path, tools: Path, seconds: int, seed: int) -> int:
    address = node.client().address
    document = root / "openapi.json"
    document.write_bytes(node.client()._call("GET", SPECIFICATION))
    subprocess.run((tools / "openapi-spec-validator", document), check=True)
    arguments = [f"--url={address.url}", f"--checks={','.join(CHECKS)}", f"--max-time={seconds}", f"--seed={seed}"]
    arguments += [f"--exclude-operation-id={name}" for name in LEFT_OUT]
    arguments += ["--generation-database=none", "--continue-on-failure", "--no-color", "--suppress-health-check=all"]
    arguments += ["--phases=coverage,fuzzing", "--warnings=off"]
    secret = ["-H", f"Authorization: Bearer {address.token}"]
    done = subprocess.run((tools / "schemathesis", "run", document, *arguments, *secret), cwd=root, check=False)
    if not node.is_alive():
        print(f"the node has died:\n{node.last_words()}")
        return 1
    guarded = node.client().status()["guarded"]
    print(json.dumps({"exit_code": done.returncode, "failures_in_the_node": guarded, "seed": seed}))
    return int(done.returncode != 0 or bool(guarded))


if __name__ == "__main__":
    sys.exit(main())
