"""Two hours of 300 watches, against a world with a timetable: every change once, nothing asked for too early."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.simulated import START, SimulatedRuntime
from tests.engine.kit import Login
from tests.watching.watch_kit import (
    Post,
    State,
    Thing,
    alliance,
    day,
    item,
    order,
    orders_of,
    project,
    projects_of,
)

HOURS = 2 * 3600.0
ROWS = {"order_id": order, "record_id": item, "date": day, "id": project}


class World:
    """All that is watched, by path and query, and how each is told."""

    def __init__(self, runtime: Callable[[], float]) -> None:
        self.now = runtime
        self.things: dict[Any, Thing] = {}
        self.manner: dict[str, int | str] = {}
        self._by_target: dict[str, Thing] = {}

    def add(self, call: Any, thing: Thing, manner: int | str = 0) -> None:
        self.things[call] = thing
        self._by_target[self._plain(call.target)] = thing
        self.manner[self._plain(call.target)] = manner

    def __call__(self, request: HttpRequest) -> HttpResponse:
        target = request.url.partition("//")[2].partition("/")[2]
        plain = self._plain(f"/{target}")
        thing, manner = self._by_target[plain], self.manner[plain]
        if isinstance(manner, str):
            return thing.cursor(self.now(), target, request, manner)
        return thing.answer(self.now(), target, request, manner)

    def _plain(self, target: str) -> str:
        parts = urlsplit(target)
        own = [pair for pair in parts.query.split("&") if pair.partition("=")[0] in ("order_type", "type_id")]
        return f"{parts.path}?{'&'.join(own)}"


def world_of_300(now: Callable[[], float]) -> World:
    """120 lists in pages, 100 objects, 30 lists at once, 40 that have no lifetime, 10 with a cursor."""
    world = World(now)
    until = START + HOURS

    def add(number: int, call: Any, make: Any, manner: int | str = 0, **more: Any) -> None:
        world.add(call, Thing(make, number, began=START - 7 * number % 60, until=until, **more), manner)

    for number in range(120):
        add(number, orders_of(34 + number), order, 4, lifetime=300, rows=3 + number % 5)
    for number in range(120, 220):
        call = ops.alliance.get_alliances_alliance_id(alliance_id=number)
        add(number, call, alliance, lifetime=(60, 120, 300, 600)[number % 4])
    for number in range(220, 250):
        call = ops.contracts.get_contracts_public_items_contract_id(contract_id=number)
        add(number, call, item, 50, lifetime=120, rows=5)
    for number in range(250, 290):
        call = ops.market.get_markets_region_id_history(region_id=10000002, type_id=number)
        add(number, call, day, rows=6)
    for number in range(290, 300):
        add(number, projects_of(number), project, "projects", rows=7, edits_only=True, ids=lambda n: f"p{n}")
    return world


def key_of(row: Any) -> Any:
    """What names a row, whatever it is."""
    for name in ("order_id", "record_id", "date", "id"):
        if hasattr(row, name):
            key = getattr(row, name)
            return key.isoformat() if hasattr(key, "isoformat") else key
    return "itself"


def ids(rows: Any) -> set[Any]:
    return {key_of(row) for row in rows}


def keys_of(state: State) -> dict[Any, Any]:
    """The rows of a state by what names them on the wire."""
    return {
        next((row[name] for name in ("order_id", "record_id", "date", "id") if name in row), "itself"): row
        for row in state.values()
    }


def difference(before: State, after: State) -> tuple[set[Any], set[Any], set[Any]]:
    """The ids of rows that are new, gone, and others than before."""
    old, new = keys_of(before), keys_of(after)
    return new.keys() - old.keys(), old.keys() - new.keys(), {one for one in new if one in old and old[one] != new[one]}


def test_300_watches_see_every_change_once_in_two_hours_and_never_ask_too_early() -> None:
    """And what has not changed costs a 304; nobody is told of anything later than a lifetime and its jitter."""
    runtime = SimulatedRuntime(lambda _: None, seed=3)  # type: ignore[arg-type,return-value]
    world = world_of_300(runtime.now)
    runtime.server = world
    post = Post(world, runtime=runtime, login=Login())
    for call in world.things:
        post.on_change(call).add_receiver(post.hear)
    post.run(HOURS)

    told: dict[Any, list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    for moment, payload in post.told:
        told[payload["call"]].append((moment, payload))
    changes = 0
    for call, thing in world.things.items():
        pace = 60 if thing.lifetime is None else 0
        due = [place for place, moment in enumerate(thing.moments) if place and moment + pace + 15 <= START + HOURS]
        expected = [difference(thing.states[place - 1], thing.states[place]) for place in due]
        got = [
            tuple(ids(one) for one in (p["added"], p["removed"], (m.after for m in p["modified"])))
            for _, p in told[call]
        ]
        assert expected == got[: len(expected)], call
        assert len(got) <= len(thing.states) - 1, call
        changes += len(expected)
        lateness = [moment - thing.moments[place] for place, (moment, _) in zip(due, told[call], strict=False)]
        assert all(0 < late <= pace * 1.1 + 15 for late in lateness), (call, lateness)
        for (_, payload), place in zip(told[call], due, strict=False):
            assert len(thing.states[place]) == (len(payload["after"]) if thing.is_list else 1)
        assert [] == thing.early
    assert changes > 2_000

    seen = [one for thing in world.things.values() for one in thing.seen]
    assert {200, 304} == {status for _, _, status in seen}
    whole = [thing for thing in world.things.values() if thing.lifetime is not None and not thing.is_list]
    for thing in whole:  # one body for each state, and 304 for all other looks
        bodies = [status for _, _, status in thing.seen].count(200)
        assert bodies <= len(thing.states)
        assert len(thing.seen) > bodies
