"""What is kept stands in while ESI is down; and what ESI gives no lifetime may be held for a while."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.core.wire import HttpResponse
from esipy.engine.terms import Terms
from esipy.events import STALE_SERVED
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    BrokenAnswerError,
    ConnectError,
    DowntimeError,
    NetworkError,
    RateLimitedError,
)
from esipy.settings import Settings
from tests.engine.kit import COLOURS, ORDERS, STATUS, WALLET, Bench, Login, Script, answer

URL = "http://127.0.0.1"
DAY = 86400.0
KEPT = {"cache_control": "max-age=300", "etag": '"a"'}

LOCATION = ops.location.get_characters_character_id_location(character_id=91)
REGION = ops.universe.get_universe_regions_region_id(region_id=10000002)
EVENTFUL = next(one for one in ops.operations() if one.cache_mode == "event-based" and not one.parameters)
REGION_BODY = {"constellations": [], "name": "The Forge", "region_id": 10000002}


def after(bench: Bench, *steps: tuple[float, Any], **options: Any) -> list[Any]:
    """What a call is answered, after each of these pauses; errors are given, not raised."""

    async def story() -> list[Any]:
        found: list[Any] = []
        for pause, call in steps:
            await bench.runtime.sleep(pause)
            try:
                found.append(await bench.engine.perform(call, **options))
            except Exception as error:
                found.append(error)
        return found

    return bench.run(story())


DOWN: list[HttpResponse | Exception] = [
    *(answer(b"<html>", status) for status in (502, 503, 504)),
    AnswerTimeoutError(URL, "timed out"),
    BrokenAnswerError(URL, "reset"),
    ConnectError(URL, "refused"),
]
NOT_DOWN: list[HttpResponse | Exception] = [
    *(answer({"error": "x"}, status) for status in (400, 401, 403, 404, 420, 422, 500, 501)),
    AnswerTooLargeError(URL, "too large"),
]


def shown(outcome: object) -> str:
    """A name for a test."""
    return str(outcome.status) if isinstance(outcome, HttpResponse) else type(outcome).__name__


@pytest.mark.parametrize("outcome", DOWN, ids=shown)
def test_what_is_kept_stands_in_while_esi_is_down(outcome: HttpResponse | Exception) -> None:
    """For a day beyond its freshness: the data, the good status, and how old they are."""
    bench = Bench("simulated", Script(answer([], x_pages="3", **KEPT), outcome), retry=False)
    first, late, too_late = after(bench, (0, ORDERS), (300 + DAY - 1, ORDERS), (2, ORDERS))
    assert ("network", 200, []) == (first.source, first.status, first.data)
    assert ("stale", 200, [], 3) == (late.source, late.status, late.data, late.pages)
    assert late.age_seconds == pytest.approx(300 + DAY - 1, abs=0.2)
    late.raise_for_status()
    if isinstance(outcome, HttpResponse):
        assert (outcome.status, "network") == (too_late.status, too_late.source)
    else:
        assert isinstance(too_late, type(outcome))


@pytest.mark.parametrize("outcome", NOT_DOWN, ids=shown)
def test_an_error_that_is_no_outage_is_the_answer(outcome: HttpResponse | Exception) -> None:
    """Never for a 4xx, nor where ESI itself failed: what is kept may be why."""
    bench = Bench("simulated", Script(answer([], **KEPT), outcome), retry=False)
    _, late = after(bench, (0, ORDERS), (301, ORDERS))
    if isinstance(outcome, HttpResponse):
        assert (outcome.status, "network") == (late.status, late.source)
    else:
        assert isinstance(late, AnswerTooLargeError)


@pytest.mark.parametrize(("allowed", "source"), [(0, None), (60, "stale"), (58, None)])
def test_the_time_is_a_setting(allowed: float, source: str | None) -> None:
    """Seconds beyond freshness; 0 never gives what is stale."""
    bench = Bench("simulated", Script(answer([], **KEPT), BrokenAnswerError(URL, "reset")), retry=False,
                  settings={"stale_if_error": allowed})  # fmt: skip
    _, late = after(bench, (0, ORDERS), (359, ORDERS))
    assert source == getattr(late, "source", None)
    assert isinstance(late, NetworkError) == (source is None)


def test_what_passes_is_retried_first() -> None:
    """Only when the rule gives up; then ESI is asked again at the next call, and its answer ends it."""
    script = Script(answer([], **KEPT), *[answer(b"", 503)] * 4, answer(b"", 304))
    bench = Bench("simulated", script)
    sources = [one.source for one in after(bench, (0, ORDERS), (301, ORDERS), (0, ORDERS))]
    assert ["network", "stale", "revalidated"] == sources
    assert len(script.requests) == 6


def test_in_the_downtime_nothing_is_sent_and_what_is_kept_is_given() -> None:
    """Who would fail in the downtime gets what is kept; without anything kept it fails."""
    script = Script(answer([], **KEPT))
    bench = Bench("simulated", script)
    failing = Terms.of(Settings(), downtime="fail")

    async def story() -> list[Any]:
        await bench.engine.perform(ORDERS)
        script.answers = [answer(b"<html>", 503)]
        eleven = 86400 * (bench.runtime.now() // 86400 + 1) + 11 * 3600 + 60
        await bench.runtime.sleep(eleven - bench.runtime.now())
        kept = await bench.engine.perform(ORDERS, terms=failing)
        with pytest.raises(DowntimeError):
            await bench.engine.perform(ORDERS.replace(page=2), terms=failing)
        return [kept.source, kept.status]

    assert ["stale", 200] == bench.run(story())


def test_a_limit_is_no_outage() -> None:
    """Who would have to wait too long is told when to come back."""
    bench = Bench("simulated", Script(answer(**KEPT)))
    ask = bench.engine.ledger.ask_for(STATUS.operation, "ip", bench.engine.terms, bench.runtime.now)

    async def story() -> None:
        await bench.engine.perform(STATUS)
        await bench.runtime.sleep(301)
        bench.engine.ledger.store.block(ask.bucket, 100.0)
        await bench.engine.perform(STATUS, terms=Terms.of(Settings(), policy="fail"))

    with pytest.raises(RateLimitedError):
        bench.run(story())


def test_T02_what_a_write_has_changed_does_not_stand_in() -> None:
    """The write dropped it; what is out of date by the user's own doing is no stand-in."""
    read = ops.contacts.get_characters_character_id_contacts(character_id=91, page=1)
    write = ops.contacts.delete_characters_character_id_contacts(character_id=91, contact_ids=[1])
    script = Script(answer([], **KEPT), answer(b"", 204), answer(b"", 503))
    bench = Bench("simulated", script, retry=False, signer=Login())
    assert [200, 204, 503] == [one.status for one in after(bench, (0, read), (0, write), (0, read))]


