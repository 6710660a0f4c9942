"""The sandbox as the tests of its control interface hold it."""

from __future__ import annotations

from typing import Any

from esipy.sandbox import ControlClient, RunningSandbox
from tests.sandbox import logins

Handle = RunningSandbox | ControlClient
"""As its own process holds it, and as another one does."""


def wallet(handle: Handle, token: dict[str, Any]) -> int:
    """The status with which ESI answers for the first character's wallet."""
    return logins.wallet(handle, token["access_token"])
