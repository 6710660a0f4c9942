"""What passes is tried again, where that is safe. The decision is `esipy.core.retries`; here is only the loop."""

from __future__ import annotations

import logging

from esipy.core.answer import Answer
from esipy.core.retries import LIMITED, pause_before_retry, retry_after
from esipy.engine.decoding import error_body
from esipy.engine.exchange import Exchange, Proceed
from esipy.exceptions import NetworkError

__all__ = ["retrying"]

MOST_LOGGED_BYTES = 1000
LOGGER = logging.getLogger("esipy.client")


async def retrying(exchange: Exchange, proceed: Proceed) -> Answer:
    engine, runtime = exchange.engine, exchange.runtime
    policy = engine.retry_policy
    while True:
        answer: Answer | None = None
        try:
            answer = await proceed(exchange)
            outcome: int | NetworkError = answer.status
        except NetworkError as error:
            outcome = error
        pause = pause_before_retry(policy, exchange.method, outcome, exchange.attempt, runtime.random())
        if pause is not None and answer is not None:
            pause = max(pause, _asked_for(answer, runtime.now()))
        if pause is None or pause > engine.settings.max_wait:
            if isinstance(outcome, NetworkError):
                raise outcome
            assert answer is not None
            return answer
        told = outcome if answer is None else f"{answer.status}: {error_body(answer.body[:MOST_LOGGED_BYTES])!r}"
        LOGGER.warning("[failure #%d] %s %s", exchange.attempt, exchange.url, told)
        await runtime.sleep(pause if outcome not in LIMITED else 0.0)
        exchange.attempt += 1


def _asked_for(answer: Answer, now: float) -> float:
    """Seconds that the server asked to wait; for a limit it is `limiting` that waits them."""
    if answer.retry_at is not None:
        return answer.retry_at - now
    return retry_after(answer.headers, now) or 0.0
