"""Calls that need a token get one; a token that ESI refuses before its time is refreshed, once.

A call of version 1 may bring its own: it is sent as it is, and stands for nobody's login. Operations of other APIs
than ESI have no scope here, so that the login's token never goes there (T45).

A call that no login allows is not sent, because ESI's 401s and 403s are counted (T43); the setting ``check_scopes`` can
say otherwise.

The token goes into this exchange's header only, and the exchange goes to ESI's own address only (T45).
"""

from __future__ import annotations

from collections.abc import Awaitable

from esipy.core.answer import Answer
from esipy.core.claims import peek_character_id, peek_client_id
from esipy.engine.exchange import Exchange, Proceed, Signer
from esipy.exceptions import MissingScopeError, OwnerChangedError, SSOError, TokenRevokedError

__all__ = ["signing"]


def signing(proceed: Proceed, exchange: Exchange) -> Awaitable[Answer]:
    call, engine, operation = exchange.call, exchange.engine, exchange.operation
    own = call.token if call.brings_own else None
    if own is not None:
        exchange.token = own
        exchange.counted_as = _counted_as(exchange, own)
    elif operation.scope is not None:
        return _signed(proceed, exchange, operation.scope)
    elif engine.signer is not None and engine.settings.public_token and operation.base_url is None:
        return _identified(proceed, exchange, engine.signer)
    return proceed(exchange)


async def _signed(proceed: Proceed, exchange: Exchange, scope: str) -> Answer:
    """A call that needs a token, with the login's."""
    signer = exchange.engine.signer
    if signer is None:
        _check_login(exchange, scope)
        return await proceed(exchange)
    token = await signer.token(exchange.runtime)
    _check_scope(exchange, scope)
    _carry(exchange, signer, token)
    answer = await proceed(exchange)
    if answer.status != 401 or exchange.engine.refused_again(exchange.principal, token):
        return answer
    try:
        token = await signer.token(exchange.runtime, not_this=token)
    except (TokenRevokedError, OwnerChangedError):
        raise  # why ESI does not take it any more, and what to do
    except SSOError:
        return answer  # no other token can be had now: ESI's own words are the answer
    _carry(exchange, signer, token)
    answer = await proceed(exchange)
    if answer.status == 401:
        exchange.engine.remember_refused(exchange.principal, token)
    return answer


def _check_login(exchange: Exchange, scope: str) -> None:
    """Refuse to pay for a call that nobody has logged in for (T43).

    Raises:
        MissingScopeError: unless the settings say otherwise.
    """
    if exchange.engine.settings.check_scopes:
        message = (
            f"{exchange.operation.name} needs a character's login with the scope {scope}; nothing was sent: "
            "use client.as_character(character_id), or give the client security=EsiSecurity(...)"
        )
        raise MissingScopeError(exchange.url, 401, message=message, scope=scope)


def _check_scope(exchange: Exchange, scope: str) -> None:
    """Refuse to pay for a call that the login does not allow (T43).

    Raises:
        MissingScopeError: unless the settings say otherwise.
    """
    engine, name = exchange.engine, exchange.operation.name
    if engine.lacks is not None and engine.settings.check_scopes and engine.lacks(scope):
        message = (
            f"{name} needs the scope {scope}, which this login lacks; nothing was sent: log in again and ask for it "
            f"too, as with get_auth_uri(state, scopes=[...]) or esipy login --for {name}"
        )
        raise MissingScopeError(exchange.url, 403, message=message, scope=scope)


async def _identified(proceed: Proceed, exchange: Exchange, signer: Signer) -> Answer:
    """A public call with the login's token, counted against address and application; without it, if that fails."""
    try:
        exchange.token = await signer.token(exchange.runtime)
    except SSOError:
        return await proceed(exchange)
    exchange.counted_as = f"ip:{signer.principal.partition(':')[0]}"
    answer = await proceed(exchange)
    if answer.status != 401:
        return answer
    exchange.token, exchange.counted_as = None, exchange.principal
    return await proceed(exchange)


def _counted_as(exchange: Exchange, token: str) -> str:
    """Whom ESI counts a call with a token of its own against: never the token itself, which changes (T25)."""
    client_id, character_id = peek_client_id(token), peek_character_id(token)
    if client_id is None or character_id is None:
        return exchange.principal
    return f"ip:{client_id}" if exchange.operation.scope is None else f"{client_id}:{character_id}"


def _carry(exchange: Exchange, signer: Signer, token: str) -> None:
    exchange.token = token
    owner = signer.principal_of(token)
    if owner != exchange.principal:  # another login was put in since the call began, or the first token has come
        exchange.principal = exchange.counted_as = owner
        exchange.conditions = []  # they speak of an answer to someone else
