"""Downtimes that have come to some moment of the day."""

from __future__ import annotations

from email.utils import formatdate

from esipy.core.downtime import Downtime

NOON = 1785844800.0  # 2026-08-04
ELEVEN = NOON - 3600.0
DAY = 86400.0


def known(offset: float = 0.0, waiting: int = 0) -> Downtime:
    """A downtime that has heard an answer at half past ten (UTC), on a clock that lacks ``offset`` seconds."""
    downtime = Downtime(lambda: waiting)
    downtime.look(ELEVEN - 1800 - offset, 0.5)
    downtime.dated(formatdate(ELEVEN - 1800, usegmt=True), ELEVEN - 1800 - offset, 0.5)
    return downtime


def begun(waiting: int = 0) -> Downtime:
    """One that has seen eleven o'clock, and told of it."""
    downtime = known(waiting=waiting)
    downtime.look(ELEVEN, 0.5)
    downtime.news.clear()
    return downtime
