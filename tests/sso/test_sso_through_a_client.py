"""A login given to a client, against a real ESI and SSO: what a program sees."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.events import Signal
from esipy.exceptions import LoginRequiredError, SSOUnavailableError, TokenRevokedError
from esipy.sandbox import RunningSandbox
from tests.sso.sso_kit import AGENT, TOKEN, Colour

Told = list[dict[str, Any]]


class _Program:
    """A client with a login, and what its signals told."""

    def __init__(self, colour: Colour, sandbox: RunningSandbox) -> None:
        self.refreshed: Told = []
        self.stats: Told = []
        refreshed: Signal[...] = Signal("REFRESHED")
        stats: Signal[...] = Signal("STATS")
        refreshed.add_receiver(lambda **kwargs: self.refreshed.append(kwargs))
        stats.add_receiver(lambda **kwargs: self.stats.append(kwargs))
        self.security = colour.security(sandbox, signal_token_updated=refreshed)
        self.character = sandbox.sandbox.roster.ids[0]
        self.colour = colour
        kind = EsiClient if colour.name == "blocking" else AsyncEsiClient
        self.client: Any = kind(
            security=self.security,
            headers={"User-Agent": AGENT},
            base_url=sandbox.url,
            signal_api_call_stats=stats,
            retry_requests=False,
        )

    def wallet(self) -> Any:
        call = ops.wallet.get_characters_character_id_wallet(character_id=self.character)
        return self.colour(self.client.fetch(call))


@pytest.fixture
def program(colour: Colour, sandbox: RunningSandbox) -> Iterator[_Program]:
    """In both colours."""
    program = _Program(colour, sandbox)
    yield program
    colour(program.client.close())


def test_a_call_refreshes_an_expired_token_and_tells(program: _Program, sandbox: RunningSandbox) -> None:
    """Twenty minutes later: one refresh, one signal, and the answer."""
    program.security.update_token(sandbox.login())
    old = program.security.refresh_token
    program.security.token_expiry = 0
    assert isinstance(program.wallet(), float)
    assert [(old, program.security.refresh_token)] == [
        (told["previous_refresh_token"], told["refresh_token"]) for told in program.refreshed
    ]
    assert [200] == [told["status_code"] for told in program.stats]
    assert [f"{sandbox.client_id}:{program.character}"] == [told["principal"] for told in program.stats]


def test_a_token_that_esi_refuses_is_refreshed_once(program: _Program, sandbox: RunningSandbox) -> None:
    """ESI says 401 before our clock does: refresh, send again."""
    program.security.update_token(sandbox.login())
    sandbox.expire_tokens()
    assert isinstance(program.wallet(), float)
    assert [401, 200] == [told["status_code"] for told in program.stats]
    assert 1 == len(sandbox.received(TOKEN)) == len(program.refreshed)


def test_T37_many_calls_at_once_make_one_refresh(program: _Program, sandbox: RunningSandbox) -> None:
    """Twenty calls of one expired login."""
    program.security.update_token(sandbox.login())
    program.security.token_expiry = 0
    calls = [
        ops.mail.get_characters_character_id_mail(character_id=program.character, last_mail_id=n) for n in range(20)
    ]
    answers = program.colour(program.client.multi_request(calls))
    assert {200} == {answer.status for _, answer in answers}
    assert 1 == len(sandbox.received(TOKEN)) == len(program.refreshed)


def test_what_the_sso_refuses_is_the_calls_error(program: _Program, sandbox: RunningSandbox) -> None:
    """No token, an outage, a revoked login: each its own error, and ESI is not asked."""
    with pytest.raises(LoginRequiredError):
        program.wallet()
    program.security.update_token(sandbox.login())
    program.security.token_expiry = 0
    sandbox.fail(TOKEN, status=503)
    with pytest.raises(SSOUnavailableError):
        program.wallet()
    sandbox.revoke(program.character)
    with pytest.raises(TokenRevokedError):
        program.wallet()
    assert [] == program.stats == program.refreshed


def test_T44_statistics_and_logs_hold_no_token(
    program: _Program, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a life with a refresh, a 401 and an answer that failed."""
    caplog.set_level(logging.DEBUG)
    program.security.update_token(sandbox.login())
    secrets = [program.security.access_token, program.security.refresh_token, sandbox.secret_key]
    program.security.token_expiry = 0
    program.wallet()
    sandbox.expire_tokens()
    sandbox.fail("/characters/*/skills", status=500, times=None)
    call = ops.skills.get_characters_character_id_skills(character_id=program.character)
    with pytest.raises(Exception, match="told to fail") as caught:
        program.colour(program.client.fetch(call))
    secrets += [told[name] for told in program.refreshed for name in ("access_token", "refresh_token")]
    shown = f"{program.stats!r} {caplog.text} {caught.value!r} {vars(caught.value)!r} {program.client!r}"
    assert 2 <= len(program.stats)
    assert [] == [secret for secret in secrets if secret and secret in shown]


def test_one_login_serves_both_colours(sandbox: RunningSandbox) -> None:
    """A blocking login in an asyncio client: its refresh goes over that client's connections."""
    colour = Colour("blocking")
    security = colour.security(sandbox)
    security.update_token(sandbox.login())
    security.token_expiry = 0
    call = ops.wallet.get_characters_character_id_wallet(character_id=security.character_id or 0)

    async def scene() -> float:
        async with AsyncEsiClient(security=security, headers={"User-Agent": AGENT}, base_url=sandbox.url) as client:
            return await client.fetch(call)

    with EsiClient(security=security, headers={"User-Agent": AGENT}, base_url=sandbox.url) as client:
        assert asyncio.run(scene()) == client.fetch(call)
    assert 1 == len(sandbox.received(TOKEN))
    colour.close()
