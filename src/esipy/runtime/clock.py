"""One clock for both runtimes: the time of day at the start, and from then on only time that has passed.

It never jumps when the machine's clock is set (T06), and goes on while the machine sleeps where the system can
tell (Linux: CLOCK_BOOTTIME), so a laptop that wakes up does not believe its cache to be fresh.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["steady_clock"]


def steady_clock() -> Callable[[], float]:
    """A function that gives seconds since 1970 (UTC) and never jumps."""
    if sys.platform == "linux":
        passed, boottime = time.clock_gettime, time.CLOCK_BOOTTIME
        began = time.time() - passed(boottime)
        return lambda: began + passed(boottime)  # each call asks many times: no function more than it takes
    elsewhere = time.monotonic
    offset = time.time() - elsewhere()
    return lambda: offset + elsewhere()
