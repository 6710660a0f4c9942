"""Who may wait for whom: blocking callers, and loops in the same thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.sso.flights import Flights, Slots
from esipy.transport.scripted import ScriptedTransport
from tests.sso.sso_kit import AGENT, TOKEN, expired_login
from tests.sso.waiting_kit import BLOCKING, LIMIT, giving, never, tasks


def test_a_blocking_call_does_not_wait_for_a_loop_of_its_own_thread() -> None:
    """What may not be done twice is an error at once that names the way out; the flight goes on."""
    flights: Flights[str] = Flights()

    async def scene() -> str:
        landing = asyncio.Event()

        async def work() -> str:
            await landing.wait()
            return "landed"

        flying = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, work))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="use AsyncEsiClient"):
            run(flights.fly(BLOCKING, "key", LIMIT, giving("twice")))
        landing.set()
        return (await flying)[0]

    assert "landed" == asyncio.run(scene())


def test_nor_do_the_threads_of_its_gather() -> None:
    """They work for a caller that stands still until they are done."""
    flights: Flights[str] = Flights()

    async def ask(item: int) -> str:
        with pytest.raises(RuntimeError, match="use AsyncEsiClient"):
            await flights.fly(BLOCKING, "key", LIMIT, giving("twice"))
        return "refused"

    async def scene() -> list[str]:
        flying = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, never()))
        await asyncio.sleep(0)
        try:
            return run(BLOCKING.gather(ask, range(3), 2))
        finally:
            flying.cancel()

    assert ["refused"] * 3 == asyncio.run(scene())


def test_threads_of_one_gather_wait_for_each_other() -> None:
    """Those do not stand still: the work is done once for all of them."""
    flights: Flights[str] = Flights()
    together = threading.Barrier(3)
    waits = threading.Semaphore(0)

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            waits.release()
            return await super().join(flight, seconds)

    runtime = Telling(ScriptedTransport([]))

    async def work() -> str:
        for _ in range(2):
            assert waits.acquire(timeout=LIMIT)
        return "once"

    async def ask(item: int) -> tuple[str, bool]:
        together.wait(LIMIT)
        return await flights.fly(runtime, "key", LIMIT, work)

    assert [("once", False)] * 2 + [("once", True)] == sorted(run(runtime.gather(ask, range(3), 3)))


def test_what_may_be_done_twice_is() -> None:
    """A blocking call fetches public documents for itself, rather than fail."""
    flights: Flights[str] = Flights(repeatable=True)

    async def scene() -> tuple[str, bool]:
        flying = asyncio.ensure_future(flights.fly(tasks(), "key", LIMIT, never()))
        await asyncio.sleep(0)
        try:
            return run(flights.fly(BLOCKING, "key", LIMIT, giving("own")))
        finally:
            flying.cancel()

    assert ("own", True) == asyncio.run(scene())


def test_a_blocking_call_needs_no_slot_that_a_loop_of_its_thread_holds() -> None:
    """Another flight's work is done at once, although all slots are taken."""
    slots = Slots(1)
    flights: Flights[str] = Flights(slots)

    async def scene() -> tuple[str, bool]:
        flying = asyncio.ensure_future(flights.fly(tasks(), "first", LIMIT, never()))
        await asyncio.sleep(0)
        try:
            return run(flights.fly(BLOCKING, "second", LIMIT, giving("done")))
        finally:
            flying.cancel()

    assert ("done", True) == asyncio.run(scene())
    assert ("free", True) == run(flights.fly(BLOCKING, "third", LIMIT, giving("free")))


WALLET = ops.wallet.get_characters_character_id_wallet


def clients(sandbox: RunningSandbox, security: Any) -> tuple[AsyncEsiClient, EsiClient]:
    """Both colours, with one login."""
    given: dict[str, Any] = {"headers": {"User-Agent": AGENT}, "base_url": sandbox.url}
    return AsyncEsiClient(security, **given), EsiClient(security, **given)


def test_T37_both_colours_of_client_share_a_login_in_one_thread(sandbox: RunningSandbox) -> None:
    """The blocking one says at once that it cannot wait; the asyncio one's rotated token is kept by both."""
    security = expired_login(sandbox)
    before = security.refresh_token

    async def scene() -> list[int]:
        aio, blocking = clients(sandbox, security)
        call = WALLET(character_id=security.character_id or 0)
        async with aio:
            sandbox.fail(TOKEN, 1, kind="hang")
            asking = asyncio.ensure_future(aio.request(call))
            while not sandbox.most_at_once(TOKEN):  # noqa: ASYNC110 (the server is in another thread)
                await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="use AsyncEsiClient"):
                blocking.request(call)
            sandbox.heal()
            sandbox.release()
            answers = [await asking]
        answers.append(blocking.request(call))
        blocking.close()
        return [one.status for one in answers]

    assert [200, 200] == asyncio.run(scene())
    assert before != security.refresh_token
