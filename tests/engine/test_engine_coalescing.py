"""One flight for all who ask for the same at the same time: who joins, who does not, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from esipy import ops
from esipy.cache import BaseCache, DictCache
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.coalescing import flights_of
from esipy.engine.terms import Terms
from esipy.exceptions import BrokenAnswerError, RateLimitedError
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.runtime.simulated import SimulatedRuntime
from esipy.settings import Settings
from esipy.stores.beside import Beside
from esipy.stores.doors import Door
from esipy.stores.memory import MemoryCache
from esipy.stores.sqlite_cache import SqliteCache
from tests.engine.kit import ITEM, ORDERS, STATUS, WALLET, Bench, Login, Script, answer

FRESH = {"cache_control": "max-age=300", "etag": '"a"'}
LIMIT_SECONDS = 20
"""What hangs for so long has failed."""

REGIONS = ops.universe.get_universe_regions()
CONSTELLATIONS = ops.universe.get_universe_constellations()
AFFILIATION = ops.character.post_characters_affiliation(body=[2, 1])
FITTING = ops.fittings.post_characters_character_id_fittings(
    character_id=91, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
)
FITTINGS = ops.fittings.get_characters_character_id_fittings(character_id=91)


class Gate:
    """A server that holds its first answer back until so many others wait for it."""

    def __init__(self, outcome: HttpResponse | Exception, wanted: int) -> None:
        self.outcome = outcome
        self.wanted = wanted
        self.requests: list[HttpRequest] = []
        self._waiting = 0
        self.changed = threading.Condition()
        self.opened = False

    def note(self) -> None:
        """Somebody begins to wait."""
        with self.changed:
            self._waiting += 1
            self.changed.notify_all()

    def open(self) -> None:
        """Do not wait for more."""
        with self.changed:
            self.opened = True
            self.changed.notify_all()

    @property
    def is_open(self) -> bool:
        """Whether all are there."""
        return self.opened or self._waiting >= self.wanted

    def result(self) -> HttpResponse:
        """What it answers."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    # the two kinds of transport

    def blocking(self, request: HttpRequest) -> HttpResponse:
        with self.changed:
            self.requests.append(request)
            assert self.changed.wait_for(lambda: self.is_open, LIMIT_SECONDS)
        return self.result()

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        async with asyncio.timeout(LIMIT_SECONDS):
            while not self.is_open:  # noqa: ASYNC110 (other loops and threads open it)
                await asyncio.sleep(0)
        return self.result()

    async def arrived(self) -> None:
        """A request is there."""
        while not self.requests:  # noqa: ASYNC110
            await asyncio.sleep(0)


class _Blocking:
    def __init__(self, gate: Gate) -> None:
        self.send = gate.blocking

    def close(self) -> None: ...


class NotingBlocking(BlockingRuntime):
    """Tells the gate who begins to wait for a flight."""

    gate: Gate

    async def join(self, flight: Future[Any], seconds: float | None = None) -> Any:
        self.gate.note()
        return await super().join(flight, seconds)


class NotingAio(AioRuntime):
    gate: Gate

    async def join(self, flight: Future[Any], seconds: float | None = None) -> Any:
        self.gate.note()
        return await super().join(flight, seconds)


def bench_at(gate: Gate, colour: str, **options: Any) -> Bench:
    """An engine at a gate; it tells who waits."""
    runtime: Any = NotingBlocking(_Blocking(gate)) if colour == "blocking" else NotingAio(gate)  # type: ignore[arg-type]
    runtime.gate = gate
    return Bench(colour, gate.blocking, runtime=runtime, **options)


def all_of(bench: Bench, calls: list[Any], **options: Any) -> list[Any]:
    """Make these calls at once; answers, or errors, in their order."""

    async def one(call: Any) -> Any:
        try:
            return await bench.engine.perform(call, **options)
        except Exception as error:
            return error

    if bench.colour == "blocking":
        with ThreadPoolExecutor(len(calls)) as pool:
            return [flight.result(LIMIT_SECONDS) for flight in [pool.submit(lambda c=c: run(one(c))) for c in calls]]

    async def story() -> list[Any]:
        if bench.colour == "asyncio":
            return await asyncio.gather(*map(one, calls))
        flights = [bench.runtime.spawn(one(call)) for call in calls]
        return [await bench.runtime.join(flight) for flight in flights]

    return bench.run(story())


