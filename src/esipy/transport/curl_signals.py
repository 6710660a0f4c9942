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
    """Keeps what is raised in callbacks of this thread within a with-block, instead of having it printed.

    Attributes:
        error: the first one; None: nothing was raised.
    """

    __slots__ = ("_armed", "_before", "_thread", "error")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._thread = get_ident()
        self._armed = False
        self._before = sys.excepthook

    def __enter__(self) -> None:
        self._armed = True
        sys.excepthook = self._keep

    def __exit__(self, *_: object) -> None:
        self._armed = False
        if sys.excepthook == self._keep:  # else somebody has put in another one meanwhile
            sys.excepthook = self._before

    def _keep(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not self._armed or get_ident() != self._thread:
            self._before(kind, error, trace)
        elif self.error is None:
            self.error = error
