"""One clock for both runtimes: the time of day when it was made, and from then on only time that has passed.

It never jumps when the machine's clock is set (T06), and goes on while the machine sleeps where the system can
tell (Linux: CLOCK_BOOTTIME), so a laptop that wakes up does not believe its cache to be fresh.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["passed_seconds", "steady_clock"]


def steady_clock() -> Callable[[], float]:
    """A function that gives seconds since 1970 (UTC) and never jumps.

    Two that were made before and after the machine's clock was set differ for ever: what clients share is counted in
    `passed_seconds`.
    """
    if sys.platform == "linux":
        passed, boottime = time.clock_gettime, time.CLOCK_BOOTTIME
        began = time.time() - passed(boottime)
        return lambda: began + passed(boottime)  # each call asks many times: no function more than it takes
    elsewhere = time.monotonic
    offset = time.time() - elsewhere()
    return lambda: offset + elsewhere()


def passed_seconds() -> float:
    """Seconds since a moment that is the same for all of the process."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()
