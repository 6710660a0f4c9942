"""The one operation of the older API that programs still call by its old id: the route between two systems.

Rules: it exists under a version (``/latest/route/...``) only; its answer is today's, as the bare list of that time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from esipy.operation import Operation, Parameter
from esipy.sandbox.esi_asked import Asked, Handler, Reply

__all__ = ["OLD_ROUTE", "old_route"]

OLD_ROUTE: Operation[list[int]] = Operation(
    "GetRouteOriginDestination",
    "get_route_origin_destination",
    "routes",
    "GET",
    "/route/{origin}/{destination}",
    parameters=(
        Parameter("origin", "path", "integer", required=True),
        Parameter("destination", "path", "integer", required=True),
        Parameter("avoid", "query", "integers", max_items=100, unique=True),
        Parameter("connections", "query", "strings", max_items=100, unique=True),
        Parameter("flag", "query", "string", choices=("shortest", "secure", "insecure"), default="shortest"),
    ),
    result="list[int]",
    lifetime_seconds=86_400,
)


def old_route(today: Handler) -> Handler:
    """Answers it by today's operation's handler."""

    def handler(asked: Asked) -> Reply:
        values: dict[str, Any] = {
            "origin_system_id": asked.values["origin"],
            "destination_system_id": asked.values["destination"],
            "body": {"avoid_systems": asked.values.get("avoid")},
        }
        return Reply(today(replace(asked, values=values)).data["route"])

    return handler
