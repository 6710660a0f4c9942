"""WATCH_FAILED: that a watched call could not be looked at. Told alike by the scheduler and by iterators."""

from __future__ import annotations

from typing import Any

from esipy.core.moments import not_before
from esipy.events import WATCH_FAILED
from esipy.exceptions import APIException
from esipy.runtime.base import Runtime
from esipy.watching.watched import LOGGER, Watched, is_lasting

__all__ = ["tell_failure"]


async def tell_failure(runtime: Runtime, watched: Watched, error: Exception) -> None:
    """Say that a call could not be looked at, and when it will be again."""
    operation = watched.call.operation
    LOGGER.info("%s: looked at in vain, time %d: %s", operation.name, watched.failures, error)
    if WATCH_FAILED.has_receivers:
        payload: dict[str, Any] = {
            "operation_id": operation.id,
            "url": watched.url,
            "status_code": error.status_code if isinstance(error, APIException) else 0,
            "message": str(error),
            "failures": watched.failures,
            "lasting": is_lasting(error),
            "retry_at": not_before(watched.due),
        }
        await runtime.tell(WATCH_FAILED, payload)
