"""The heart of it: log in, call, refresh an expired token, hear it as a signal. Blocking and with asyncio."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import Any

import pytest

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiApp, EsiClient, EsiSecurity, ops
from esipy.events import AFTER_TOKEN_REFRESH, Signal
from esipy.exceptions import SSOUnavailableError, TokenRevokedError
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from tests.client.colours import UA, Colour, Connect
from tests.urls import query_of

SCOPE = "esi-wallet.read_character_wallet.v1"


def wallet_of(client: Colour) -> Any:
    return ops.wallet.get_characters_character_id_wallet(character_id=client.security.character_id)


def expire(security: Any) -> None:
    """Twenty minutes pass."""
    security.token_expiry -= 1200


def test_the_first_example_blocking(box: RunningSandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The issue's program, line by line: the call refreshes, fires the hook, and goes out with the new token."""

    def after_token_refresh_hook(access_token, refresh_token, expires_in, **kwargs):  # type: ignore[no-untyped-def]
        print("We got new token: %s" % access_token)  # noqa: UP031
        print("refresh token used: %s" % refresh_token)  # noqa: UP031
        print("Expires in %d" % expires_in)  # noqa: UP031

    with AFTER_TOKEN_REFRESH.connected_to(after_token_refresh_hook):
        app = EsiApp().get_latest_swagger
        security = EsiSecurity(
            redirect_uri=box.redirect_uri,
            client_id=box.client_id,
            secret_key=box.secret_key,
            headers=UA,
            sso_url=box.sso_url,
        )
        client = EsiClient(security=security, headers=UA, base_url=box.url)
        back = box.approve(security.get_auth_uri(state="abc", scopes=[SCOPE]))
        security.auth(query_of(back)["code"])
        first = security.access_token
        expire(security)
        op = app.op["get_characters_character_id_wallet"](character_id=security.character_id)
        wallet = client.request(op)
        client.close()
    assert (wallet.status, wallet.data) == (200, 29500.01)
    assert security.access_token != first
    assert capsys.readouterr().out.splitlines() == [
        f"We got new token: {security.access_token}",
        f"refresh token used: {security.refresh_token}",
        "Expires in 1199",
    ]


def test_the_first_example_asyncio(box: RunningSandbox) -> None:
    """The same program awaited, with PKCE in place of a secret and a coroutine function as the hook."""
    heard: list[str] = []

    async def hook(access_token: str, **kwargs: object) -> None:
        await asyncio.sleep(0)
        heard.append(access_token)

    async def main() -> tuple[Any, str]:
        from esipy.utils import generate_code_verifier

        async with (
            AsyncEsiSecurity(
                box.redirect_uri,
                "sandbox-demo-pkce",
                code_verifier=generate_code_verifier(),
                headers=UA,
                sso_url=box.sso_url,
            ) as security,
            AsyncEsiClient(security, headers=UA, base_url=box.url) as client,
        ):
            back = await asyncio.to_thread(box.approve, security.get_auth_uri(state="abc", scopes=[SCOPE]))
            await security.auth(query_of(back)["code"])
            expire(security)
            call = ops.wallet.get_characters_character_id_wallet(character_id=security.character_id or 0)
            return await client.fetch(call), security.access_token or ""

    with AFTER_TOKEN_REFRESH.connected_to(hook):
        wallet, token = asyncio.run(main())
    assert wallet == 29500.01
    assert heard == [token]


def test_a_refresh_tells_what_it_promises(connect: Connect) -> None:
    """AFTER_TOKEN_REFRESH: both tokens, seconds, type, identifier, the previous refresh token."""
    client = connect(login=True)
    client.security.token_identifier = "my-key"
    before = client.security.refresh_token
    expire(client.security)
    now = time.time()
    client.client._engine.runtime.now = lambda: now  # or the seconds that are left may be one less
    with SignalRecorder(AFTER_TOKEN_REFRESH) as heard:
        client.request(wallet_of(client))
        client.request(wallet_of(client))
    (told,) = heard.payloads
    assert told["access_token"] == client.security.access_token
    assert (told["refresh_token"], told["previous_refresh_token"]) == (client.security.refresh_token, before)
    assert (told["expires_in"], told["token_type"], told["token_identifier"]) == (1199, "Bearer", "my-key")


def test_a_manual_refresh_tells_nobody(connect: Connect) -> None:
    """Who calls ``security.refresh()`` has the answer in hand."""
    client = connect(login=True)
    with SignalRecorder(AFTER_TOKEN_REFRESH) as heard:
        client.do(client.security.refresh())
    assert heard.payloads == []


def test_a_security_may_have_a_signal_of_its_own(connect: Connect) -> None:
    """``signal_token_updated`` is told in place of the library's."""
    own: Signal[...] = Signal()
    client = connect(login=True)
    client.security.signal_token_updated = own
    expire(client.security)
    with SignalRecorder(AFTER_TOKEN_REFRESH) as general, SignalRecorder(own) as heard:
        client.request(wallet_of(client))
    assert (len(general.payloads), len(heard.payloads)) == (0, 1)


