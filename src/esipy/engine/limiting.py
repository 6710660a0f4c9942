"""Nothing is sent while ESI has said to wait: a 429 stops its bucket, a 420 stops everyone (T26, T27).

``Retry-After`` and the end of the error window are obeyed; of two waits the later end wins. A call that would
have to wait longer than ``max_wait`` fails at once with the moment at which to come back.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from esipy.core.answer import Answer
from esipy.core.freshness import delta_seconds
from esipy.core.retries import retry_after
from esipy.engine.exchange import Exchange, Proceed
from esipy.exceptions import ErrorLimitedError, LimitedError, RateLimitedError
from esipy.runtime.base import Runtime

__all__ = ["Blocks", "limiting"]

EVERYONE = "*"
UNSAID_WAIT_SECONDS = 60.0
"""How long to wait when a 429 or 420 does not say: the error window is one minute.

Source: ESI documentation, error limit.
"""


class Blocks:
    """Until when each bucket is blocked. A moment only ever moves later."""

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._until: dict[str, float] = {}

    def block(self, bucket: str, until: float) -> None:
        """Block a bucket, or `EVERYONE`, until this moment."""
        with self._lock:
            self._until[bucket] = max(until, self._until.get(bucket, 0.0))

    def wait(self, bucket: str, now: float) -> tuple[float, bool]:
        """Seconds until this bucket is free (0: now), and whether it is everyone who waits."""
        if not self._until:
            return 0.0, False
        everyone = self._until.get(EVERYONE, 0.0)
        own = self._until.get(bucket, 0.0)
        if max(everyone, own) <= now:
            self._forget_past(now)
            return 0.0, False
        return max(everyone, own) - now, everyone >= own

    def _forget_past(self, now: float) -> None:
        with self._lock:
            self._until = {bucket: until for bucket, until in self._until.items() if until > now}


def blocks_for(runtime: Runtime, base_url: str) -> Blocks:
    """The blocks of an ESI, shared by all clients of the process: its limits do not ask which client it was."""
    blocks: Blocks = runtime.shared.setdefault(("blocks", base_url), Blocks(runtime.lock()))
    return blocks


def bucket_of(exchange: Exchange) -> str:
    """Rate-limit group and principal; an operation without a group is counted by itself."""
    group = exchange.operation.group
    return f"{group.name if group else exchange.operation.id} {exchange.principal}"


async def limiting(exchange: Exchange, proceed: Proceed) -> Answer:
    engine, runtime = exchange.engine, exchange.runtime
    bucket = bucket_of(exchange)
    while True:
        wait_seconds, everyone = engine.blocks.wait(bucket, runtime.now())
        if wait_seconds <= 0:
            break
        if wait_seconds > engine.settings.max_wait:
            raise _too_long(exchange, wait_seconds, everyone)
        await runtime.sleep(wait_seconds)
    answer = await proceed(exchange)
    if answer.status in (420, 429):
        now = runtime.now()
        asked = retry_after(answer.headers, now)
        if asked is None and answer.status == 420:
            asked = delta_seconds(answer.headers.get("x-esi-error-limit-reset"))
        until = now + (UNSAID_WAIT_SECONDS if asked is None else asked)
        answer.retry_at = until
        everyone = answer.status == 420 and exchange.operation.base_url is None  # another API's 420 says nothing of ESI
        engine.blocks.block(EVERYONE if everyone else bucket, until)
    return answer


def _too_long(exchange: Exchange, wait_seconds: float, everyone: bool) -> LimitedError:
    status, kind = (420, ErrorLimitedError) if everyone else (429, RateLimitedError)
    error = kind(
        exchange.url,
        status,
        message=f"{exchange.operation.name}: ESI asked to wait another {wait_seconds:.0f} s, longer than "
        f"max_wait={exchange.engine.settings.max_wait:.0f}; nothing was sent. Come back then, or raise max_wait",
    )
    error.retry_at = exchange.runtime.now() + wait_seconds
    return error
