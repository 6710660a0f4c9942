"""The asyncio runtime's own: cancellation, and one loop after another."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest

from esipy.runtime import aio
from esipy.runtime.aio import AioRuntime
from esipy.transport.scripted import AsyncScriptedTransport


@pytest.fixture
def complaints() -> list[dict[str, Any]]:
    """What asyncio told its loop's exception handler."""
    return []


def in_loop(main: Callable[[AioRuntime], Awaitable[Any]], complaints: list[dict[str, Any]]) -> Any:
    """Run with a runtime of asyncio; collect all complaints, those at the collection of garbage too."""

    async def whole() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        result = await main(AioRuntime(AsyncScriptedTransport([])))
        gc.collect()
        return result

    return asyncio.run(whole())


def test_what_was_begun_beside_the_loop_is_done_when_a_client_is_closed(complaints: list[dict[str, Any]]) -> None:
    """Whoever waited for it was cancelled: ``drain`` waits all the same, or its files could be taken away under it."""

    async def main(runtime: AioRuntime) -> bool:
        begun, go_on = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            go_on.wait(10)

        flight = runtime.begin(work)
        await asyncio.to_thread(begun.wait, 10)
        asyncio.get_running_loop().call_later(0.01, go_on.set)
        await runtime.drain()
        return flight.done()

    assert in_loop(main, complaints)
    assert [] == complaints


def test_finished_work_goes_on_when_its_caller_is_cancelled(complaints: list[dict[str, Any]]) -> None:
    """The caller hears of its cancellation at once; the work ends all the same, and ``drain`` waits for it."""

    async def main(runtime: AioRuntime) -> list[str]:
        told: list[str] = []
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await go_on.wait()
            told.append("work done")

        caller = asyncio.ensure_future(runtime.finish(work()))
        await begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        told.append("caller cancelled")
        go_on.set()
        await runtime.drain()
        return told

    assert ["caller cancelled", "work done"] == in_loop(main, complaints)
    assert [] == complaints


def test_a_failure_that_nobody_waits_for_makes_no_noise(complaints: list[dict[str, Any]]) -> None:
    """The caller has gone; asyncio does not complain of an exception that was never retrieved."""

    async def main(runtime: AioRuntime) -> None:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.sleep(0)
            raise ValueError("nobody's")

        caller = asyncio.ensure_future(runtime.finish(work()))
        await begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        del caller
        await runtime.drain()

    in_loop(main, complaints)
    assert [] == complaints


@pytest.mark.parametrize("outcome", ["result", "error"])
def test_T12_a_cancelled_waiter_leaves_the_flight_alone(outcome: str, complaints: list[dict[str, Any]]) -> None:
    """The others get what it brings; the flight is not cancelled, and nothing is complained of."""
    flight: Future[int] = Future()

    async def main(runtime: AioRuntime) -> Any:
        waiters = [asyncio.ensure_future(runtime.join(flight)) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        await asyncio.wait(waiters[:1])
        assert (True, False) == (waiters[0].cancelled(), flight.cancelled())
        if outcome == "result":
            flight.set_result(5)
        else:
            flight.set_exception(ValueError("crashed"))
        return [str(one) for one in await asyncio.gather(*waiters[1:], return_exceptions=True)]

    assert [{"result": "5", "error": "crashed"}[outcome]] * 2 == in_loop(main, complaints)
    assert [] == complaints


def test_a_flight_that_lands_after_its_waiter_s_loop_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits any more: no error where it lands, and none is logged."""
    flight: Future[int] = Future()
    runtime = AioRuntime(AsyncScriptedTransport([]))

    async def give_up() -> None:
        waiter = asyncio.ensure_future(runtime.join(flight))
        await asyncio.sleep(0)
        waiter.cancel()

    asyncio.run(give_up())
    flight.set_result(5)
    assert (5, []) == (flight.result(), caplog.records)


def test_a_cancelled_gather_cancels_its_jobs(complaints: list[dict[str, Any]]) -> None:
    """And waits until they have ended, so that nothing of it goes on behind the caller's back."""

    async def main(runtime: AioRuntime) -> tuple[int, int]:
        begun, ended = 0, 0
        all_begun = asyncio.Event()

        async def job(item: int) -> None:
            nonlocal begun, ended
            begun += 1
            if begun == 3:
                all_begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended += 1

        caller = asyncio.ensure_future(runtime.gather(job, range(10), 3))
        await all_begun.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        return begun, ended

    assert (3, 3) == in_loop(main, complaints)
    assert [] == complaints


def test_one_runtime_serves_one_loop_after_another() -> None:
    """What an earlier loop left behind does not hang a later one's ``drain``."""
    runtime = AioRuntime(AsyncScriptedTransport([]))
    loop = asyncio.new_event_loop()

    async def never() -> None:
        await loop.create_future()

    async def begin() -> asyncio.Future[None]:
        return asyncio.ensure_future(runtime.finish(never()))

    left = loop.run_until_complete(begin())
    loop.run_until_complete(asyncio.sleep(0))  # the work has begun, and its loop stands still
    asyncio.run(runtime.drain())
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks))
    loop.close()
    assert left.cancelled()


def test_drain_has_an_end(monkeypatch: pytest.MonkeyPatch, complaints: list[dict[str, Any]]) -> None:
    """What is not done by then is cancelled, so that Ctrl-C ends a program whose SSO hangs."""
    monkeypatch.setattr(aio, "FINISH_SECONDS", 0.02)

    async def main(runtime: AioRuntime) -> list[str]:
        told: list[str] = []
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                told.append("ended")

        caller = asyncio.ensure_future(runtime.finish(work()))
        await begun.wait()
        caller.cancel()
        await runtime.drain()
        return told

    assert ["ended"] == in_loop(main, complaints)
    assert [] == complaints
