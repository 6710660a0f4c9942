"""The token that a call gets, what the signal tells of it, and what a program may do meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from esipy.events import Signal
from esipy.exceptions import LoginRequiredError
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.sandbox import RunningSandbox
from esipy.transport import default_transport
from tests.sso.sso_kit import TOKEN, WALLET, expired_login, recorded


def test_a_token_that_esi_refused_is_refreshed_before_its_time(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Who was refused with the former token gets the new one without another refresh."""
    security = expired_login(sandbox)
    refused = run(security.token(blocking))
    fresh = run(security.token(blocking, not_this=refused))
    assert refused != fresh
    assert fresh == run(security.token(blocking, not_this=refused))
    assert 2 == len(sandbox.received(TOKEN))


def test_tokens_put_in_during_a_refresh_win(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """A refresh of character A does not overwrite character B; A's new token is still told."""
    with recorded() as (signal, told):
        security = expired_login(sandbox, signal_token_updated=signal, token_identifier="A")
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
    with recorded() as (signal, told):
        security = expired_login(sandbox, signal_token_updated=signal, token_identifier={"user": 7})
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
    security = expired_login(sandbox, signal_token_updated=signal)
    assert run(security.token(blocking)) == security.access_token
    assert 1 == len(caplog.records)
    assert security.access_token not in caplog.text


def test_a_receiver_may_use_theexpired_login(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """The flight has landed when the signal is sent, so a receiver's own call does not wait for itself."""
    signal: Signal[...] = Signal("TEST")
    security = expired_login(sandbox, signal_token_updated=signal)
    used: list[str] = []
    signal.add_receiver(lambda **kwargs: used.append(run(security.token(blocking))))
    assert [run(security.token(blocking))] == used


def test_a_refresh_by_hand_shares_the_one_under_way(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """But who asks for fewer scopes gets these, by a refresh of its own with the rotated token."""
    security = expired_login(sandbox)
    for scopes, requests in ((None, 1), ([WALLET], 2)):
        sandbox.forget()
        security.token_expiry = 0
        sandbox.fail(TOKEN, kind="hang")
        joined = threading.Event()

        class Telling(BlockingRuntime):
            async def join(self, flight: Any, seconds: float | None = None) -> Any:
                joined.set()  # noqa: B023 (used within this turn only)
                return await super().join(flight, seconds)

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
    security = expired_login(sandbox)
    for access_token in ("over", None):
        security.access_token, security.refresh_token = access_token, None
        with pytest.raises(LoginRequiredError, match="get_auth_uri") as caught:
            run(security.token(blocking))
        assert isinstance(caught.value, AttributeError)
    assert [] == sandbox.received()


def test_a_token_without_a_time_is_used_where_nothing_else_is_there(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """With a refresh token its time counts as over, as in version 1; without one it is all there is."""
    security = expired_login(sandbox)
    security.token_expiry = None
    assert "given" != run(security.token(blocking))
    security.access_token, security.refresh_token, security.token_expiry = "given", None, None
    assert "given" == run(security.token(blocking))


def test_a_call_renews_a_token_that_would_end_on_its_way(sandbox: RunningSandbox, blocking: Runtime) -> None:
    """Three seconds before its end a token is not sent any more."""
    security = expired_login(sandbox)
    old = security.access_token
    security.token_expiry = blocking.now() + 3
    assert not security.is_token_expired()
    assert old != run(security.token(blocking))
