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
    from esipy import events, ops, utils
    from esipy.app import App, EsiApp
    from esipy.client import AsyncEsiClient, EsiClient
    from esipy.exceptions import APIException
    from esipy.operation import Call, Operation
    from esipy.response import Response
    from esipy.security import AsyncEsiSecurity, EsiSecurity
    from esipy.settings import Settings

__version__ = "2.0.0.dev0"

__all__ = [
    "APIException",
    "App",
    "AsyncEsiClient",
    "AsyncEsiSecurity",
    "Call",
    "EsiApp",
    "EsiClient",
    "EsiSecurity",
    "Operation",
    "Response",
    "Settings",
    "events",
    "ops",
    "utils",
]

_MODULES = {
    "APIException": "esipy.exceptions",
    "App": "esipy.app",
    "AsyncEsiClient": "esipy.client",
    "AsyncEsiSecurity": "esipy.security",
    "Call": "esipy.operation",
    "EsiApp": "esipy.app",
    "EsiClient": "esipy.client",
    "EsiSecurity": "esipy.security",
    "Operation": "esipy.operation",
    "Response": "esipy.response",
    "Settings": "esipy.settings",
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
