"""Is the clock right? No machine can tell by itself: it can ask its kernel whether something sets the clock, look
whether its own files are of the future, and compare with the clocks of its peers, as the links measure them.

A window of the ledger is `floor(unix seconds / window_s)`. Whoever is a quarter of one off proposes and votes on
windows in which others are not, and earns nothing; music is not touched, for a jam has a clock of its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from node.doctor.check import Check, fail, ok, warning

WARN_US: Final = 1_000_000
FUTURE_S: Final = 60.0  # a file that is newer than this was written by another clock
_LIBC: Final = ctypes.CDLL(None)
_UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC, adjtimex(2)
_FILES_MAX: Final = 2_000
_DOUBTS: Final[dict[bool | None, str]] = {
    True: "this one is synchronised, so look at the other first",
    False: "this one is not synchronised",
    None: "compare both with a third",
}
_SET_IT: Final = "Set the clock, best by NTP: `timedatectl set-ntp true`; then end and start the node."


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 512),
    )


def is_synchronised() -> bool | None:
    """Whether the kernel says that something keeps its clock right; None where it cannot be asked."""
    if not hasattr(_LIBC, "adjtimex"):
        return None
    asked = _Timex()
    if _LIBC.adjtimex(ctypes.byref(asked)) < 0:
        return None
    return not asked.status & _UNSYNCHRONISED


def system(synchronised: bool | None) -> Check:
    """What the system says of its clock."""
    if synchronised is None:
        return ok("clock", "this system does not say whether something sets its clock")
    if synchronised:
        return ok("clock", "the system says that it is synchronised")
    why = "a clock that nothing sets drifts by seconds a day; windows and votes go by it"
    return warning(
        "clock", "the system says that nothing synchronises it", why, "`timedatectl set-ntp true`, or chrony"
    )


def newest_us(directory: Path) -> int:
    """When the newest file below was written, by the clock of that moment; 0 when there is none. At most _FILES_MAX
    are looked at."""
    newest = 0
    for seen, path in enumerate(directory.rglob("*")):
        if seen >= _FILES_MAX:
            break
        try:
            newest = max(newest, path.lstat().st_mtime_ns // 1_000)
        except OSError:  # it went away meanwhile
            continue
    return newest


def gone_back(newest_file_us: int, now_us: int) -> Check:
    """Whether files of the data directory are of the future."""
    ahead_s = (newest_file_us - now_us) / 1_000_000
    if ahead_s < FUTURE_S:
        return ok("clock-back", "no file of the data directory is of the future")
    seen = f"the newest file of the data directory is {_length(ahead_s)} in the future"
    return fail("clock-back", seen, "the clock has gone back: it was wrong then, or it is now", _SET_IT)


def stepped(skew_us: int) -> Check:
    """Whether the wall clock was set while the node ran. `skew_us`: wall clock minus the node's own."""
    if abs(skew_us) < WARN_US:
        return ok("clock-set", "the wall clock was not set since the node started")
    seen = f"the wall clock was set by {skew_us / 1_000_000:+,.0f} s since the node started"
    return warning(
        "clock-set", seen, "a running node keeps its time, so that nothing is torn apart", "Restart the node."
    )


def against_peers(offsets_us: Sequence[int], window_s: int, synchronised: bool | None) -> Check:
    """This clock against those of peers (theirs minus this one, each measured over a link)."""
    if not offsets_us:
        return ok("clock-peers", "no peer's clock to compare with")
    middle_us = int(median(offsets_us))
    count = f"{len(offsets_us)} peer" + ("s" if len(offsets_us) > 1 else "")
    if abs(middle_us) < WARN_US:
        return ok("clock-peers", f"within {abs(middle_us) / 1_000:.1f} ms of {count} (median)")
    direction = "behind" if middle_us > 0 else "ahead of"
    seen = f"this clock is {_length(abs(middle_us) / 1_000_000)} {direction} {count}" + (
        " (median)" if len(offsets_us) > 1 else ""
    )
    remedy = _SET_IT
    if len(offsets_us) == 1:
        remedy = f"One of the two is wrong: {_DOUBTS[synchronised]}. {_SET_IT}"
    if abs(middle_us) * 4 < window_s * 1_000_000:
        return warning("clock-peers", seen, "at the edges of windows, blocks and votes come to the wrong one", remedy)
    why = f"windows have {window_s} s: the others are in another one, and what is played here earns nothing"
    return fail("clock-peers", seen, why, remedy)


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} minutes" if seconds < 7_200 else f"{seconds / 3_600:.1f} hours"
