"""Calls that need a token get one; a token that ESI refuses before its time is refreshed, once.

The token goes into this exchange's header only, and the exchange goes to ESI's own address only (T45).
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.engine.exchange import Exchange, Proceed
from esipy.exceptions import LoginRequiredError

__all__ = ["signing"]


async def signing(exchange: Exchange, proceed: Proceed) -> Answer:
    signer = exchange.engine.signer
    if signer is None or exchange.operation.scope is None:
        return await proceed(exchange)
    token = exchange.token = await signer.token(exchange.runtime)
    answer = await proceed(exchange)
    if answer.status != 401 or exchange.engine.refused_again(exchange.principal, token):
        return answer
    try:
        exchange.token = await signer.token(exchange.runtime, not_this=token)
    except LoginRequiredError:
        return answer  # there is nothing to refresh it with: ESI's own words say best what is wrong
    answer = await proceed(exchange)
    if answer.status == 401:
        exchange.engine.remember_refused(exchange.principal, exchange.token)
    return answer
