"""`symjam jam`: a recorded or made-up performance, in real time, through the running node.

Events are stamped with the moment at which they sound, and sent when that moment has come: what the log holds is the
performer's timing, not this program's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import trio

from consensus.events import NOTE_ON_KINDS as _  # noqa: F401
