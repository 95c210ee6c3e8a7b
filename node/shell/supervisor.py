"""Telling a supervisor how it goes: sd_notify(3), one datagram to the socket that NOTIFY_SOCKET names. Without one,
nothing is told.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell(*lines: str) -> None:
    """Say `READY=1`, `STOPPING=1`, `STATUS=...`. Who does not listen does not matter."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    address = "\0" + place[1:] if place.startswith("@") else place
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as telling, suppress(OSError):
        telling.sendto("\n".join(lines).encode(), address)
