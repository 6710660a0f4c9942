"""The wait for the one callback that finishes a login on this machine, wherever it comes from.

Rules:

- Whether a callback belongs to the login is not decided here: the one that waits finishes it, in its own thread.
- One that does not belong to it is told so, and ends nothing: else any page that is open in the browser could end the
  login. The first that belongs to it counts, whatever comes of it.
- Whoever brought a callback is told what came of it, also when that is an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from esipy.core.claims import Claims
from esipy.exceptions import LoginFailedError
from esipy.sso.loopback_pages import Page, denied, failed, logged_in, misplaced

__all__ = ["Arrival", "await_login"]

_SLICE_SECONDS = 1.0
"""On Windows a wait without end cannot be interrupted."""


class Arrival(NamedTuple):
    """A callback that has come, from a browser or by hand.

    Attributes:
        query: the query of the callback, or its whole address; None: nothing will ever come this way.
        tell: has to be called with what there is to show.
    """

    query: str | None
    tell: Callable[[Page], object]

    def __repr__(self) -> str:
        return "<Arrival>"


def await_login(
    arrivals: SimpleQueue[Arrival],
    finish: Callable[[str], Claims],
    is_open: Callable[[], bool],
    timeout_seconds: float,
    on_refused: Callable[[LoginFailedError], object],
) -> Claims:
    """Wait until a callback finishes the login.

    Args:
        finish: called in this thread with what has come.
        is_open: whether the login still waits for its callback: what does not belong to it leaves it so.
        on_refused: told of each callback that does not.

    Raises:
        LoginFailedError: no callback came in time (``timeout``), or no more can come; or what ``finish`` says of the
            one that counted.
    """
    over_at = time.monotonic() + timeout_seconds
    while True:
        arrival = _next(arrivals, over_at, timeout_seconds)
        if arrival.query is None:
            raise LoginFailedError("the login was not finished: no address of a callback came", "timeout")
        try:
            claims = finish(arrival.query)
        except LoginFailedError as error:
            if is_open():
                arrival.tell(misplaced())
                on_refused(error)
                continue
            arrival.tell(denied() if error.reason == "denied" else failed(str(error)))
            raise
        except BaseException as error:
            arrival.tell(failed(str(error) if isinstance(error, Exception) else "it was ended in the terminal"))
            raise
        arrival.tell(logged_in(claims.name, claims.scopes))
        return claims


def _next(arrivals: SimpleQueue[Arrival], over_at: float, timeout_seconds: float) -> Arrival:
    while True:
        left = over_at - time.monotonic()
        with suppress(Empty):
            return arrivals.get(timeout=min(max(left, 0.0), _SLICE_SECONDS))
        if left <= 0:
            raise LoginFailedError(
                f"nobody came back from the SSO within {timeout_seconds:g} s; if its page showed an error, the client "
                "id or the registered callback address is another",
                "timeout",
            )
