"""A simulated runtime, and a request for it."""

from __future__ import annotations

from typing import Any

from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.runtime.simulated import SimulatedRuntime

REQUEST = HttpRequest("GET", "https://h/a")


def simulated(**options: Any) -> SimulatedRuntime:
    """A runtime whose server always answers."""
    return SimulatedRuntime(lambda request: HttpResponse(200, Headers()), **options)
