"""API_CALL_STATS after each HTTP exchange: the innermost layer, so that retries count and waiting does not.

Nothing it tells holds a token (T44): addresses have none, and `sending` takes it out of what an error repeats.
"""

from __future__ import annotations

from esipy.core.answer import Answer
from esipy.engine.exchange import Exchange, Proceed
from esipy.exceptions import NetworkError

__all__ = ["NO_ANSWER", "announcing"]

NO_ANSWER = 500
"""The status that stands for a connection error, in signals and in answers of ``request``: version 1's choice."""


async def announcing(proceed: Proceed, exchange: Exchange) -> Answer:
    now = exchange.runtime.now
    started = now()
    try:
        answer = await proceed(exchange)
    except NetworkError as error:
        await _tell(exchange, NO_ANSWER, now() - started, str(error))
        raise
    if exchange.engine.stats_signal.has_receivers:
        text = None if answer.status == 200 else answer.body.decode("utf-8", "replace")
        await _tell(exchange, answer.status, now() - started, text)
    return answer


async def _tell(exchange: Exchange, status: int, elapsed: float, message: str | None) -> None:
    await exchange.runtime.tell(
        exchange.engine.stats_signal,
        {
            "url": exchange.url,
            "status_code": status,
            "elapsed_time": elapsed,
            "message": message,
            "operation_id": exchange.operation.id,
            "method": exchange.method,
            "principal": exchange.principal,
            "attempt": exchange.attempt,
        },
    )
