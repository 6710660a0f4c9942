"""Calls that need a token get one; a token that ESI refuses before its time is refreshed, once.

A call of version 1 may bring its own: it is sent as it is, and stands for nobody's login. Operations of other APIs
than ESI have no scope here, so that the login's token never goes there (T45).

The token goes into this exchange's header only, and the exchange goes to ESI's own address only (T45).
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.core.claims import peek_character_id, peek_client_id
from esipy.engine.exchange import Exchange, Proceed, Signer
from esipy.exceptions import SSOError

__all__ = ["signing"]


async def signing(exchange: Exchange, proceed: Proceed) -> Answer:
    own = exchange.call.token
    if own is not None:
        exchange.token = own
        exchange.counted_as = _counted_as(exchange, own)
        return await proceed(exchange)
    signer = exchange.engine.signer
    if signer is None or exchange.operation.scope is None:
        if signer is not None and exchange.engine.settings.public_token and exchange.operation.base_url is None:
            return await _identified(exchange, proceed, signer)
        return await proceed(exchange)
    token = await signer.token(exchange.runtime)
    _carry(exchange, signer, token)
    answer = await proceed(exchange)
    if answer.status != 401 or exchange.engine.refused_again(exchange.principal, token):
        return answer
    try:
        token = await signer.token(exchange.runtime, not_this=token)
    except SSOError:
        return answer  # no other token can be had: ESI's own words are the answer
    _carry(exchange, signer, token)
    answer = await proceed(exchange)
    if answer.status == 401:
        exchange.engine.remember_refused(exchange.principal, token)
    return answer


async def _identified(exchange: Exchange, proceed: Proceed, signer: Signer) -> Answer:
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
