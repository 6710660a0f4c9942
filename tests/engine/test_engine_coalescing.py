"""One flight for all who ask for the same at the same time: who shares it, and what becomes of it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from esipy import ops
from esipy.cache import BaseCache, DictCache
from esipy.core.wire import HttpResponse
from esipy.engine.coalescing import flights_of
from esipy.exceptions import BrokenAnswerError
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import SimulatedRuntime
from esipy.stores.beside import Beside
from esipy.stores.doors import Door
from esipy.stores.memory import MemoryCache
from esipy.stores.sqlite_cache import SqliteCache
from tests.engine.flights_kit import (
    AFFILIATION,
    COLOURS,
    FITTING,
    FITTINGS,
    LIMIT_SECONDS,
    Blocking,
    Gate,
    all_of,
    any_bench,
    bench_at,
)
from tests.engine.kit import FRESH, ORDERS, STATUS, WALLET, Bench, Login, Script, answer

REGION = ops.universe.get_universe_regions_region_id(region_id=10000002)
REGION_BODY = {"constellations": [], "name": "The Forge", "region_id": 10000002}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("call", [ORDERS, WALLET, AFFILIATION], ids=lambda call: call.operation.name)
def test_T12_ten_callers_make_one_request(colour: str, call: Any) -> None:
    """Threads, and tasks: all get the answer of the one exchange; later it is a hit."""
    body: Any = 5.0 if call is WALLET else []
    bench, requests = any_bench(colour, answer(body, **FRESH), 9, signer=Login())
    responses = all_of(bench, [call] * 10)
    assert [(200, "network", body)] * 10 == [(r.status, r.source, r.data) for r in responses]
    assert len(requests) == 1
    assert (1, 9, 0) == (bench.engine.tally.misses, bench.engine.tally.joined, bench.engine.tally.hits)
    assert bench.perform(call).source == "cache"
    assert {} == bench.engine.flights.flying


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("outcome", [answer([], cache_control="no-store"), answer({"error": "x"}, 404)])
def test_T12_what_is_not_kept_is_shared_all_the_same(colour: str, outcome: HttpResponse) -> None:
    """All asked before it came."""
    bench, requests = any_bench(colour, outcome, 9)
    assert [outcome.status] * 10 == [response.status for response in all_of(bench, [ORDERS] * 10)]
    assert len(requests) == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_T12_an_error_is_given_to_all(colour: str) -> None:
    """Each gets the same error, as an object of its own: a traceback belongs to one caller."""
    bench, requests = any_bench(colour, BrokenAnswerError("http://x", "reset"), 9, retry=False)
    errors = all_of(bench, [ORDERS] * 10)
    assert [(BrokenAnswerError, "reset", True, 0)] * 10 == [(type(e), e.reason, e.sent, e.status_code) for e in errors]
    assert len({id(error) for error in errors}) == 10
    assert len(requests) == 1


def test_T12_writes_are_never_joined() -> None:
    """The same fitting, saved twice at once, is two."""
    bench, requests = any_bench("simulated", answer({"fitting_id": 5}, 201), 0, signer=Login())
    all_of(bench, [FITTING, FITTING])
    assert len(requests) == 2


@pytest.mark.parametrize(
    "other", [ORDERS.replace(page=2), ORDERS.in_language("de"), ORDERS.replace(region_id=10000003)]
)
def test_T12_calls_that_differ_do_not_join(other: Any) -> None:
    """A flight's key is that of the answer."""
    bench, requests = any_bench("simulated", answer([], **FRESH), 0)
    all_of(bench, [ORDERS, other])
    assert len(requests) == 2


def test_T12_without_a_cache_each_call_goes_out() -> None:
    """Who wants nothing kept wants each answer for itself."""
    bench, requests = any_bench("simulated", answer([], **FRESH), 0, cache=None)
    all_of(bench, [ORDERS] * 3)
    assert len(requests) == 3


