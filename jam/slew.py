"""Time that is shown: it follows what is measured, and never goes back.

An offset that is found to be a little wrong is put right by a millisecond a second, which nobody hears. A difference
beyond what drift and measuring can make means that somebody's clock was set, or that a better way to it was found after
a bad one: forward it is taken at once, backward the time that is shown goes at half its pace until it is right. Only
from ten seconds on is it taken backward too: then it is another time altogether, and the jam begins anew in it. In the
first five seconds, when what was shown first may be rough, every difference is taken so.
"""

from __future__ import annotations

from typing import Final

SLEW_PPM: Final = 1_000
SET_US: Final = 50_000  # a difference from here on is no drift
ANEW_US: Final = 10_000_000
SETTLING_US: Final = 5_000_000


class Slewed:
    """An offset as it is shown. Times are microseconds of the node's clock."""

    def __init__(self) -> None:
        self.offset_us: int | None = None
        self._at_us = 0  # up to when it has been moved
        self._asked_us = 0
        self._began_us = 0

    def follow(self, target_us: int, now_us: int) -> int:
        """The offset to show now, given the one that is measured."""
        passed_us, self._asked_us = max(0, now_us - self._asked_us), max(now_us, self._asked_us)
        if self.offset_us is None:
            self.offset_us, self._at_us, self._began_us = target_us, now_us, now_us
            return target_us
        missing_us = target_us - self.offset_us
        set_us = SET_US if now_us - self._began_us >= SETTLING_US else 0
        if missing_us > set_us or missing_us < -ANEW_US:
            self.offset_us, self._at_us = target_us, now_us
            return target_us
        elapsed_us = max(0, now_us - self._at_us)
        room_us = elapsed_us // 2 if missing_us < -set_us else elapsed_us * SLEW_PPM // 1_000_000
        if room_us or not missing_us:  # what is less than a microsecond's worth of time is kept for the next look
            # Room that was kept must not be used up at once: what is shown would be less than what was just shown.
            self.offset_us += max(-room_us, -passed_us, min(room_us, missing_us))
            self._at_us = max(self._at_us, now_us)
        return self.offset_us
