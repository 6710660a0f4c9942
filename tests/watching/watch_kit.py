"""A world that changes by its own timetable, told by a server that shares no code with the client; and who watches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from random import Random
from typing import Any

import msgspec

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.engine.terms import Terms
from esipy.runtime.simulated import SimulatedRuntime
from esipy.watching.options import Options, WatchKeywords, options_of
from esipy.watching.signals import Watching
from esipy.watching.watched import LoginHold, Watched
from tests.engine.kit import Bench, Login, date
from tests.urls import query_of

State = dict[int | str, dict[str, Any]]
MOMENT = "2026-08-04T11:05:00Z"


class Thing:
    """Data that change now and then.

    Args:
        make: a row, of its id and of a number that says which of its forms it has.
        lifetime: in seconds: it changes at the end of one only. None: it has none, and changes at any time.
        began: when the first lifetime begins.
        until: it does not change any more.
        rows: how many there are at first; 0: it is no list.
        edits_only: nothing is taken away.

    Attributes:
        states: all that it is one after the other.
        moments: since when it is each.
        stated: until when it was said to be fresh, by target.
        seen: (when, target, status) of each request.
    """

    def __init__(
        self, make: Callable[[Any, int], dict[str, Any]], seed: int, *, began: float, until: float,
        lifetime: int | None = None, rows: int = 0, edits_only: bool = False, ids: Callable[[int], int | str] = int,
    ) -> None:  # fmt: skip
        dice = Random(seed)
        self.lifetime, self.is_list, self.began = lifetime, rows > 0, began
        self.states: list[State] = [{ids(number): make(ids(number), 0) for number in range(1, max(rows, 1) + 1)}]
        self.moments = [began]
        self.order: list[list[int | str]] = [list(self.states[0])]
        self.stated: dict[str, float] = {}
        self.seen: list[tuple[float, str, int]] = []
        self.early: list[tuple[float, str]] = []
        moment, number, form = began, rows + 1, 1
        while True:
            moment += lifetime if lifetime is not None else dice.randint(150, 500)
            if moment > until:
                return
            if lifetime is not None and dice.random() < 0.5:
                continue
            state = dict(self.states[-1])
            order = self.order[-1]
            acts = dice.sample(["edit", "add", "remove"], dice.randint(1, 3)) if rows else ["edit"]
            for act in acts:
                if act == "edit" or edits_only or len(state) < 2:
                    form += 1
                    row = dice.choice(list(state)) if act != "add" or not edits_only else ids(number)
                    number += row not in state
                    state[row] = make(row, form)
                    order = [*(one for one in order if one != row), row]  # for cursors: the newest is the last
                elif act == "add":
                    state[ids(number)] = make(ids(number), 0)
                    order = [*order, ids(number)]
                    number += 1
                else:
                    gone = dice.choice(list(state))
                    del state[gone]
                    order = [one for one in order if one != gone]
            if state == self.states[-1]:
                continue
            self.states.append(state)
            self.moments.append(moment)
            self.order.append(order)

    def version(self, now: float) -> int:
        """Which of its states it is in."""
        return bisect_right(self.moments, now) - 1

    def answer(self, now: float, target: str, request: HttpRequest, page_rows: int) -> HttpResponse:
        """One page of it, or all."""
        if now < self.stated.get(target, 0.0):
            self.early.append((now, target))
        version = self.version(now)
        rows = list(self.states[version].values())
        query = query_of(target)
        headers = {"Date": date(now), "Last-Modified": date(self.moments[version])}
        body: Any = rows
        if not self.is_list:
            body = rows[0]
        elif page_rows:
            page = int(query.get("page", "1"))
            headers["X-Pages"] = str(-(-len(rows) // page_rows))
            body = rows[(page - 1) * page_rows : page * page_rows]
        if self.lifetime is not None:
            left = self.lifetime - (now - self.began) % self.lifetime
            headers["Cache-Control"] = f"max-age={int(left)}"
            self.stated[target] = now + int(left)
        return self.told(now, target, request, body, headers)

    def cursor(self, now: float, target: str, request: HttpRequest, field: str) -> HttpResponse:
        """A part of it, by cursor: a record's number is how many changes there were before its last."""
        version = self.version(now)
        state, numbers = self.states[version], self._numbers(version)
        records = sorted(((numbers[row], row) for row in state), key=lambda pair: pair[0])
        query = query_of(target)
        limit = int(query["limit"])
        if "after" in query:
            chosen = [pair for pair in records if pair[0] > int(query["after"])][:limit]
        else:
            chosen = [pair for pair in records if pair[0] < int(query.get("before", "1000000"))][-limit:]
        body: dict[str, Any] = {field: [state[row] for _, row in chosen]}
        if chosen:
            body["cursor"] = {"before": str(chosen[0][0]), "after": str(chosen[-1][0])}
        return self.told(now, target, request, body, {"Date": date(now)})

    def _numbers(self, version: int) -> dict[int | str, int]:
        numbers: dict[int | str, int] = {row: place for place, row in enumerate(self.order[0], 1)}
        last = len(numbers)
        for before, after in zip(self.states[:version], self.states[1 : version + 1], strict=True):
            for row in self.order[self.states.index(after)]:
                if before.get(row) != after[row]:
                    last += 1
                    numbers[row] = last
        return numbers

    def told(self, now: float, target: str, request: HttpRequest, body: Any, headers: dict[str, str]) -> HttpResponse:
        """The answer, or that the asker has it."""
        raw = msgspec.json.encode(body)
        headers["ETag"] = f'"{blake2b(raw, digest_size=8).hexdigest()}"'
        status = 304 if dict(request.headers).get("If-None-Match") == headers["ETag"] else 200
        self.seen.append((now, target, status))
        return HttpResponse(status, Headers(headers.items()), raw if status == 200 else b"")