def test_T03_principals_never_share_a_flight() -> None:
    """Two characters ask for the same id-less thing at once: each gets its own."""
    contacts = ops.contacts.get_alliances_alliance_id_contacts(alliance_id=99000001)
    script, store = Script(answer([], **FRESH)), MemoryCache()
    runtime = SimulatedRuntime(script)
    benches = [Bench("simulated", script, runtime=runtime, signer=Login(who), cache=store) for who in (91, 92)]

    async def story() -> None:
        flights = [runtime.spawn(bench.engine.perform(contacts)) for bench in benches]
        for flight in flights:
            await runtime.join(flight)

    runtime.run(story())
    assert len(script.requests) == 2


def test_T03_a_login_that_is_swapped_under_way_lands_for_itself_only() -> None:
    """The leader's token turned out to be another character's: those who asked as the first one ask again."""

    class Swapping(Login):
        async def token(self, runtime: Any, *, not_this: str | None = None) -> str:
            self.asked.append(not_this)
            return f"token-{len(self.asked)}"

        def principal_of(self, access_token: str) -> str:
            return "app:92" if access_token == "token-1" else "app:91"

    bench, requests = any_bench("simulated", answer([], **FRESH), 0, signer=Swapping())
    contacts = ops.contacts.get_alliances_alliance_id_contacts(alliance_id=99000001)
    all_of(bench, [contacts] * 3)
    assert ["token-1", "token-2"] == [dict(r.headers)["Authorization"].removeprefix("Bearer ") for r in requests]


@pytest.mark.parametrize("leader", [True, False])
def test_T12_a_cancelled_caller_does_not_fail_the_others(leader: bool) -> None:
    """A task is cancelled in flight: the leader's flight is handed on, and nobody misses one that waits."""
    gate = Gate(answer([], **FRESH), 10**6)
    bench = bench_at(gate, "asyncio")

    async def story() -> list[Any]:
        tasks = [asyncio.ensure_future(bench.engine.perform(ORDERS)) for _ in range(5)]
        await gate.arrived()
        gone = tasks.pop(0 if leader else 3)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        gate.open()
        return await asyncio.gather(*tasks)

    responses = bench.run(story())
    assert [200] * 4 == [response.status for response in responses]
    assert len(gate.requests) == (2 if leader else 1)
    assert {} == bench.engine.flights.flying


def test_T12_a_leader_that_waits_for_a_limit_hands_on_without_a_request() -> None:
    """Nothing was sent for it: the next one in the flight takes its place."""
    script = Script(answer([], **FRESH))
    bench = Bench("simulated", script)
    runtime = bench.runtime
    ask = bench.engine.ledger.ask_for(ORDERS.operation, "ip", bench.engine.terms, runtime.now)
    bench.engine.ledger.store.block(ask.bucket, 30.0)

    async def story() -> list[Any]:
        flights = [runtime.spawn(bench.engine.perform(ORDERS)) for _ in range(3)]
        await runtime.sleep(10)
        assert runtime.cancel(flights[0])
        return [await runtime.join(flight) for flight in flights[1:]]

    assert [200, 200] == [response.status for response in bench.run(story())]
    assert len(script.requests) == 1


def test_T12_a_leader_whose_client_was_closed_hands_on() -> None:
    """What failed for reasons of the leader's own is no answer for the others."""
    script = Script(RuntimeError("the transport is closed"), answer([], **FRESH))
    bench = Bench("simulated", script)
    outcomes = all_of(bench, [ORDERS] * 3)
    assert [RuntimeError, 200, 200] == [type(one) if isinstance(one, Exception) else one.status for one in outcomes]
    assert len(script.requests) == 2


def test_T12_loops_and_threads_of_a_process_share_a_flight() -> None:
    """Two event loops and a thread, three clients, one cache: one request."""
    gate, store = Gate(answer([], **FRESH), 2), MemoryCache()
    colours = ("blocking", "asyncio", "asyncio")
    benches = [bench_at(gate, colour, cache=store) for colour in colours]
    with ThreadPoolExecutor(3) as pool:
        flights = [pool.submit(bench.perform, ORDERS) for bench in benches]
        assert [200] * 3 == [flight.result(LIMIT_SECONDS).status for flight in flights]
    assert len(gate.requests) == 1


