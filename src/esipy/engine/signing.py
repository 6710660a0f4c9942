"""Calls that need a token get one; a token that ESI refuses before its time is refreshed, once.

A call of version 1 may bring its own: it is sent as it is, and stands for nobody's login. Operations of other APIs
than ESI have no scope here, so that the login's token never goes there (T45).

The token goes into this exchange's header only, and the exchange goes to ESI's own address only (T45).
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.engine.exchange import Exchange, Proceed, Signer
from esipy.exceptions import SSOError

__all__ = ["signing"]


async def signing(exchange: Exchange, proceed: Proceed) -> Answer:
    own = exchange.call.token
    if own is not None:
        exchange.token = own
        return await proceed(exchange)
    signer = exchange.engine.signer
    if signer is None or exchange.operation.scope is None:
        if signer is not None and exchange.engine.settings.public_token and exchange.operation.base_url is None:
            await _identify(exchange, signer)
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


async def _identify(exchange: Exchange, signer: Signer) -> None:
    """A public call with the login's token is counted against address and application, not the address alone."""
    try:
        exchange.token = await signer.token(exchange.runtime)
    except SSOError:
        return  # it needs none
    exchange.counted_as = f"ip:{signer.principal.partition(':')[0]}"


def _carry(exchange: Exchange, signer: Signer, token: str) -> None:
    exchange.token = token
    owner = signer.principal_of(token)
    if owner != exchange.principal:  # another login was put in since the call began, or the first token has come
        exchange.principal = exchange.counted_as = owner
        exchange.conditions = []  # they speak of an answer to someone else
