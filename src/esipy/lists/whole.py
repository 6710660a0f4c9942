"""What ``fetch`` does with a call that one exchange does not answer in full, by its operation's kind.

=====================================  ============================================================
the call                               ``fetch`` gives
=====================================  ============================================================
of a list in pages                     the rows of a snapshot
of a list from id to id                all rows of a walk
of a list that is read by cursor       the answer to the first page, with all rows in its list
of a bulk operation, with more items   all answers as one; an error when ESI refuses an item
any other                              one exchange's data
=====================================  ============================================================

A call that names a part of its list (``page``, ``from_id``, ``before`` ...) is one exchange. (``limit`` names no
part: it is how the list is cut.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from esipy.core.cursors import list_field
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.lists.asking import ask
from esipy.lists.bulk import bulk, is_too_long
from esipy.lists.cursor import Course
from esipy.lists.snapshot import snapshot
from esipy.lists.walk import Walk
from esipy.operation import Call

__all__ = ["Reading", "reading_of"]

Reading = Callable[[Engine, Call[Any], Terms | None], Awaitable[Any]]
"""Gives the data of a call, however many exchanges that takes."""

_PARTS = frozenset({"after", "before", "from_event", "from_id", "last_mail_id", "page"})
"""Parameters of which each names a part of a list."""


def reading_of(call: Call[Any]) -> Reading | None:
    """How the whole answer to a call is had; None: by one exchange."""
    pagination = call.operation.pagination
    if pagination is None:
        return _in_bulk if is_too_long(call) else None
    if any(name in _PARTS for name, _ in call.query):
        return None
    reading: Reading = _READINGS.get(pagination, _walked)
    return reading


async def _in_bulk(engine: Engine, call: Call[Any], terms: Terms | None) -> Any:
    return (await bulk(engine, call, terms=terms, max_refusals=0)).data


async def _in_pages(engine: Engine, call: Call[Any], terms: Terms | None) -> Any:
    return (await snapshot(engine, call, terms=terms)).rows


async def _walked(engine: Engine, call: Call[Any], terms: Terms | None) -> Any:
    async def fetch(one: Call[Any]) -> Any:
        return (await ask(engine, one, terms)).data

    way: Walk[Any] = Walk(fetch, call)
    rows: list[Any] = []
    while (page := await way.page()) is not None:
        rows.extend(page)
    return rows


async def _by_cursor(engine: Engine, call: Call[Any], terms: Terms | None) -> Any:
    answers: list[Any] = []

    async def fetch(one: Call[Any]) -> Any:
        data = (await ask(engine, one, terms)).data
        answers.append(data)
        return data

    batch = await Course[Any](fetch, engine.runtime, call).initial()
    newest, field = answers[0], list_field(call.operation.result_type())
    if call.typed:
        setattr(newest, field, batch.rows)
    else:
        newest[field] = batch.rows
    return newest


_READINGS: dict[str, Reading] = {"pages": _in_pages, "cursor": _by_cursor}
