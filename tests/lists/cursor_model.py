"""A server of the cursor protocol that shares no code with the library, and edits between any two of its answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from esipy.core.wire import HttpRequest, HttpResponse
from tests.engine.kit import answer
from tests.urls import query_of


class Step(NamedTuple):
    """What happens just before an answer, and what is wrong with it.

    Attributes:
        edit: ``add``, ``edit``, ``remove`` or ``none``.
        pick: which record, counted from the oldest.
        fault: ``no cursor``, ``no before``, ``no after``, ``old`` (the first answer that this address ever got), or
            ``none``.
    """

    edit: str = "none"
    pick: int = 0
    fault: str = "none"


class CursorServer:
    """A list of freelance jobs.

    Args:
        records: how many there are at first.
        page: how many an answer has at the most.
        steps: one for each answer; afterwards nothing happens.
        at_end: whether an answer without records repeats the token that was asked with, or has no cursor.
        headers: of every answer.
    """

    def __init__(
        self,
        records: int,
        page: int = 3,
        steps: Iterable[Step] = (),
        *,
        at_end: bool = True,
        **headers: Any,
    ) -> None:
        self.page = page
        self.steps = list(steps)
        self.at_end = at_end
        self.headers = headers
        self.records: dict[str, int] = {}
        self.removed = set[str]()
        self.asked: list[dict[str, str]] = []
        self._sequence = 0
        self._old: dict[str, dict[str, Any]] = {}
        for _ in range(records):
            self.change("add")

    @property
    def live(self) -> dict[str, int]:
        """The records as they are: id -> the number of the edit that made them so."""
        return dict(self.records)

    def change(self, edit: str, pick: int = 0) -> str | None:
        """Edit the list; gives the record's id."""
        if edit == "add":
            self._sequence += 1
            name = f"job-{self._sequence}"
            self.records[name] = self._sequence
            return name
        if edit == "none" or not self.records:
            return None
        name = list(self.records)[pick % len(self.records)]
        del self.records[name]
        if edit == "remove":
            self.removed.add(name)
        else:
            self._sequence += 1
            self.records[name] = self._sequence
        return name

    def __call__(self, request: HttpRequest) -> HttpResponse:
        step = self.steps.pop(0) if self.steps else Step()
        self.change(step.edit, step.pick)
        query = query_of(request.url)
        self.asked.append({name: value for name, value in query.items() if name != "limit"})
        page = self._page(query)
        if step.fault == "old":
            page = self._old.setdefault(request.url, page)
        self._old.setdefault(request.url, page)
        cursor: dict[str, Any] | None = page["cursor"]
        if step.fault == "no cursor":
            cursor = None
        elif cursor is not None:
            cursor = {name: token for name, token in cursor.items() if step.fault != f"no {name}"}
        body = {"freelance_jobs": page["freelance_jobs"], **({} if cursor is None else {"cursor": cursor})}
        return answer(body, **self.headers)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        records = list(self.records.items())
        if "after" in query:
            mark = _mark(query["after"])
            chosen = [one for one in records if one[1] > mark][: self.page]
        else:
            mark = _mark(query["before"]) if "before" in query else self._sequence
            chosen = [one for one in records if one[1] < mark or "before" not in query][-self.page :]
        if chosen:
            cursor = {"before": f"m{chosen[0][1]}", "after": f"m{chosen[-1][1]}"}
        else:
            cursor = {"before": f"m{mark}", "after": f"m{mark}"}
        told = bool(chosen) or self.at_end
        return {"freelance_jobs": [job(*one) for one in chosen], "cursor": cursor if told else None}


def _mark(token: str) -> int:
    return 0 if token == "0" else int(token.removeprefix("m"))


def job(name: str, version: int) -> dict[str, Any]:
    """A row; its version is its progress."""
    return {
        "id": name,
        "name": name,
        "last_modified": f"2026-08-04T12:{version // 60:02}:{version % 60:02}Z",
        "progress": {"current": version, "desired": 1000},
        "state": "Active",
    }
