"""What a command reads from its stdin, in threads that the end of the program does not wait for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

__all__ = ["chunks"]


def chunks() -> Iterator[bytes]:
    """What comes, as it comes, until stdin ends.

    By `os.read`: a daemon thread inside sys.stdin's own lock would make the interpreter's end an abort.
    """
    with suppress(OSError):
        while read := os.read(0, 4096):
            yield read
