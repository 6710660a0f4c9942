"""What the sandbox's ESI says about itself: compatibility dates, changes, health, name, and its document.

Rules: everything is drawn from the catalogue's facts; the document holds paths, methods, ids and dates only.
"""

from __future__ import annotations

from typing import Any

from esipy.operation import Operation
from esipy.sandbox.esi_access import today
from esipy.sandbox.esi_asked import Asked, Handler, Reply

__all__ = ["OPENAPI", "meta_handlers"]

OPENAPI: Operation[Any] = Operation(
    "GetMetaOpenapi", "get_meta_openapi", "meta", "GET", "/meta/openapi.json", result="dict[str, Any]"
)


def meta_handlers(operations: list[Operation[Any]]) -> dict[str, Handler]:
    """The operations that this module answers."""
    dates = sorted({operation.since for operation in operations}, reverse=True)
    routes = [
        {"method": operation.method, "path": operation.path, "status": "OK"}
        for operation in sorted(operations, key=lambda one: (one.path, one.method))
    ]

    def compatibility_dates(asked: Asked) -> Reply:
        return Reply({"compatibility_dates": [date for date in dates if date <= today(asked.now)]})

    def changelog(asked: Asked) -> Reply:
        changes: dict[str, list[dict[str, str]]] = {}
        for date in dates[:-1]:
            if date <= today(asked.now):
                changes[date] = [_change(operation) for operation in operations if operation.since == date]
        return Reply({"changelog": changes})

    def openapi(_: Asked) -> Reply:
        paths: dict[str, dict[str, Any]] = {}
        for operation in operations:
            facts = {"operationId": operation.id, "x-compatibility-date": operation.since}
            paths.setdefault(operation.path, {})[operation.method.lower()] = facts
        info = {"title": "EVE Stable Infrastructure (sandbox)", "version": dates[0]}
        return Reply({"openapi": "3.1.0", "info": info, "paths": paths})

    return {
        "get_meta_compatibility_dates": compatibility_dates,
        "get_meta_changelog": changelog,
        "get_meta_status": lambda _: Reply({"routes": routes}),
        "get_meta_name": lambda _: Reply({"current": "ESI", "history": [{"date": dates[-1], "name": "ESI"}]}),
        OPENAPI.name: openapi,
    }


def _change(operation: Operation[Any]) -> dict[str, str]:
    return {
        "compatibility_date": operation.since,
        "description": f"{operation.id} is new",
        "method": operation.method,
        "path": operation.path,
        "type": "new",
    }
