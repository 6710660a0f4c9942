"""Ctrl-C at each moment at which Python may run the handler of a signal, one after the other."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Callable, Iterator

__all__ = ["interrupted_everywhere"]


def interrupted_everywhere(work: Callable[[], object], error: type[BaseException] = KeyboardInterrupt) -> Iterator[int]:
    """Do this again and again, each time with a Ctrl-C that comes a moment later; the last time with none.

    The moments are those at which a function of Python's begins, or one of C has returned: also within what the work
    calls.

    Args:
        work: what is interrupted.
        error: what the handler raises; an `Exception` may be swallowed.

    Yields:
        which moment it was, after each time that was interrupted.
    """
    for moment in itertools.count():
        if not _interrupted(work, moment, error):
            return
        yield moment


def _interrupted(work: Callable[[], object], moment: int, error: type[BaseException]) -> bool:
    left = moment

    def pass_by(_frame: object, event: str, _: object) -> None:
        nonlocal left
        if event in ("call", "c_return"):
            left -= 1
            if left == -1:
                raise error

    ignored: list[object] = []  # Python lets nothing out of a destructor, wherever one happens to run
    before, sys.unraisablehook = sys.unraisablehook, ignored.append
    # The standard library's logging, when it is interrupted, keeps locks that all threads need.
    loggers = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    silenced = [logger for logger in loggers if not logger.disabled]
    for logger in silenced:
        logger.disabled = True
    sys.setprofile(pass_by)
    try:
        work()
    except error:
        return True
    finally:
        sys.setprofile(None)
        sys.unraisablehook = before
        for logger in silenced:
            logger.disabled = False
    came = left < 0
    assert not came or ignored or issubclass(error, Exception), f"the interrupt at moment {moment} was swallowed"
    return came
