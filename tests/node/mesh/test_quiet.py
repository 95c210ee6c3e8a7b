"""Nothing of libp2p reaches the console."""

import subprocess
import sys

CODE = """
import logging, sys
if sys.argv[1] == "configured":
    logging.basicConfig(level=logging.DEBUG)
from node.mesh.quiet import quieten
quieten()
quieten()
from libp2p.network.connection import swarm_connection
from libp2p.network import auto_connector
before = list(logging.getLogger().handlers)
swarm_connection.logging.warning("through the root logger, by upstream's habit")
auto_connector.logger.error("a logger with a level of its own")
logging.getLogger("libp2p.transport.tcp").error("Failed to open TCP stream")
logging.getLogger("zeroconf").warning("no buffer space")
assert logging.getLogger().handlers == before
"""


def run(how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=False)


def test_libp2p_is_silent_whether_or_not_the_program_logs() -> None:
    for how in ("plain", "configured"):
        done = run(how)
        assert (done.returncode, done.stdout) == (0, "")
        assert "stream" not in done.stderr
        assert "level of its own" not in done.stderr
        assert "habit" not in done.stderr