def any_bench(colour: str, outcome: HttpResponse | Exception, wanted: int, **options: Any) -> tuple[Bench, list[Any]]:
    """An engine, and the requests that its server saw."""
    if colour == "simulated":
        script = Script(outcome)
        return Bench(colour, script, **options), script.requests
    gate = Gate(outcome, wanted)
    return bench_at(gate, colour, **options), gate.requests


COLOURS = ("blocking", "asyncio", "simulated")


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


def test_T12_who_has_looked_before_an_answer_was_kept_finds_it_when_it_comes_too_late_for_the_flight() -> None:
    """Between a caller's look and its boarding, another's flight lands: no second request."""
    script = Script(answer([], **FRESH))

    class Slow(MemoryCache):
        async def get(self, key: str) -> Any:
            found = await super().get(key)
            if not script.requests and not others:
                others.append(None)
                others[0] = run(bench.engine.perform(ORDERS)).source
            return found

    others: list[Any] = []
    bench = Bench("blocking", script, cache=Slow())
    assert (bench.perform(ORDERS).source, others) == ("cache", ["network"])
    assert len(script.requests) == 1


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
def test_a_receiver_that_makes_the_same_call_waits_for_nobody(colour: str) -> None:
    """Within the flight, in the leader's own thread or task: it is sent by itself."""
    script = Script(answer([], **FRESH))
    bench = Bench(colour, script)
    seen: list[Any] = []

    def told(**_: Any) -> None:
        if not seen:
            seen.append(None)
            seen[0] = run(bench.engine.perform(ORDERS))

    async def told_async(**_: Any) -> None:
        if not seen:
            seen.append(None)
            async with asyncio.timeout(LIMIT_SECONDS):
                seen[0] = await bench.engine.perform(ORDERS)

    bench.stats.add_receiver(told if colour == "blocking" else told_async)
    assert bench.perform(ORDERS).status == 200
    assert (seen[0].status, len(script.requests)) == (200, 2)


def test_receivers_that_ask_for_each_others_calls_do_not_wait_in_a_circle() -> None:
    """Two threads lead two flights, and each one's receiver asks for the other's."""
    bench = Bench("blocking", lambda request: answer([1], **FRESH))
    both = threading.Barrier(2)
    other = {REGIONS.operation.id: CONSTELLATIONS, CONSTELLATIONS.operation.id: REGIONS}
    got: list[Any] = []

    def told(operation_id: str, **_: Any) -> None:
        if len(got) < 2 and not getattr(within, "on", False):
            within.on = True
            both.wait(LIMIT_SECONDS)
            got.append(run(bench.engine.perform(other[operation_id])).data)

    within = threading.local()
    bench.stats.add_receiver(told)
    with ThreadPoolExecutor(2) as pool:
        flights = [pool.submit(bench.perform, call) for call in (REGIONS, CONSTELLATIONS)]
        assert [[1], [1]] == [flight.result(LIMIT_SECONDS).data for flight in flights]
    assert [[1], [1]] == got


def test_a_blocking_call_does_not_wait_for_the_loop_that_it_holds_up() -> None:
    """A task leads; another task of that loop makes the same call with a blocking client."""
    gate, store = Gate(answer([], **FRESH), 10**6), MemoryCache()
    leading = bench_at(gate, "asyncio", cache=store)
    script = Script(answer([], **FRESH))
    blocking = Bench("blocking", script, cache=store)

    async def story() -> list[str]:
        task = asyncio.ensure_future(leading.engine.perform(ORDERS))
        await gate.arrived()
        inner = blocking.perform(ORDERS)
        gate.open()
        return [inner.source, (await task).source]

    assert ["network", "network"] == leading.run(story())
    assert (len(script.requests), len(gate.requests)) == (1, 1)


def test_a_loop_that_is_gone_is_waited_for_by_nobody() -> None:
    """Its leader was left behind, never cancelled: who comes next leads."""
    gate, store = Gate(answer([], **FRESH), 10**6), MemoryCache()
    left = bench_at(gate, "asyncio", cache=store)
    loop = asyncio.new_event_loop()
    work = left.engine.perform(ORDERS)
    task = loop.create_task(work)
    loop.run_until_complete(gate.arrived())
    loop.close()
    script = Script(answer([], **FRESH))
    assert Bench("blocking", script, cache=store).perform(ORDERS).source == "network"
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    work.close()


