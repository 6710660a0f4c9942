"""What fails is tried again, where the client's rule says so and it does no harm (`esipy.retries` has the table).

Here are the bounds that no rule moves (`pause_after`), and the loop: it spends the client's quota, tells
RETRY_SCHEDULED and waits. What a limit refused is waited for by `esipy.engine.limiting`, at the next attempt.
"""

from __future__ import annotations

import logging
from math import inf

from esipy.core.answer import Answer
from esipy.core.moments import not_before
from esipy.core.retries import retry_after
from esipy.engine.decoding import error_body
from esipy.engine.exchange import Exchange, Proceed
from esipy.engine.resting import Held
from esipy.events import RETRY_SCHEDULED
from esipy.exceptions import NetworkError
from esipy.retries import Failure, Rule

__all__ = ["pause_after", "retrying"]

MOST_LOGGED_BYTES = 1000
LONGEST_ASKED_SECONDS = 120.0
"""Who fails and asks for more than this by ``Retry-After`` is not waited for, whatever the patience with limits is."""

LOGGER = logging.getLogger("esipy.client")


def pause_after(rule: Rule, failure: Failure, patience_seconds: float, *, held: bool) -> float | None:
    """Seconds from a failure to the next attempt; None: there is none.

    What may have been done is never repeated (T32). What the server asked for is a floor, unless a limit asked that
    holds the next attempt back itself. Either is waited for only within the caller's patience, which says
    nothing of the rule's own pauses: a caller who waits for no limit still has its broken connections repeated.

    Args:
        held: a limit holds the next attempt back.

    Raises:
        TypeError: the rule gave what is no pause.
    """
    if not failure.repeatable:
        return None
    seconds = rule(failure)
    if seconds is None:
        return None
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not (known and 0 <= seconds < inf):
        raise TypeError(f"retry_requests: the rule gave {seconds!r}: has to be seconds, or None for no retry")
    asked = failure.asked_seconds or 0.0
    if asked > (patience_seconds if held else min(patience_seconds, LONGEST_ASKED_SECONDS)):
        return None
    if held:
        return seconds
    # A rule leaves it to the limit that those whom it refused together come back apart.
    return asked + seconds + (failure.random if failure.limited else 0.0)


async def retrying(proceed: Proceed, exchange: Exchange) -> Answer:
    engine, runtime = exchange.engine, exchange.runtime
    quota = engine.retry_quota
    while True:
        answer: Answer | None = None
        try:
            answer = await proceed(exchange)
            if answer.status < 400:
                if quota.missing:
                    quota.refill()
                return answer
            outcome: int | NetworkError = answer.status
        except Held:
            continue
        except NetworkError as error:
            outcome = error
        failure = Failure(
            exchange.call, exchange.method, outcome, exchange.attempt,
            None if answer is None else _asked_for(answer, runtime.now()),
            runtime.random(),
            None if answer is None or answer.retry_at is None else not_before(answer.retry_at),
        )  # fmt: skip
        # Who sends in any case is held back by no limit, so the pause has to be made here, like any other.
        held = failure.limited and exchange.terms.policy != "off"
        pause = pause_after(engine.retry_rule, failure, exchange.terms.max_wait, held=held)
        if pause is None or not (held or quota.spend()):
            if answer is None:
                assert isinstance(outcome, NetworkError)
                raise outcome
            if failure.asked_seconds is not None and answer.retry_at is None:
                answer.retry_at = runtime.now() + failure.asked_seconds
            return answer
        told = str(outcome) if answer is None else _words_of(answer)
        LOGGER.warning("[failure #%d] %s %s", exchange.attempt, exchange.url, told)
        if RETRY_SCHEDULED.has_receivers:
            payload = {
                "operation_id": exchange.operation.id,
                "url": exchange.url,
                "attempt": exchange.attempt,
                "status_code": 0 if answer is None else answer.status,
                "wait_seconds": pause,
                "message": told,
            }
            await runtime.tell(RETRY_SCHEDULED, payload)
        await runtime.sleep(pause)
        exchange.attempt += 1


def _asked_for(answer: Answer, now: float) -> float | None:
    """Seconds that the server asked to wait; None when it did not."""
    return retry_after(answer.headers, now) if answer.retry_at is None else max(answer.retry_at - now, 0.0)


def _words_of(answer: Answer) -> str:
    return f"{answer.status}: {error_body(answer.body[:MOST_LOGGED_BYTES])!r}"
