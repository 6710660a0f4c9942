"""The daily downtime as arithmetic: when ESI is taken to be down, when it is asked, and when it is up again.

What time it is, is the server's business (T06): all moments here are of the local clock, to which `Downtime` adds what
the ``Date`` headers say that it lacks. Rules, with the hour after 11:00 UTC as the only one that counts:

- At 11:00 ESI is down, though it may still answer for some seconds. It is asked for the first time after a minute
  or two, then about every 30 s, never in step with other processes.
- Whoever comes later, or has heard no answer yet, knows nothing: ESI is asked at once, and down if it does not answer.
- An answer below 500 means that it is up, unless ``/status`` says that the game has not been started since 11:00:
  that is believed until 11:10, after which there was no downtime today.
- If nobody asks, any call that is answered does as well.
- After it came up, a 502, 503 or 504 means that it is down again; three times a day, since one route that stays broken
  is no downtime.
- An hour after 11:00 nobody waits any longer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec

from esipy.core.freshness import http_date

__all__ = ["Downtime", "News", "game_started_at", "last_start", "spread_over"]

DAY_SECONDS = 86_400.0
BEGINS_SECONDS = 11 * 3600.0
"""The moment of the day (UTC). Source: ESI documentation, and the API's day, which begins with it."""

LONGEST_SECONDS = 3600.0
CERTAIN_SECONDS = 300.0
"""For so long after 11:00 the game counts as down, also for a client that has not seen it fail."""
UNCHANGED_SECONDS = 600.0
"""For so long after 11:00 a game that was started before 11:00 is one that has yet to go down."""

FIRST_QUESTION_SECONDS = 60.0
QUESTION_SECONDS = 30.0
UNASKED_SECONDS = 5.0
"""A question that is overdue by this is asked by nobody."""

MOST_REOPENINGS = 3
DOWN_STATUSES = frozenset({502, 503, 504})

LEAST_SPREAD_SECONDS = 10.0
SPREAD_SECONDS_A_CALL = 0.1
MOST_SPREAD_SECONDS = 60.0

DATE_EVERY_SECONDS = 60.0
DATES_KEPT = 5
CORRECTION_SECONDS = 60.0
"""A clock that is set back by less, to before 11:00, does not undo what has begun."""


class News(NamedTuple):
    """What there is to tell.

    Attributes:
        ended: whether it has ended; else it has begun.
        at: when it was noticed.
        down_seconds: since it was told to have begun.
    """

    ended: bool
    at: float
    down_seconds: float = 0.0


def last_start(moment: float) -> float:
    """The last 11:00 UTC at or before a moment."""
    return moment - (moment - BEGINS_SECONDS) % DAY_SECONDS


def spread_over(waiting: int) -> float:
    """Seconds over which those leave who waited, so that the end is no storm."""
    return min(LEAST_SPREAD_SECONDS + SPREAD_SECONDS_A_CALL * waiting, MOST_SPREAD_SECONDS)


def game_started_at(status_body: bytes) -> float | None:
    """When the game was started, by the body of ``/status``; None when it does not say."""
    try:
        return msgspec.json.decode(status_body, type=_Status).start_time.timestamp()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class _Status(msgspec.Struct):
    start_time: Annotated[datetime, msgspec.Meta(tz=True)]


