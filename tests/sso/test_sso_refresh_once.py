"""One token that is over, and many who need it at once: threads, tasks, loops, objects (T37)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sso_kit import AGENT, TOKEN, WALLET

from esipy.events import Signal
from esipy.exceptions import LoginRequiredError, SSOUnavailableError
from esipy.runtime.aio import AioRuntime
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.security import EsiSecurity
from esipy.sso.login import REFRESHES_AT_ONCE
from esipy.transport import default_async_transport, default_transport

TEN = 10


@pytest.fixture
def blocking() -> Iterator[Runtime]:
    """A blocking runtime over real connections."""
    transport = default_transport()
    yield BlockingRuntime(transport)
    transport.close()


def _login(sandbox: RunningSandbox, character: int = 0, **keywords: Any) -> EsiSecurity:
    """A login whose access token is over."""
    security = EsiSecurity(
        sandbox.redirect_uri,
        sandbox.client_id,
        sandbox.secret_key,
        headers={"User-Agent": AGENT},
        sso_url=sandbox.sso_url,
        **keywords,
    )
    security.update_token(sandbox.login(sandbox.sandbox.roster.ids[character]))
    security.token_expiry = 0
    return security


@contextmanager
def _recorded() -> Iterator[tuple[Signal[...], list[dict[str, Any]]]]:
    """A signal of one's own, and what it told."""
    told: list[dict[str, Any]] = []
    signal: Signal[...] = Signal("TEST")
    signal.add_receiver(lambda **kwargs: told.append(kwargs))
    yield signal, told


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


async def _over_sockets(ask: Any) -> Any:
    transport = default_async_transport()
    try:
        return await ask(AioRuntime(transport))
    finally:
        await transport.aclose()