class Simulated:
    """A `Crew` of simulated tasks."""

    def __init__(self, runtime: SimulatedRuntime) -> None:
        self._runtime = runtime
        self.begun = 0

    def check(self) -> None: ...

    def begin(self, work: Callable[[], Coroutine[Any, Any, None]], *, lasting: bool = False) -> None:
        self.begun += 1
        self._runtime.spawn(work())


class Post:
    """A client on virtual time that watches.

    Args:
        serve: answers requests.
        options: of the `Bench`: its engine.

    Attributes:
        told: the payloads of all signals, with the moment at which each was told.
    """

    def __init__(self, serve: Callable[[HttpRequest], Any], *, login: Login | None = None, **options: Any) -> None:
        self.runtime: SimulatedRuntime = options.pop("runtime", None) or SimulatedRuntime(serve, seed=1)
        self.bench = Bench("simulated", serve, runtime=self.runtime, signer=login, retry=False, **options)
        self.engine = self.bench.engine
        self.crew = Simulated(self.runtime)
        self.watching = Watching(self.engine, self.crew)
        self.told: list[tuple[float, dict[str, Any]]] = []

    def hear(self, **payload: Any) -> None:
        """A receiver."""
        self.told.append((self.runtime.now(), payload))

    def options(self, **given: Any) -> Options:
        """As a client's verb makes them."""
        keywords: WatchKeywords = given  # type: ignore[assignment]
        return options_of(self.engine, lambda call: call, self.watching.open_store, keywords)

    def on_change(self, call: Any, **given: Any) -> Any:
        """The signal of a call."""
        return self.watching.signal(call, self.options(**given), given)

    def watched(self, call: Any, **given: Any) -> Watched:
        """A call by itself."""
        return Watched(self.engine, call, self.options(**given), LoginHold())

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.runtime.run(self.runtime.sleep(seconds))

    @property
    def terms(self) -> Terms:
        """Of a look."""
        return self.options().quick


def order(order_id: Any, form: int) -> dict[str, Any]:
    """A row of `get_markets_region_id_orders`."""
    return {
        "duration": 90, "is_buy_order": False, "issued": MOMENT, "location_id": 60003760, "min_volume": 1,
        "order_id": order_id, "price": 10.0 + form, "range": "region", "system_id": 30000142, "type_id": 34,
        "volume_remain": 5, "volume_total": 9,
    }  # fmt: skip


def alliance(number: Any, form: int) -> dict[str, Any]:
    """`get_alliances_alliance_id`."""
    return {
        "creator_corporation_id": 1, "creator_id": 2, "date_founded": MOMENT, "name": f"Alliance {number}",
        "ticker": f"T{form}",
    }  # fmt: skip


def item(record_id: Any, form: int) -> dict[str, Any]:
    """A row of `get_contracts_public_items_contract_id`."""
    return {"is_included": True, "quantity": form + 1, "record_id": record_id, "type_id": 34}


def day(number: Any, form: int) -> dict[str, Any]:
    """A row of `get_markets_region_id_history`."""
    when = f"20{number // 336:02}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
    return {"average": 1.0 + form, "date": when, "highest": 9.0, "lowest": 1.0, "order_count": 3, "volume": 7}


def project(number: Any, form: int) -> dict[str, Any]:
    """A row of `get_corporations_projects_listing`."""
    return {
        "id": number, "last_modified": MOMENT, "name": f"Project {number}", "state": "Active",
        "progress": {"current": form, "desired": 1000},
    }  # fmt: skip


def orders_of(type_id: int) -> Any:
    """A list in pages."""
    return ops.market.get_markets_region_id_orders(region_id=10000002, order_type="sell", type_id=type_id)


def projects_of(corporation_id: int) -> Any:
    """A list that is read by cursor."""
    return ops.corporation_projects.get_corporations_projects_listing(corporation_id=corporation_id)
