"""What the handler of a signal raises while curl runs: it has to come out, and pycurl lets it not.

Python runs the handler when curl calls us back. pycurl passes on KeyboardInterrupt and SystemExit; any other
exception it prints (by ``sys.excepthook``), and ends the transfer with an error of curl's, as if the network
had failed: then Celery's ``SoftTimeLimitExceeded`` would be one more reason to try again. The exception may strike
before the first line of our callback, so that none of its own can catch it.
"""

from __future__ import annotations

import sys
from threading import get_ident
from types import TracebackType

__all__ = ["RaisedWithin"]


class RaisedWithin:
    """Keeps what is raised in callbacks of this thread, instead of having it printed.

    It is set and taken away by stores alone, which no handler can interrupt; a call, as of an ``__exit__``, it can::

        raised = RaisedWithin()
        try:
            sys.excepthook = raised.keep
            ...
        finally:
            raised.is_over = True
            if sys.excepthook == raised.keep:  # else somebody has put in another one meanwhile
                sys.excepthook = raised.before

    Attributes:
        error: the first one; None: nothing was raised.
        is_over: whether what comes is no more for us.
        before: the hook that was there.
    """

    __slots__ = ("_thread", "before", "error", "is_over")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.is_over = False
        self.before = sys.excepthook
        self._thread = get_ident()

    def keep(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """The hook."""
        if self.is_over or get_ident() != self._thread:
            self.before(kind, error, trace)
        elif self.error is None:
            self.error = error
