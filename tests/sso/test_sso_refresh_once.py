"""One token that is over, and many who need it at once: threads, tasks, loops, objects (T37)."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from esipy.exceptions import SSOUnavailableError
from esipy.runtime.aio import AioRuntime
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.security import EsiSecurity
from esipy.sso.login import REFRESHES_AT_ONCE
from esipy.transport import default_transport
from tests.sso.sso_kit import TOKEN, expired_login, over_sockets, recorded

TEN = 10


def _in_threads(runtime: Runtime, *logins: EsiSecurity, wait_for: Any = None) -> list[str]:
    """Ask for a token in one thread per login, all at the same moment."""
    barrier = threading.Barrier(len(logins))

    def ask(security: EsiSecurity) -> str:
        barrier.wait(10)
        return run(security.token(runtime))

    with ThreadPoolExecutor(len(logins)) as pool:
        flights = [pool.submit(ask, security) for security in logins]
        if wait_for is not None:
            wait_for()
        return [flight.result(10) for flight in flights]


def test_T37_ten_threads_make_one_refresh(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """All get the same new token, the SSO sees one request, and the signal is sent once."""
    with recorded() as (signal, told):
        security = expired_login(sandbox, signal_token_updated=signal)
        got = _in_threads(blocking, *[security] * TEN)
    assert {security.access_token} == set(got)
    assert 1 == len(sandbox.received(TOKEN))
    assert 1 == len(told)


def test_T37_ten_tasks_make_one_refresh(sandbox: RunningSandbox) -> None:
    """As with threads."""
    with recorded() as (signal, told):
        security = expired_login(sandbox, signal_token_updated=signal)
        ask = lambda runtime: asyncio.gather(*[security.token(runtime) for _ in range(TEN)])  # noqa: E731
        got = asyncio.run(over_sockets(ask))
    assert {security.access_token} == set(got)
    assert 1 == len(sandbox.received(TOKEN))
    assert 1 == len(told)


def test_T37_threads_and_tasks_of_one_login_make_one_refresh(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """A loop and threads wait for each other: whoever is first refreshes for both."""
    security = expired_login(sandbox)
    sandbox.fail(TOKEN, kind="hang")
    barrier = threading.Barrier(TEN + 1)

    def thread() -> str:
        barrier.wait(10)
        return run(security.token(blocking))

    async def tasks(runtime: Runtime) -> list[str]:
        barrier.wait(10)
        return list(await asyncio.gather(*[security.token(runtime) for _ in range(TEN)]))

    with ThreadPoolExecutor(TEN + 1) as pool:
        threads = [pool.submit(thread) for _ in range(TEN)]
        loop = pool.submit(asyncio.run, over_sockets(tasks))
        sandbox.wait_received(1, TOKEN)
        sandbox.release()
        got = {*[flight.result(10) for flight in threads], *loop.result(10)}
    assert {security.access_token} == got
    assert 1 == len(sandbox.received(TOKEN))


def test_T37_several_objects_with_one_refresh_token_make_one_refresh(
    sandbox: RunningSandbox, blocking: BlockingRuntime
) -> None:
    """Web programs make an object per request from one row of their database; all of them get the rotated token."""
    first = expired_login(sandbox)
    others = [expired_login(sandbox) for _ in range(3)]
    for other in others:
        other.access_token, other.refresh_token = first.access_token, first.refresh_token
    sandbox.fail(TOKEN, kind="hang")
    joined = threading.Semaphore(0)

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            joined.release()
            return await super().join(flight, seconds)

    def let_go() -> None:
        sandbox.wait_received(1, TOKEN)
        for _ in others:  # who has not read its row by then would spend the old token
            assert joined.acquire(timeout=10)
        sandbox.release()

    got = _in_threads(Telling(blocking.transport), first, *others, wait_for=let_go)
    assert {first.access_token} == set(got)
    assert {first.refresh_token} == {other.refresh_token for other in others}
    assert 1 == len(sandbox.received(TOKEN))


def test_T37_at_most_five_refreshes_at_once(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Twelve logins need a token: seven wait until one of five is through, and all get theirs."""
    count = 12
    logins = [expired_login(sandbox, number % 10) for number in range(count)]
    run(logins[0].token(blocking))  # the keys are known from here on
    logins[0].token_expiry = 0
    sandbox.forget()
    sandbox.fail(TOKEN, times=REFRESHES_AT_ONCE, kind="hang")

    def let_go() -> None:
        sandbox.wait_received(REFRESHES_AT_ONCE, TOKEN)
        sandbox.release()

    got = _in_threads(blocking, *logins, wait_for=let_go)
    assert count == len(set(got))
    assert count == len(sandbox.received(TOKEN))
    assert REFRESHES_AT_ONCE == sandbox.most_at_once(TOKEN)


