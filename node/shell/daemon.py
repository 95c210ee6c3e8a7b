"""The daemon: opens what a node needs, runs its tasks, ends cleanly.

Order of opening: the runtime directory's lock, the key, the store (verified), the engine from the store, then the
mesh and the page. Order of ending is the reverse: nobody can ask any more, nothing more is said, what was said is
synced, and a mark is left that the end was clean.
"""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from crdt.canonical import Canonical
from crdt.errors import Reason
from crdt.types import NO_NONCE, Nonce, PlayerId
from node.api.server import serve
from node.engine.effects import Signed
from node.engine.engine import Engine
from node.engine.documents import Stored
from node.engine.inputs import FrameReceived, HintReceived, PeerJoined, PeerLeft, PeerViolated, Tick
from node.mesh.mesh import Mesh
from node.runtime import ApiAddress, Runtime
from node.shell.backend import DaemonBackend
from node.shell.clock import NodeClock
from node.shell.config import Config, boot_id
from node.shell.hands import Hands
from node.shell.remembered import Remembered
from node.shell.status import Facts
from wallet.keystore import load_or_create

TICK_S = 0.02
