"""Nothing is sent while ESI has said to wait."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.core.moments import as_seconds
from esipy.exceptions import ErrorLimitedError, RateLimitedError
from tests.engine.kit import ORDERS, STATUS, WALLET, Bench, Login, Script, answer


class Clocked(Script):
    """A script that notes when each request arrived."""

    bench: Bench

    def __init__(self, *answers: Any) -> None:
        super().__init__(*answers)
        self.times: list[float] = []

    def __call__(self, request: Any) -> Any:
        self.times.append(self.bench.runtime.now())
        return super().__call__(request)


def bench_over(script: Clocked, **options: Any) -> Bench:
    script.bench = Bench("simulated", script, **options)
    return script.bench


def second_bench(first: Bench, **options: Any) -> Bench:
    """Another client of the same process."""
    other = Bench("simulated", Script(), retry=False, ledger=first.engine.ledger.store, **options)
    other.runtime = other.engine.runtime = first.runtime
    other.engine.ledger = first.engine.ledger
    return other


def test_a_429_is_waited_out_and_sent_again() -> None:
    """``Retry-After`` in seconds is obeyed, and the call succeeds."""
    script = Clocked(answer({"error": "slow"}, 429, retry_after="30"), answer([]))
    assert bench_over(script).perform(ORDERS).status == 200
    assert script.times[1] - script.times[0] >= 30


def test_a_429_with_a_date_is_measured_by_the_servers_clock() -> None:
    """``Retry-After`` as a date, an hour off the local clock: still 30 s."""
    headers = {"retry_after": "Tue, 04 Aug 2026 15:00:30 GMT", "date": "Tue, 04 Aug 2026 15:00:00 GMT"}
    script = Clocked(answer(b"", 429, **headers), answer([]))
    assert bench_over(script).perform(ORDERS).status == 200
    assert 30 <= script.times[1] - script.times[0] < 31


def test_a_429_stops_its_bucket_only() -> None:
    """Another group goes on at once; the next call of the same group waits without being sent."""
    script = Clocked(answer(b"", 429, retry_after="60"), answer(), answer([]))
    bench = bench_over(script, retry=False)

    async def story() -> None:
        await bench.engine.perform(ORDERS)
        await bench.engine.perform(STATUS)
        await bench.engine.perform(ORDERS.replace(page=2))

    bench.run(story())
    assert script.times[1] - script.times[0] < 1
    assert script.times[2] - script.times[0] >= 60


def test_T26_a_429_of_one_character_does_not_stop_another() -> None:
    """Buckets are counted by principal: A's wait is A's."""
    refused = answer(
        b"", 429, retry_after="60", x_ratelimit_group="char-wallet", x_ratelimit_limit="150/15m",
        x_ratelimit_remaining="150",
    )  # fmt: skip
    script = Clocked(refused, answer(1.0), answer(2.0))
    bench = bench_over(script, retry=False, signer=Login(91))
    other = second_bench(bench, signer=Login(92))

    async def story() -> None:
        await bench.engine.perform(WALLET)
        await other.engine.perform(WALLET.replace(character_id=92))
        await bench.engine.perform(WALLET)

    bench.run(story())
    assert script.times[1] - script.times[0] < 1
    assert script.times[2] - script.times[0] >= 60


def test_a_420_stops_everyone_until_the_window_ends() -> None:
    """A call of another group waits for ``X-ESI-Error-Limit-Reset``."""
    script = Clocked(answer(b"", 420, x_esi_error_limit_reset="45"), answer())
    bench = bench_over(script, retry=False)

    async def story() -> None:
        await bench.engine.perform(ORDERS)
        await bench.engine.perform(STATUS)

    bench.run(story())
    assert script.times[1] - script.times[0] >= 45


def test_T27_the_later_end_of_two_waits_wins() -> None:
    """Two 429s of calls that were under way together: the bucket opens when both waits are over."""
    script = Clocked(answer(b"", 429, retry_after="40"), answer(b"", 429, retry_after="10"), answer([]))
    bench = bench_over(script, retry=False)

    async def story() -> None:
        flights = [bench.runtime.spawn(bench.engine.perform(ORDERS.replace(page=page))) for page in (1, 2)]
        for flight in flights:
            await bench.runtime.join(flight)
        await bench.engine.perform(ORDERS.replace(page=3))

    bench.run(story())
    assert script.times[2] - script.times[0] >= 40


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimitedError), (420, ErrorLimitedError)])
def test_a_wait_beyond_patience_fails_at_once_with_the_moment(status: int, kind: type) -> None:
    """The error carries ``retry_at``; nothing is sent meanwhile."""
    script = Clocked(answer(b"", status, retry_after="1000"))
    bench = bench_over(script)
    first = bench.perform(ORDERS)
    assert first.status == status
    with pytest.raises(kind) as raised:
        bench.perform(ORDERS)
    assert as_seconds(raised.value.retry_at) == pytest.approx(script.times[0] + 1000, abs=2)
    assert len(script.requests) == 1
    with pytest.raises(kind) as again:
        first.raise_for_status()
    assert as_seconds(again.value.retry_at) == pytest.approx(script.times[0] + 1000, abs=2)


def test_a_hit_is_given_even_while_limited() -> None:
    """The cache stands before the limit: a kept answer needs no token of any bucket."""
    script = Clocked(answer([], cache_control="max-age=300"), answer(b"", 420, retry_after="600"))
    bench = bench_over(script, retry=False)
    bench.perform(ORDERS)
    bench.perform(ORDERS.replace(page=2))
    assert bench.perform(ORDERS).source == "cache"


def test_T26_a_420_stops_the_other_clients_of_the_process_too() -> None:
    """ESI counts errors by address: what one client caused, all clients wait for."""
    script = Clocked(answer(b"", 420, retry_after="45"), answer())
    first = bench_over(script, retry=False)
    other = second_bench(first)

    async def story() -> None:
        await first.engine.perform(ORDERS)
        await other.engine.perform(STATUS)

    first.run(story())
    assert script.times[1] - script.times[0] >= 45


def test_clients_of_a_process_share_their_ledger() -> None:
    """Both colours, for one address; another address has its own, and a simulation too."""
    one, two = Bench("blocking", Script()), Bench("asyncio", Script())
    far = Bench("blocking", Script(), settings={"base_url": "http://127.0.0.1:9"})
    assert one.engine.ledger is two.engine.ledger
    assert one.engine.ledger is not far.engine.ledger
    assert Bench("simulated", Script()).engine.ledger.store is not one.engine.ledger.store


def test_an_end_that_is_no_number_blocks_for_a_minute() -> None:
    """A reset of four hundred digits does not stop everyone for ever."""
    script = Clocked(answer(b"", 420, x_esi_error_limit_reset="9" * 400), answer())
    bench = bench_over(script, retry=False)

    async def story() -> None:
        assert 420 == (await bench.engine.perform(ORDERS)).status
        await bench.engine.perform(ORDERS)

    bench.run(story())
    assert 60 <= script.times[1] - script.times[0] < 62