@pytest.mark.parametrize("headers", [FRESH, {"etag": '"a"'}], ids=["fresh", "lifeless"])
def test_T12_who_has_looked_before_an_answer_was_kept_finds_it_when_it_comes_too_late_for_the_flight(
    headers: dict[str, str],
) -> None:
    """Between a caller's look and its boarding, another's flight lands: no second request."""
    script = Script(answer(REGION_BODY, **headers))

    class Slow(MemoryCache):
        async def get(self, key: str) -> Any:
            found = await super().get(key)
            if not script.requests and not others:
                others.append(None)
                others[0] = run(bench.engine.perform(REGION)).source
            return found

    others: list[Any] = []
    bench = Bench("blocking", script, cache=Slow())
    assert (bench.perform(REGION).source, others) == ("cache", ["network"])
    assert len(script.requests) == 1


def test_T02_who_reads_after_a_write_does_not_join_a_flight_from_before() -> None:
    """The old read is given to who asked; the new one asks again, and is kept."""
    script = Script()
    script.answers = [answer([], **FRESH), answer({"fitting_id": 5}, 201), answer([], cache_control="max-age=300")]
    bench = Bench("simulated", script, signer=Login())
    runtime, engine = bench.runtime, bench.engine
    runtime._answer_seconds = (10.0, 10.0)

    async def story() -> list[str]:
        early = runtime.spawn(engine.perform(FITTINGS))
        await runtime.sleep(1)
        runtime._answer_seconds = (0.0, 0.0)
        await engine.perform(FITTING)
        late = await engine.perform(FITTINGS)
        return [(await runtime.join(early)).source, late.source, (await engine.perform(FITTINGS)).source]

    assert ["network", "network", "cache"] == bench.run(story())
    assert ["GET", "POST", "GET"] == [request.method for request in script.requests]


def test_who_asks_anew_joins_no_flight() -> None:
    """What is under way may be the older one."""
    script = Script(answer([], **FRESH))
    bench = Bench("simulated", script)

    async def story() -> None:
        flights = [bench.runtime.spawn(bench.engine.perform(ORDERS, anew=anew)) for anew in (False, True)]
        for flight in flights:
            await bench.runtime.join(flight)

    bench.run(story())
    assert len(script.requests) == 2


def test_T48_drift_is_told_once_for_one_answer() -> None:
    """Of ten who share it."""
    bench, _ = any_bench("simulated", answer({"players": 1, "new": 2, "server_version": "1"}), 0)
    told: list[Any] = []
    bench.drift.add_receiver(lambda **payload: told.append(payload["places"]))
    all_of(bench, [STATUS] * 10)
    assert len(told) == 1


def test_followers_are_counted_by_the_ledger_once() -> None:
    """One exchange was reserved and settled."""
    bench = Bench("simulated", Script(answer(**FRESH)))
    all_of(bench, [STATUS] * 10)
    assert [2] == [state.used for state in bench.engine.ledger.store.states() if state.used]


def test_T12_clients_with_a_door_each_to_one_cache_share_its_flights(tmp_path: Path) -> None:
    """Version 1's caches, and those that processes share."""
    cache, kept = DictCache(), SqliteCache(tmp_path / "answers.sqlite3")
    assert flights_of(Door(cache)) is flights_of(Door(cache))
    runtimes = [BlockingRuntime(Blocking(Gate(answer(), 0))) for _ in range(2)]
    assert flights_of(Beside(kept, runtimes[0])) is flights_of(Beside(kept, runtimes[1]))
    assert flights_of(MemoryCache()) is not flights_of(MemoryCache())
    assert flights_of(None) is not flights_of(None)


def test_a_cache_that_cannot_be_told_from_others_has_flights_of_its_own_door() -> None:
    """A program's own may have no hash."""

    class Odd(BaseCache):
        __hash__ = None  # type: ignore[assignment]

        def get(self, key: Any, default: Any = None) -> Any:  # type: ignore[override]
            return default

        def set(self, key: Any, value: Any, expire: Any = 300) -> None: ...  # type: ignore[override]

    door = Door(Odd())
    assert flights_of(door) is flights_of(door)