def test_T37_ten_threads_make_one_refresh(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """All get the same new token, the SSO sees one request, and the signal is sent once."""
    with _recorded() as (signal, told):
        security = _login(sandbox, signal_token_updated=signal)
        got = _in_threads(blocking, *[security] * TEN)
    assert {security.access_token} == set(got)
    assert 1 == len(sandbox.received(TOKEN))
    assert 1 == len(told)


def test_T37_ten_tasks_make_one_refresh(sandbox: RunningSandbox) -> None:
    """As with threads."""
    with _recorded() as (signal, told):
        security = _login(sandbox, signal_token_updated=signal)
        ask = lambda runtime: asyncio.gather(*[security.token(runtime) for _ in range(TEN)])  # noqa: E731
        got = asyncio.run(_over_sockets(ask))
    assert {security.access_token} == set(got)
    assert 1 == len(sandbox.received(TOKEN))
    assert 1 == len(told)


def test_T37_threads_and_tasks_of_one_login_make_one_refresh(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """A loop and threads wait for each other: whoever is first refreshes for both."""
    security = _login(sandbox)
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
        loop = pool.submit(asyncio.run, _over_sockets(tasks))
        sandbox.wait_received(1, TOKEN)
        sandbox.release()
        got = {*[flight.result(10) for flight in threads], *loop.result(10)}
    assert {security.access_token} == got
    assert 1 == len(sandbox.received(TOKEN))


def test_T37_several_objects_with_one_refresh_token_make_one_refresh(
    sandbox: RunningSandbox, blocking: Runtime
) -> None:
    """Web programs make an object per request from one row of their database; all of them get the rotated token."""
    first = _login(sandbox)
    others = [_login(sandbox) for _ in range(3)]
    for other in others:
        other.access_token, other.refresh_token = first.access_token, first.refresh_token
    sandbox.fail(TOKEN, kind="hang")

    def let_go() -> None:
        sandbox.wait_received(1, TOKEN)
        sandbox.release()

    got = _in_threads(blocking, first, *others, wait_for=let_go)
    assert {first.access_token} == set(got)
    assert {first.refresh_token} == {other.refresh_token for other in others}
    assert 1 == len(sandbox.received(TOKEN))


def test_T37_at_most_five_refreshes_at_once(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Twelve logins need a token: seven wait until one of five is through, and all get theirs."""
    count = 12
    logins = [_login(sandbox, number % 10) for number in range(count)]
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
    security = _login(sandbox)
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
    with _recorded() as (signal, told):
        security = _login(sandbox, signal_token_updated=signal)
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

        asyncio.run(_over_sockets(scene))
    assert old != security.refresh_token
    assert [security.refresh_token] == [payload["refresh_token"] for payload in told]


def test_a_loop_that_ends_in_the_middle_leaves_nobody_waiting(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """A thread that waited for a task whose loop was closed tries it itself."""
    security = _login(sandbox)
    run(security.token(blocking))
    security.token_expiry = 0
    sandbox.forget()
    sandbox.fail(TOKEN, kind="hang")
    leading, joined = threading.Event(), threading.Event()

    class Telling(BlockingRuntime):
        async def join(self, flight: Any) -> Any:
            joined.set()
            return await super().join(flight)

    async def scene(runtime: AioRuntime) -> None:
        asking = asyncio.ensure_future(security.token(runtime))
        await asyncio.to_thread(sandbox.wait_received, 1, TOKEN)
        leading.set()
        await asyncio.to_thread(joined.wait, 10)
        asking.cancel()

    with ThreadPoolExecutor(2) as pool:
        loop = pool.submit(asyncio.run, _over_sockets(scene))
        assert leading.wait(10)
        transport = default_transport()
        waiting = pool.submit(run, security.token(Telling(transport)))
        loop.result(10)
        assert waiting.result(10) == security.access_token
        transport.close()
    assert 2 == len(sandbox.received(TOKEN))


def test_a_token_that_esi_refused_is_refreshed_before_its_time(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Who was refused with the former token gets the new one without another refresh."""
    security = _login(sandbox)
    refused = run(security.token(blocking))
    fresh = run(security.token(blocking, not_this=refused))
    assert refused != fresh
    assert fresh == run(security.token(blocking, not_this=refused))
    assert 2 == len(sandbox.received(TOKEN))


def test_tokens_put_in_during_a_refresh_win(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """A refresh of character A does not overwrite character B; A's new token is still told."""
    with _recorded() as (signal, told):
        security = _login(sandbox, signal_token_updated=signal, token_identifier="A")
        sandbox.fail(TOKEN, kind="hang")
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(run, security.token(blocking))
            sandbox.wait_received(1, TOKEN)
            other = sandbox.login(sandbox.sandbox.roster.ids[1])
            security.update_token(other, token_identifier="B")
            sandbox.release()
            assert other["access_token"] == asking.result(10)
    assert other["refresh_token"] == security.refresh_token
    assert ["A"] == [payload["token_identifier"] for payload in told]


def test_the_signal_tells_all_that_there_is_to_store(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Its arguments are those of the table in `esipy.events`, and the object already has the new tokens."""
    with _recorded() as (signal, told):
        security = _login(sandbox, signal_token_updated=signal, token_identifier={"user": 7})
        old = security.refresh_token
        at_that_time: list[str | None] = []
        signal.add_receiver(lambda **kwargs: at_that_time.append(security.access_token))
        run(security.token(blocking))
    assert [
        {
            "access_token": security.access_token,
            "refresh_token": security.refresh_token,
            "expires_in": 1199,
            "token_type": "Bearer",
            "token_identifier": {"user": 7},
            "previous_refresh_token": old,
        }
    ] == told
    assert [security.access_token] == at_that_time


def test_a_receiver_that_raises_costs_no_token(
    sandbox: RunningSandbox, blocking: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """The token is there, the failure is logged, and the log shows no token."""
    signal: Signal[...] = Signal("TEST")

    def broken(access_token: str, **kwargs: object) -> None:
        raise RuntimeError(f"cannot store {access_token}")

    signal.add_receiver(broken)
    security = _login(sandbox, signal_token_updated=signal)
    assert run(security.token(blocking)) == security.access_token
    assert 1 == len(caplog.records)
    assert security.access_token not in caplog.text


def test_a_receiver_may_use_the_login(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """The flight has landed when the signal is sent, so a receiver's own call does not wait for itself."""
    signal: Signal[...] = Signal("TEST")
    security = _login(sandbox, signal_token_updated=signal)
    used: list[str] = []
    signal.add_receiver(lambda **kwargs: used.append(run(security.token(blocking))))
    assert [run(security.token(blocking))] == used


def test_a_refresh_by_hand_shares_the_one_under_way(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """But who asks for fewer scopes gets these, by a refresh of its own with the rotated token."""
    security = _login(sandbox)
    for scopes, requests in ((None, 1), ([WALLET], 2)):
        sandbox.forget()
        security.token_expiry = 0
        sandbox.fail(TOKEN, kind="hang")
        joined = threading.Event()

        class Telling(BlockingRuntime):
            async def join(self, flight: Any) -> Any:
                joined.set()  # noqa: B023 (used within this turn only)
                return await super().join(flight)

        with ThreadPoolExecutor(2) as pool:
            asking = pool.submit(run, security.token(blocking))
            sandbox.wait_received(1, TOKEN)
            security._runtime = Telling(default_transport())
            by_hand = pool.submit(security.refresh, scopes)
            assert joined.wait(10)
            sandbox.release()
            assert asking.result(10)
            assert by_hand.result(10)["access_token"] == security.access_token
            security._runtime.transport.close()
        assert requests == len(sandbox.received(TOKEN))
    assert WALLET == sandbox.received(TOKEN)[-1].form["scope"]


def test_without_any_token_the_error_says_what_to_do(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """It is a LoginRequiredError and an AttributeError, and nothing is sent."""
    security = _login(sandbox)
    for access_token in ("over", None):
        security.access_token, security.refresh_token = access_token, None
        with pytest.raises(LoginRequiredError, match="get_auth_uri") as caught:
            run(security.token(blocking))
        assert isinstance(caught.value, AttributeError)
    assert [] == sandbox.received()


def test_a_token_without_a_time_is_used_where_nothing_else_is_there(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """With a refresh token its time counts as over, as in version 1; without one it is all there is."""
    security = _login(sandbox)
    security.token_expiry = None
    assert "given" != run(security.token(blocking))
    security.access_token, security.refresh_token, security.token_expiry = "given", None, None
    assert "given" == run(security.token(blocking))


def test_a_call_renews_a_token_that_would_end_on_its_way(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Three seconds before its end a token is not sent any more."""
    security = _login(sandbox)
    old = security.access_token
    security.token_expiry = blocking.now() + 3
    assert not security.is_token_expired()
    assert old != run(security.token(blocking))
