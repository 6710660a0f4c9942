"""A refusal that a shared ledger is being told holds for all, also if the caller it came to is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import time
from threading import Event
from typing import Any

import pytest

from esipy.core.wire import HttpResponse
from esipy.stores.base import Ask, Reservation, Wait
from esipy.stores.memory_ledger import MemoryLedger
from tests.engine.kit import STATUS, Bench, answer

ASK = Ask("status ip", "*", 600, 900.0, 5, 2)


class Slow(MemoryLedger):
    """A shared ledger that takes its time to settle.

    Attributes:
        asked: it settles.
        go: it may.
    """

    remote = True

    def __init__(self) -> None:
        super().__init__(time.monotonic)
        self.asked, self.go = Event(), Event()

    def __bool__(self) -> bool:
        return True  # an empty one is one, too

    def settle(self, reservation: Reservation, *told: Any, **more: Any) -> None:
        self.asked.set()
        assert self.go.wait(60)
        super().settle(reservation, *told, **more)


@pytest.mark.parametrize(
    ("refusal", "everyone"),
    [
        (answer(b"", 420, x_esi_error_limit_remain="0", x_esi_error_limit_reset="40"), True),
        (
            answer(
                b"", 429, retry_after="300", x_ratelimit_group="status", x_ratelimit_limit="600/15m",
                x_ratelimit_remaining="0",
            ),
            False,
        ),
    ],
)  # fmt: skip
def test_T26_T27_a_refusal_is_heard_though_its_caller_is_cancelled(refusal: HttpResponse, everyone: bool) -> None:
    """Others learn of it: nothing leaves before the moment that ESI has named. What was reserved is settled once."""
    store = Slow()
    bench = Bench("asyncio", lambda _: refusal, ledger=store, cache=None, retry=False)

    async def story() -> None:
        task = asyncio.ensure_future(bench.engine.perform(STATUS))
        assert await asyncio.to_thread(store.asked.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        store.go.set()
        await bench.runtime.drain()

    asyncio.run(story())
    assert [0] * len(store.states()) == [state.reserved for state in store.states()]
    wait = store.reserve(ASK)
    assert isinstance(wait, Wait)
    assert (everyone, True) == (wait.everyone, wait.seconds > 30)
    bench.runtime.dismiss()