def test_T52_a_receiver_that_raises_loses_neither_token_nor_answer(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """The call succeeds, the new token is kept, later receivers run, and the log names receiver and signal only."""

    def broken(**kwargs: object) -> None:
        raise RuntimeError(f"no room for {kwargs}")

    client = connect(login=True)
    old = client.security.access_token
    expire(client.security)
    with AFTER_TOKEN_REFRESH.connected_to(broken), SignalRecorder(AFTER_TOKEN_REFRESH) as heard:
        assert client.fetch(wallet_of(client)) == 29500.01
    assert client.security.access_token != old
    assert len(heard.payloads) == 1
    assert "broken" in caplog.text
    assert "AFTER_TOKEN_REFRESH" in caplog.text
    assert client.security.access_token not in caplog.text
    assert client.security.refresh_token not in caplog.text


def test_T37_ten_threads_with_one_expired_token_make_one_refresh(box: RunningSandbox) -> None:
    """All ten calls succeed; the SSO saw one refresh, and one signal was sent."""
    client = Colour("blocking", box, login=True, cache=None)
    expire(client.security)
    start = threading.Barrier(10)
    answers: list[Any] = []

    def ask() -> None:
        start.wait()
        answers.append(client.fetch(wallet_of(client)))

    with SignalRecorder(AFTER_TOKEN_REFRESH) as heard:
        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [29500.01] * 10
    assert len(box.received("/v2/oauth/token")) == len(heard.payloads) == 1
    client.close()


def test_T37_ten_tasks_with_one_expired_token_make_one_refresh(box: RunningSandbox) -> None:
    """The same with asyncio, although three of the callers are cancelled while it is under way."""

    async def main() -> list[Any]:
        security = AsyncEsiSecurity(box.redirect_uri, box.client_id, box.secret_key, headers=UA, sso_url=box.sso_url)
        security.update_token(box.login())
        expire(security)
        box.fail("/v2/oauth/token", kind="hang")
        call = ops.wallet.get_characters_character_id_wallet(character_id=security.character_id or 0)
        async with security, AsyncEsiClient(security, headers=UA, base_url=box.url, cache=None) as client:
            tasks = [asyncio.create_task(client.fetch(call)) for _ in range(10)]
            await asyncio.to_thread(box.wait_received, 1, "/v2/oauth/token")
            for task in tasks[:3]:  # the first of them leads the refresh
                task.cancel()
            await asyncio.sleep(0)
            box.release()
            return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(main())
    assert [type(answer) for answer in answers[:3]] == [asyncio.CancelledError] * 3
    assert answers[3:] == [29500.01] * 7
    assert len(box.received("/v2/oauth/token")) == 1


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 403}, {"kind": "html", "status": 503}, {"kind": "reset"}]
)
def test_T40_an_outage_of_the_sso_drops_no_token(connect: Connect, box: RunningSandbox, fault: dict[str, Any]) -> None:
    """Anything but ``invalid_grant`` means later: the next call refreshes with the same token."""
    client = connect(login=True)
    expire(client.security)
    kept = client.security.refresh_token
    box.fail("/v2/oauth/token", None, **fault)
    with pytest.raises(SSOUnavailableError):
        client.fetch(wallet_of(client))
    assert client.security.refresh_token == kept
    box.heal()
    assert client.fetch(wallet_of(client)) == 29500.01


def test_a_revoked_login_says_so(connect: Connect, box: RunningSandbox) -> None:
    """``invalid_grant`` is an error of its own: log in again."""
    client = connect(login=True)
    box.revoke(client.security.character_id)
    expire(client.security)
    with pytest.raises(TokenRevokedError):
        client.fetch(wallet_of(client))


def test_a_login_that_was_revoked_while_its_token_was_good_says_so(connect: Connect, box: RunningSandbox) -> None:
    """ESI refuses the token, and the refresh finds out why: that is what the caller is told, not ESI's 401."""
    client = connect(login=True, cache=None)
    call = ops.wallet.get_characters_character_id_wallet(character_id=client.security.character_id)
    assert 200 == client.request(call).status
    box.revoke(client.security.character_id)
    with pytest.raises(TokenRevokedError, match="log in again"):
        client.request(call)


def test_a_token_that_esi_refuses_before_its_time_is_refreshed_once(connect: Connect, box: RunningSandbox) -> None:
    """The clocks disagree: a 401 makes one refresh and one more try."""
    client = connect(login=True)
    box.expire_tokens()
    with SignalRecorder(AFTER_TOKEN_REFRESH) as heard:
        assert client.fetch(wallet_of(client)) == 29500.01
    assert len(heard.payloads) == 1


def test_T44_nothing_that_is_shown_holds_a_secret(
    connect: Connect, box: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Log lines, reprs, errors with their attributes and statistics of a stormy session hold none of the secrets."""
    caplog.set_level(logging.DEBUG)
    signal: Signal[...] = Signal()
    client = connect(login=True, signal_api_call_stats=signal, retry_requests=False)
    security = client.security
    secrets = {box.secret_key, security.access_token, security.refresh_token}
    shown: list[str] = []
    call = wallet_of(client)
    with SignalRecorder(signal) as heard:
        for fault in ({"status": 500}, {"kind": "reset"}, {"kind": "html"}, {"status": 403}):
            for path in (call.path, "/v2/oauth/token"):
                expire(security)
                box.fail(path, **fault)
                try:
                    shown.append(repr(client.fetch(call)))
                except Exception as error:
                    shown += [str(error), repr(error), repr(vars(error))]
                secrets |= {security.access_token, security.refresh_token}
    shown += [caplog.text, repr(heard.payloads), repr(security), repr(client.client), repr(call)]
    assert len(secrets) > 4
    assert [secret[:12] for secret in secrets for text in shown if secret in text] == []
