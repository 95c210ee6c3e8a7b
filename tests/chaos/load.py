"""How much of this machine a run used, and how much of it others had meanwhile: what explains slow healing."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import NamedTuple


class Load(NamedTuple):
    """Cores in use on average: by this run with its nodes, and by everything else. -1: not known."""

    own: float
    others: float


class Meter:
    """Begins to measure when made. Processes count once they have ended and were waited for."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._own = _own_s()
        self._all = _all_s()

    def read(self) -> Load:
        """Since the beginning."""
        wall_s = time.monotonic() - self._began
        own = (_own_s() - self._own) / wall_s
        everything = (_all_s() - self._all) / wall_s
        return Load(round(own, 2), round(max(0.0, everything - own), 2) if self._all else -1.0)


def _own_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _all_s() -> float:
    """Seconds of all processors that were not idle, since the machine started; 0 where Linux does not say."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
