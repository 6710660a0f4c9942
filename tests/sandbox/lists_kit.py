"""Lists of the sandbox, read page by page."""

from __future__ import annotations

from typing import Any

from tests.sandbox.sandbox_esi_caller import Caller, data, header

ORDERS = "/markets/10000043/orders"
CONTRACTS = "/contracts/public/10000044"
TYPES = "/universe/types"


def page(caller: Caller, path: str, number: int) -> list[Any]:
    """The rows of one page."""
    rows: list[Any] = data(caller.send(path, ("page", number)))
    return rows


def whole(caller: Caller, path: str) -> list[Any]:
    """The rows of all pages, as X-Pages says."""
    pages = int(header(caller.send(path), "X-Pages") or 0)
    return [row for number in range(1, pages + 1) for row in page(caller, path, number)]


def tags(caller: Caller, path: str) -> list[str | None]:
    """The ETag of each page."""
    pages = int(header(caller.send(path), "X-Pages") or 0)
    return [header(caller.send(path, ("page", number)), "ETag") for number in range(1, pages + 1)]
