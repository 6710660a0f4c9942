"""The ``User-Agent`` that every request bears: what the program says of itself, and then the library."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging  # costs milliseconds: an app that only builds calls does not pay for it

__all__ = ["LIBRARY", "sent_user_agent", "warn_without_user_agent"]

LIBRARY = "EsiPy/2.0"
"""What the User-Agent ends with."""


def sent_user_agent(user_agent: str | None) -> str:
    """The header's value.

    Args:
        user_agent: what the program says of itself; None: nothing.
    """
    return LIBRARY if user_agent is None else f"{user_agent} {LIBRARY}"


def warn_without_user_agent(user_agent: str | None, logger: logging.Logger, *, stacklevel: int) -> None:
    """Warn a program that does not say who it is; in its log, too, if it has one: else it would read it twice.

    Args:
        stacklevel: as of `warnings.warn`, counted from the caller.
    """
    if user_agent is None:
        message = (
            "no User-Agent is set, so CCP cannot reach you before it has to block you. Name your program, its version "
            "and a contact: headers={'User-Agent': 'MyApp/1.0 (me@example.com; +https://github.com/me/myapp)'}"
        )
        if logger.hasHandlers():  # where there is none, logging itself writes to stderr, as the warning does
            logger.warning(message)
        warnings.warn(message, UserWarning, stacklevel=stacklevel + 1)
