"""A ledger that is far away: each verb takes its time to come there, and its answer to come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from esipy.stores.memory_ledger import MemoryLedger
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications


class Far(MemoryLedger):
    """A shared ledger."""

    remote = True

    def __bool__(self) -> bool:
        return True  # an empty one is one, too


def far_away(town: Town, monkeypatch: pytest.MonkeyPatch) -> Far:
    """A ledger in which things are in the order in which they come there, and heard of in another one. To look at it
    takes longest, as where threads have to wait for each other."""
    runtime, ledger = town.runtime, Far(town.runtime.now)

    def begin(work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        longest_seconds = 0.2 if work == ledger.wait_for else 0.002

        async def there_and_back() -> Any:
            await runtime.sleep(longest_seconds * runtime.random())
            result = work(*arguments)
            await runtime.sleep(longest_seconds * runtime.random())
            return result

        return runtime.spawn(there_and_back())

    monkeypatch.setattr(runtime, "begin", begin)
    return ledger


@pytest.mark.parametrize("seed", range(30))
def test_T22_many_at_once_use_a_small_bucket_to_the_last_whole_call(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty calls seven are answered, and the others fail: one that has just got leave is counted by the ledger, and
    not also as one that stands in line. ESI refuses none."""
    town = Town(settings={**PATIENT, "max_wait": 60}, latency=(0.001, 0.005), seed=seed)
    town.bench(HERO, ledger=far_away(town, monkeypatch))

    async def one() -> str:
        try:
            return str((await town.call(notifications(), HERO)).status)
        except Exception as error:
            return type(error).__name__

    async def story() -> Counter[str]:
        return Counter(await town.all([town.runtime.spawn(one()) for _ in range(50)]))

    assert {"200": 7, "RateLimitedError": 43} == town.run(story())
    assert {} == town.refusals
    assert town.passed < 60