def test_T03_a_stand_in_is_the_askers_own() -> None:
    """When another login was put in under way, the kept answer of the first is given to nobody."""

    class Swapped(Login):
        def principal_of(self, access_token: str) -> str:
            return "app:92" if len(self.asked) > 1 else "app:91"

    bench = Bench("simulated", Script(answer(5.0, **KEPT), answer(b"", 503)), retry=False, signer=Swapped())
    assert [200, 503] == [one.status for one in after(bench, (0, WALLET), (301, WALLET))]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_signal_tells_that_something_old_was_given(colour: str) -> None:
    """Which call, how old, and why; once for each."""
    script = Script(
        answer([], cache_control="max-age=0", etag='"a"'), answer(b"", 503), BrokenAnswerError(URL, "reset")
    )
    bench = Bench(colour, script, retry=False)
    told: list[Any] = []

    def receive(**payload: Any) -> None:
        told.append((payload["operation_id"], payload["status_code"], payload["message"]))
        assert 0 <= payload["age_seconds"] < 5
        assert payload["url"].endswith("&page=1")

    with STALE_SERVED.connected_to(receive):
        for _ in range(3):
            bench.perform(ORDERS)
    assert [
        ("GetMarketsRegionIdOrders", 503, "ESI answered 503"),
        ("GetMarketsRegionIdOrders", 0, f"reset ({URL})"),
    ] == told
    assert (2, 1) == (bench.engine.tally.stale, bench.engine.tally.misses)


def test_the_age_counts_from_when_esi_made_or_confirmed_it() -> None:
    """Its ``Age`` when it came, and the time since; a 304 begins anew."""
    script = Script(answer([], age="40", **KEPT), answer(b"", 304, cache_control="max-age=10"))
    bench = Bench("simulated", script)
    ages = [one.age_seconds for one in after(bench, (0, ORDERS), (100, ORDERS), (161, ORDERS), (9, ORDERS))]
    assert pytest.approx([40, 140, 0, 9], abs=0.2) == ages


# ---- the floor ----


def test_without_a_lifetime_it_is_revalidated_each_time() -> None:
    """The validator is kept, and sent."""
    script = Script(answer(REGION_BODY, etag='"a"'), answer(b"", 304))
    bench = Bench("simulated", script)
    assert ["network", "revalidated"] == [one.source for one in after(bench, (0, REGION), (0, REGION))]
    assert script.header(1, "If-None-Match") == '"a"'


@pytest.mark.parametrize("validator", [{"etag": '"a"'}, {}])
def test_within_the_floor_the_kept_answer_is_given(validator: dict[str, str]) -> None:
    """For so long after it came or was confirmed, with or without a validator."""
    script = Script(answer(REGION_BODY, **validator))
    if validator:
        script.answers.append(answer(b"", 304))
    bench = Bench("simulated", script, settings={"freshness_floor": 60})
    found = after(bench, (0, REGION), (59, REGION), (2, REGION), (59, REGION))
    second = "revalidated" if validator else "network"
    assert ["network", "cache", second, "cache"] == [one.source for one in found]
    assert found[1].age_seconds == pytest.approx(59, abs=0.2)


def test_the_floor_is_for_event_based_operations_too() -> None:
    """Their answers may change at any time, whatever lifetime they tell."""
    script = Script(answer([], cache_control="max-age=5", etag='"a"'), answer(b"", 304, cache_control="max-age=5"))
    bench = Bench("simulated", script, settings={"freshness_floor": 60}, signer=Login())
    assert ["network", "cache", "revalidated"] == [
        one.source for one in after(bench, (0, EVENTFUL()), (58, EVENTFUL()), (3, EVENTFUL()))
    ]


def test_the_floor_lengthens_no_lifetime() -> None:
    """Where ESI says how long an answer is fresh, that counts; so does ``no-store``."""
    bench = Bench("simulated", Script(answer([], **KEPT)), settings={"freshness_floor": 1000})
    assert ["network", "cache", "network"] == [
        one.source for one in after(bench, (0, ORDERS), (299, ORDERS), (2, ORDERS))
    ]
    bench = Bench("simulated", Script(answer(REGION_BODY, cache_control="no-store")), settings={"freshness_floor": 60})
    assert ["network", "network"] == [one.source for one in after(bench, (0, REGION), (0, REGION))]
