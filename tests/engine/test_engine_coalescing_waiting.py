"""One flight for all who ask for the same: who does not wait for whom."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from esipy.engine.terms import Terms
from esipy.exceptions import RateLimitedError
from esipy.runtime.blocking import run
from esipy.settings import Settings
from esipy.stores.memory import MemoryCache
from tests.engine.flights_kit import CONSTELLATIONS, LIMIT_SECONDS, REGIONS, Blocking, Gate, bench_at
from tests.engine.kit import FRESH, ORDERS, Bench, Script, answer
from tests.forks import child, needs_fork


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


@needs_fork
def test_a_child_of_a_fork_waits_for_no_flight_of_its_parent() -> None:
    """Whoever leads it is not there: the child makes its own request."""
    gate = Gate(answer([], **FRESH), 10**6)
    bench = bench_at(gate, "blocking")

    def work() -> bool:
        bench.runtime.transport = Blocking(Gate(answer([], **FRESH), 0))
        return bool(bench.perform(ORDERS).source == "network")

    with ThreadPoolExecutor(1) as pool:
        flight = pool.submit(bench.perform, ORDERS)
        with gate.changed:
            assert gate.changed.wait_for(lambda: gate.requests, LIMIT_SECONDS)
        assert child(work)
        gate.open()
        assert flight.result(LIMIT_SECONDS).status == 200