def test_T37_a_failed_refresh_fails_for_all_who_waited_and_the_next_one_works(
    sandbox: RunningSandbox, blocking: Runtime
) -> None:
    """Nobody hangs, nobody asks again at once, and nothing is lost."""
    security = expired_login(sandbox)
    sandbox.fail(TOKEN, status=503)
    barrier = threading.Barrier(TEN)

    def ask() -> BaseException | None:
        barrier.wait(10)
        try:
            run(security.token(blocking))
        except SSOUnavailableError as error:
            return error
        return None

    with ThreadPoolExecutor(TEN) as pool:
        outcomes = [flight.result(10) for flight in [pool.submit(ask) for _ in range(TEN)]]
    assert any(outcomes)
    assert run(security.token(blocking)) == security.access_token


def test_a_cancelled_task_does_not_lose_the_rotated_token(sandbox: RunningSandbox) -> None:
    """Who asked is gone, but the refresh is ended, stored and told."""
    with recorded() as (signal, told):
        security = expired_login(sandbox, signal_token_updated=signal)
        old = security.refresh_token
        sandbox.fail(TOKEN, kind="hang")

        async def scene(runtime: AioRuntime) -> None:
            asking = asyncio.ensure_future(security.token(runtime))
            await asyncio.to_thread(sandbox.wait_received, 1, TOKEN)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            sandbox.release()
            await runtime.drain()

        asyncio.run(over_sockets(scene))
    assert old != security.refresh_token
    assert [security.refresh_token] == [payload["refresh_token"] for payload in told]


def test_a_loop_that_ends_in_the_middle_leaves_nobody_waiting(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """A thread that waited for a task whose loop was closed tries it itself."""
    security = expired_login(sandbox)
    run(security.token(blocking))
    security.token_expiry = 0
    sandbox.forget()
    sandbox.fail(TOKEN, kind="hang")
    leading, joined = threading.Event(), threading.Event()

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            joined.set()
            return await super().join(flight, seconds)

    async def scene(runtime: AioRuntime) -> None:
        asking = asyncio.ensure_future(security.token(runtime))
        await asyncio.to_thread(sandbox.wait_received, 1, TOKEN)
        leading.set()
        await asyncio.to_thread(joined.wait, 10)
        asking.cancel()

    with ThreadPoolExecutor(2) as pool:
        loop = pool.submit(asyncio.run, over_sockets(scene))
        assert leading.wait(10)
        transport = default_transport()
        waiting = pool.submit(run, security.token(Telling(transport)))
        loop.result(10)
        assert waiting.result(10) == security.access_token
        transport.close()
    assert 2 == len(sandbox.received(TOKEN))


def test_T37_who_comes_just_after_a_refresh_does_not_spend_the_old_token(
    sandbox: RunningSandbox, blocking: BlockingRuntime
) -> None:
    """Between looking at the tokens and beginning to refresh, another thread has refreshed: its token is taken."""
    security = expired_login(sandbox)

    class Late(BlockingRuntime):
        async def finish(self, work: Any) -> Any:
            if not sandbox.received(TOKEN):
                run(security.token(blocking))
            return await work

    assert run(security.token(Late(blocking.transport))) == security.access_token
    assert 1 == len(sandbox.received(TOKEN))


def test_T37_the_new_tokens_are_in_place_before_anybody_who_waited_goes_on(
    sandbox: RunningSandbox, blocking: Runtime
) -> None:
    """Whoever is woken by the end of a refresh finds the new token, and does not begin another."""
    security = expired_login(sandbox)
    old = security.access_token
    sandbox.fail(TOKEN, kind="hang")
    joined = threading.Event()
    found: list[str | None] = []

    class Telling(BlockingRuntime):
        async def join(self, flight: Any, seconds: float | None = None) -> Any:
            flight.add_done_callback(lambda _: found.append(security.access_token))
            joined.set()
            return await super().join(flight, seconds)

    transport = default_transport()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, security.token(blocking))
        sandbox.wait_received(1, TOKEN)
        second = pool.submit(run, security.token(Telling(transport)))
        assert joined.wait(10)
        sandbox.release()
        assert first.result(10) == second.result(10) != old
    transport.close()
    assert [security.access_token] == found
