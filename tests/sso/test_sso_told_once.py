"""Who is told of a refresh that several logins share: each whose tokens a request replaced, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from esipy.events import Signal
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox, serve
from esipy.security import EsiSecurity
from esipy.transport import default_transport
from tests.sso.sso_kit import TOKEN, expired_login


class Joining(BlockingRuntime):
    """Counts who waits for another's refresh."""

    def __init__(self) -> None:
        super().__init__(default_transport())
        self.waiting = threading.Semaphore(0)

    async def join(self, flight: Any, seconds: float | None = None) -> Any:
        self.waiting.release()
        return await super().join(flight, seconds)


@pytest.fixture
def joining() -> Iterator[Joining]:
    """A runtime for those who come second."""
    runtime = Joining()
    yield runtime
    runtime.transport.close()


Told = list[tuple[str, dict[str, Any]]]


def _logins(sandbox: RunningSandbox, *names: str) -> tuple[Told, list[EsiSecurity]]:
    """Logins that hold the same tokens, each with its own signal; and what these told, by the login's name."""
    told: Told = []
    logins: list[EsiSecurity] = []

    def login(name: str) -> EsiSecurity:
        signal: Signal[...] = Signal(name)

        def tell(**payload: Any) -> None:
            told.append((name, payload))

        signal.add_receiver(tell)
        return expired_login(sandbox, signal_token_updated=signal, token_identifier=name)

    for name in names:
        logins.append(login(name))
        logins[-1].access_token, logins[-1].refresh_token = logins[0].access_token, logins[0].refresh_token
    return told, logins


@contextmanager
def _led(sandbox: RunningSandbox, lead: Callable[[], object]) -> Generator[ThreadPoolExecutor]:
    """A refresh that is under way within the block, and lands at its end; all that was submitted ends too."""
    sandbox.fail(TOKEN, kind="hang")
    with ThreadPoolExecutor(6) as pool:
        leading = pool.submit(lead)
        sandbox.wait_received(1, TOKEN)
        try:
            yield pool
        finally:
            sandbox.release()
        leading.result(10)
    assert 1 == len(sandbox.received(TOKEN))


def test_each_login_that_shares_a_refresh_tells_its_own_signal(
    sandbox: RunningSandbox, blocking: BlockingRuntime, joining: Joining
) -> None:
    """Two rows of two databases hold one refresh token: both are told of the rotated one, once each."""
    told, (first, second) = _logins(sandbox, "first", "second")
    old = first.refresh_token
    now = time.time()
    blocking.now = joining.now = lambda: now  # or the seconds that are left may be one less
    with _led(sandbox, lambda: run(first.token(blocking))) as pool:
        following = [pool.submit(run, second.token(joining)) for _ in range(3)]
        for _ in following:
            assert joining.waiting.acquire(timeout=10)
    assert [first.access_token] * 3 == [each.result(10) for each in following]
    assert ["first", "second"] == sorted(name for name, _ in told)
    for name, payload in told:
        assert (name, old) == (payload["token_identifier"], payload["previous_refresh_token"])
        assert (first.access_token, second.refresh_token) == (payload["access_token"], payload["refresh_token"])
        assert 1199 == payload["expires_in"]
    assert old != first.refresh_token == second.refresh_token


def test_a_request_that_joins_another_logins_refresh_by_hand_is_told(sandbox: RunningSandbox, joining: Joining) -> None:
    """Who refreshed by hand has the answer and is not told; the other's token was replaced for a request."""
    told, (by_hand, other) = _logins(sandbox, "by hand", "other")
    with _led(sandbox, by_hand.refresh) as pool:
        asking = pool.submit(run, other.token(joining))
        assert joining.waiting.acquire(timeout=10)
    assert by_hand.access_token == asking.result(10)
    assert [("other", other.refresh_token)] == [(name, payload["refresh_token"]) for name, payload in told]


def test_a_request_that_joins_its_own_logins_refresh_by_hand_tells_nobody(
    sandbox: RunningSandbox, joining: Joining
) -> None:
    """The program that refreshed this login by hand has the answer."""
    told, (login,) = _logins(sandbox, "one")
    with _led(sandbox, login.refresh) as pool:
        asking = pool.submit(run, login.token(joining))
        assert joining.waiting.acquire(timeout=10)
    assert login.access_token == asking.result(10)
    assert [] == told


def test_a_refresh_by_hand_that_joins_another_logins_request_tells_that_one_only(
    sandbox: RunningSandbox, blocking: Runtime, joining: Joining
) -> None:
    """The request's login is told; who called `refresh` has the answer."""
    told, (first, by_hand) = _logins(sandbox, "first", "by hand")
    by_hand._runtime = joining
    with _led(sandbox, lambda: run(first.token(blocking))) as pool:
        refreshing = pool.submit(by_hand.refresh)
        assert joining.waiting.acquire(timeout=10)
    assert by_hand.access_token == refreshing.result(10)["access_token"] == first.access_token
    assert ["first"] == [name for name, _ in told]


def test_a_login_is_told_once_although_a_program_put_in_another_access_token_meanwhile(joining: Joining) -> None:
    """The leader does not find its tokens any more, who joined does: it is one login and one refresh."""
    with serve() as keeping:
        told, (login,) = _logins(keeping, "one")
        with _led(keeping, lambda: run(login.token(BlockingRuntime(joining.transport)))) as pool:
            login.update_token({"access_token": "put in meanwhile", "expires_in": 1199})
            asking = pool.submit(run, login.token(joining, not_this="put in meanwhile"))
            assert joining.waiting.acquire(timeout=10)
        assert login.access_token == asking.result(10) == told[0][1]["access_token"]
    assert ["one"] == [name for name, _ in told]


def test_a_spent_refresh_token_does_not_stay_beside_an_access_token_put_in_meanwhile(
    sandbox: RunningSandbox, blocking: Runtime
) -> None:
    """The access token is the program's word and stays; the refresh token was rotated, and the old one is dead."""
    told, (login,) = _logins(sandbox, "one")
    with _led(sandbox, lambda: run(login.token(blocking))):
        login.update_token({"access_token": "put in meanwhile", "expires_in": 1199})
    assert "put in meanwhile" == login.access_token
    assert [login.refresh_token] == [payload["refresh_token"] for _, payload in told]


def test_a_login_that_was_changed_meanwhile_is_not_told_of_tokens_it_does_not_take(
    sandbox: RunningSandbox, blocking: Runtime, joining: Joining
) -> None:
    """Another character was put into the second while it waited: the first alone has the new tokens."""
    told, (first, second) = _logins(sandbox, "first", "second")
    other = sandbox.login(sandbox.sandbox.roster.ids[1])
    with _led(sandbox, lambda: run(first.token(blocking))) as pool:
        asking = pool.submit(run, second.token(joining))
        assert joining.waiting.acquire(timeout=10)
        second.update_token(other)
    assert other["access_token"] == asking.result(10)
    assert ["first"] == [name for name, _ in told]