def waiting_bench(**block: float) -> tuple[Bench, Script]:
    """An engine whose bucket for ORDERS is blocked for so many seconds."""
    script = Script(answer([], **FRESH))
    bench = Bench("simulated", script)
    ask = bench.engine.ledger.ask_for(ORDERS.operation, "ip", bench.engine.terms, bench.runtime.now)
    bench.engine.ledger.store.block(ask.bucket, block["seconds"])
    return bench, script


def test_who_never_waits_is_not_held_up_and_fails_nobody() -> None:
    """The leader waits for a limit; who has no patience is told so at once; the others get their answer."""
    bench, script = waiting_bench(seconds=60.0)
    runtime, engine = bench.runtime, bench.engine
    hasty = Terms.of(Settings(), policy="fail")

    async def story() -> tuple[float, list[int]]:
        began = runtime.now()
        patient = [runtime.spawn(engine.perform(ORDERS))]
        await runtime.sleep(1)
        with pytest.raises(RateLimitedError):
            await engine.perform(ORDERS, terms=hasty)
        took = runtime.now() - began
        patient.append(runtime.spawn(engine.perform(ORDERS)))
        return took, [(await runtime.join(flight)).status for flight in patient]

    assert (1.0, [200, 200]) == bench.run(story())
    assert len(script.requests) == 1


def test_a_flight_of_who_never_waits_fails_alone() -> None:
    """A patient caller that joined it tries itself, and waits."""
    bench, script = waiting_bench(seconds=0.01)
    runtime, engine = bench.runtime, bench.engine
    hasty = Terms.of(Settings(), policy="fail")
    refused = answer({"error": "slow down"}, 429, retry_after="20")
    script.answers.insert(0, refused)

    async def story() -> list[int]:
        await runtime.sleep(1)
        flights = [runtime.spawn(engine.perform(ORDERS, terms=hasty)), runtime.spawn(engine.perform(ORDERS))]
        return [(await runtime.join(flight)).status for flight in flights]

    assert [429, 200] == bench.run(story())


def test_who_goes_first_does_not_wait_for_a_batch_call() -> None:
    """A batch call may be held back where an interactive one is not; the other way round it joins."""
    script = Script(answer([], **FRESH))
    bench = Bench("simulated", script)
    batch = Terms.of(Settings(), priority="batch")

    async def story(first: Terms | None, second: Terms | None) -> int:
        runtime, engine = bench.runtime, bench.engine
        flights = [runtime.spawn(engine.perform(ORDERS, terms=terms)) for terms in (first, second)]
        for flight in flights:
            await runtime.join(flight)
        await bench.cache.clear()
        return len(script.requests)

    assert bench.run(story(batch, None)) == 2
    assert bench.run(story(None, batch)) == 3
    assert bench.run(story(batch, batch)) == 4


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_of_a_fork_waits_for_no_flight_of_its_parent() -> None:
    """Whoever leads it is not there: the child makes its own request."""
    gate = Gate(answer([], **FRESH), 10**6)
    bench = bench_at(gate, "blocking")
    with ThreadPoolExecutor(1) as pool:
        flight = pool.submit(bench.perform, ORDERS)
        with gate.changed:
            assert gate.changed.wait_for(lambda: gate.requests, LIMIT_SECONDS)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(5)
            bench.runtime.transport = _Blocking(Gate(answer([], **FRESH), 0))
            os._exit(0 if bench.perform(ORDERS).source == "network" else 1)
        assert os.waitpid(pid, 0)[1] == 0
        gate.open()
        assert flight.result(LIMIT_SECONDS).status == 200


def test_T12_clients_with_a_door_each_to_one_cache_share_its_flights(tmp_path: Path) -> None:
    """Version 1's caches, and those that processes share."""
    cache, kept = DictCache(), SqliteCache(tmp_path / "answers.sqlite3")
    assert flights_of(Door(cache)) is flights_of(Door(cache))
    runtimes = [BlockingRuntime(_Blocking(Gate(answer(), 0))) for _ in range(2)]
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
