"""EsiPy: the Python client library for EVE Online's ESI.

    from esipy import EsiClient, ops

    client = EsiClient(headers={"User-Agent": "MyApp/1.0 (me@example.com)"})
    orders = client.fetch(ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1))

Names are loaded when they are first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from esipy import events, ops, scopes, utils
    from esipy.app import App, EsiApp
    from esipy.client import AsyncEsiClient, EsiClient
    from esipy.exceptions import (
        APIException,
        IncompleteBulkError,
        IncompleteSnapshotError,
        ListChangedError,
        PositionRefusedError,
    )
    from esipy.lists.bulk import Bulk
    from esipy.lists.cursor import Batch, Position
    from esipy.lists.snapshot import Snapshot
    from esipy.operation import Call, Operation
    from esipy.response import Response
    from esipy.security import AsyncEsiSecurity, EsiSecurity
    from esipy.settings import Settings
    from esipy.watching.watched import Changed

__version__ = "2.0.0.dev0"

__all__ = [
    "APIException",
    "App",
    "AsyncEsiClient",
    "AsyncEsiSecurity",
    "Batch",
    "Bulk",
    "Call",
    "Changed",
    "EsiApp",
    "EsiClient",
    "EsiSecurity",
    "IncompleteBulkError",
    "IncompleteSnapshotError",
    "ListChangedError",
    "Operation",
    "Position",
    "PositionRefusedError",
    "Response",
    "Settings",
    "Snapshot",
    "events",
    "ops",
    "scopes",
    "utils",
]

_MODULES = {
    "APIException": "esipy.exceptions",
    "App": "esipy.app",
    "AsyncEsiClient": "esipy.client",
    "AsyncEsiSecurity": "esipy.security",
    "Batch": "esipy.lists.cursor",
    "Bulk": "esipy.lists.bulk",
    "Call": "esipy.operation",
    "Changed": "esipy.watching.watched",
    "EsiApp": "esipy.app",
    "EsiClient": "esipy.client",
    "EsiSecurity": "esipy.security",
    "IncompleteBulkError": "esipy.exceptions",
    "IncompleteSnapshotError": "esipy.exceptions",
    "ListChangedError": "esipy.exceptions",
    "Operation": "esipy.operation",
    "Position": "esipy.lists.cursor",
    "PositionRefusedError": "esipy.exceptions",
    "Response": "esipy.response",
    "Settings": "esipy.settings",
    "Snapshot": "esipy.lists.snapshot",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is not None:
        value = getattr(import_module(module), name)
    elif name in __all__:
        value = import_module(f"esipy.{name}")
    else:
        raise AttributeError(f"module 'esipy' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