class Downtime:
    """What is believed of one ESI. Each method may change it, so callers hold a lock.

    Args:
        waiting: gives how many calls wait for the end.

    Attributes:
        quiet_until: before this moment there is nothing to do, whatever a call is or is answered.
        is_on: it is down.
        ask_at: when it is asked next.
        gives_up_at: when nobody waits any longer.
        spread_seconds: over which those leave who wait.
        news: to be told, and taken out.
    """

    def __init__(self, waiting: Callable[[], int] = lambda: 0) -> None:
        self.quiet_until = 0.0
        self.is_on = False
        self.ask_at = 0.0
        self.gives_up_at = 0.0
        self.spread_seconds = 0.0
        self.news: list[News] = []
        self._waiting = waiting
        self._offsets: tuple[float, ...] = ()
        self._date_at = 0.0
        self._day: float = 0.0  # the 11:00 that was last looked at, by the server's clock
        self._told_at: float | None = None
        self._ended_at = 0.0
        self._reopenings = 0
        self._due: float | None = None  # of the question under way

    # -- time --------------------------------------------------------------------------------------------------

    @property
    def _offset(self) -> float:
        """What the local clock lacks. A ``Date`` is never too new, but old if it comes from a cache on the way."""
        return max(self._offsets, default=0.0)

    def look(self, now: float, random: float) -> None:
        """See what time it is."""
        server = now + self._offset
        if self._day - CORRECTION_SECONDS <= server < self._day:
            server = self._day
        start = last_start(server)
        if server - start >= LONGEST_SECONDS:
            self._day = start
            self.gives_up_at = 0.0
            self.quiet_until = min(start + DAY_SECONDS - self._offset, self._date_at)
            self._end(now)
            return
        self.quiet_until = 0.0
        self.gives_up_at = start + LONGEST_SECONDS - self._offset
        if start == self._day:
            return
        self._day = start
        self._told_at = self._due = None
        self._reopenings = 0
        self.is_on = True
        if self._date_at and server - start < CERTAIN_SECONDS:
            first_at = start - self._offset + FIRST_QUESTION_SECONDS * (1.0 + random)
            self.ask_at = max(first_at, now)
            self._announce(now)
        else:
            self.ask_at = now

    def wants_date(self, now: float) -> bool:
        """Whether the ``Date`` of an answer is worth reading; once a minute it is."""
        return now >= self._date_at

    def dated(self, date: str | None, now: float, random: float) -> None:
        """An answer has come with this ``Date``, or without."""
        moment = http_date(date)
        if moment is not None:
            self._offsets = (*self._offsets[1 - DATES_KEPT :], moment - now)
        self._date_at = now + DATE_EVERY_SECONDS
        self.look(now, random)

    # -- questions ---------------------------------------------------------------------------------------------

    def claim(self, now: float, longest_seconds: float) -> bool:
        """Whether it is time to ask ``/status``, and the caller's to do so: nobody else will for so long."""
        if not self.is_on or now < self.ask_at:
            return False
        self._due = self.ask_at
        self.ask_at = now + longest_seconds
        return True

    def next_look(self, now: float) -> float:
        """When more may be known."""
        return min(self.ask_at if self._due is None else now + UNASKED_SECONDS, self.gives_up_at)

    def unasked(self) -> None:
        """Whoever asked will not hear the answer: another may ask."""
        if self._due is not None:
            self.ask_at, self._due = self._due, None

    def told(self, status: int, started_at: float | None, now: float, random: float) -> None:
        """``/status`` was answered.

        Args:
            status: 0 when no answer came.
            started_at: when the game was started, by the server's clock.
        """
        self._due = None
        if not self.is_on:
            return
        unchanged = started_at is not None and started_at < self._day
        if 0 < status < 500 and not (unchanged and now + self._offset < self._day + UNCHANGED_SECONDS):
            self._end(now)
            return
        self._announce(now)
        self.ask_at = _next_question(now, random)

    # -- calls -------------------------------------------------------------------------------------------------

    def answered(self, status: int, sent_at: float, now: float, random: float) -> None:
        """A call of somebody who did not wait, or waits no longer, was answered."""
        if self.is_on:
            if status in DOWN_STATUSES:
                self._announce(now)
            elif status < 500 and now >= self.ask_at + UNASKED_SECONDS:
                self._end(now)
        elif (
            status in DOWN_STATUSES
            and sent_at >= self._ended_at
            and now < self.gives_up_at
            and self._reopenings < MOST_REOPENINGS
        ):
            self._reopenings += 1
            self.is_on = True
            self.ask_at = _next_question(now, random)
            self._announce(now)

    # -- what follows ------------------------------------------------------------------------------------------

    def _announce(self, now: float) -> None:
        if self._told_at is None:
            self._told_at = now
            self.news.append(News(False, now))

    def _end(self, now: float) -> None:
        if not self.is_on:
            return
        self.spread_seconds = 0.0
        if self._told_at is not None:
            self.spread_seconds = spread_over(self._waiting())
            self.news.append(News(True, now, now - self._told_at))
        self._ended_at = now
        self._due = None
        self.is_on = False


def _next_question(now: float, random: float) -> float:
    return now + QUESTION_SECONDS * (0.75 + random / 2)
