"""What passes is tried again, where that is safe."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from esipy import ops
from esipy.core.answer import Answer
from esipy.core.moments import as_seconds
from esipy.core.wire import Headers
from esipy.engine.exchange import Exchange
from esipy.engine.retrying import retrying
from esipy.events import RETRY_SCHEDULED
from esipy.exceptions import AnswerTooLargeError, BrokenAnswerError, ConnectError, NetworkError, ServerError
from esipy.retries import Failure, at_most, either, limited, transient_statuses
from esipy.testing import SignalRecorder
from tests.engine.kit import COLOURS, ITEM, STATUS, WALLET, Bench, Login, Script, answer

WRITES = [
    ops.fittings.post_characters_character_id_fittings(
        character_id=91, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
    ),
    ops.calendar.put_characters_character_id_calendar_event_id(
        character_id=91, event_id=5, body={"response": "accepted"}
    ),
    ops.fittings.delete_characters_character_id_fittings_fitting_id(character_id=91, fitting_id=5),
]
BROKEN = BrokenAnswerError("http://x", "reset")
REFUSED = ConnectError("http://x", "refused")


def tries(script: Script, call: Any = STATUS, **options: Any) -> int:
    """How many requests a call makes."""
    bench = Bench("simulated", script, signer=Login(), **options)
    try:
        bench.perform(call)
    except NetworkError:
        pass
    return len(script.requests)


@pytest.mark.parametrize("outcome", [answer(b"<html>", status) for status in (502, 503, 504, 520)] + [BROKEN, REFUSED])
def test_T32_what_passes_is_tried_again_for_a_get(outcome: Any) -> None:
    """The default: up to three retries after the first attempt, then the outcome stands."""
    assert tries(Script(outcome)) == 4
    assert tries(Script(outcome, outcome, answer())) == 3


@pytest.mark.parametrize("call", WRITES)
def test_T32_a_write_is_repeated_only_when_nothing_was_sent(call: Any) -> None:
    """A refused connection is tried again; a 502 or a broken answer never, for it may have been done."""
    assert tries(Script(REFUSED), call) == 4
    assert tries(Script(BROKEN), call) == 1
    assert tries(Script(answer(b"", 502)), call) == 1
    assert tries(Script(answer(b"", 502)), call, retry=True) == 1


def test_retry_requests_false_never_repeats() -> None:
    """Not even a refused connection."""
    assert tries(Script(REFUSED), retry=False) == 1
    assert tries(Script(answer(b"", 503)), retry=False) == 1


def test_retry_requests_true_tries_five_times_after_any_5xx() -> None:
    """As version 1: 500 is retried too."""
    assert tries(Script(answer({"error": "x"}, 500)), retry=True) == 5
    assert tries(Script(answer({"error": "x"}, 500))) == 1


@pytest.mark.parametrize("outcome", [answer({"error": "x"}, 404), AnswerTooLargeError("http://x", "too large")])
def test_what_would_be_the_same_again_is_not_repeated(outcome: Any) -> None:
    """A 404, or a body over the limit, is final."""
    assert tries(Script(outcome)) == 1


def test_each_attempt_is_announced_with_its_number() -> None:
    """API_CALL_STATS tells every exchange, also the broken ones: attempts 1, 2, 3."""
    seen: list[tuple[int, int]] = []
    bench = Bench("simulated", Script(answer(b"", 503), BROKEN, answer()))
    bench.stats.add_receiver(lambda status_code, attempt, **_: seen.append((status_code, attempt)))
    bench.perform(STATUS)
    assert seen == [(503, 1), (500, 2), (200, 3)]


def test_retry_after_of_a_503_is_a_floor() -> None:
    """The next attempt leaves no earlier than the server asked."""
    times: list[float] = []

    def serve(_: Any) -> Any:
        times.append(bench.runtime.now())
        return answer(b"", 503, retry_after="7") if len(times) == 1 else answer()

    bench = Bench("simulated", serve)
    assert bench.perform(STATUS).status == 200
    assert times[1] - times[0] >= 7.0


@pytest.mark.parametrize("colour", COLOURS)
def test_a_retry_after_beyond_max_wait_gives_the_answer_at_once(colour: str) -> None:
    """Nobody waits an hour without having said so; the error carries the moment."""
    script = Script(answer(b"", 503, retry_after="3600"))
    bench = Bench(colour, script)
    before = bench.runtime.now()
    response = bench.perform(STATUS)
    assert len(script.requests) == 1
    with pytest.raises(ServerError) as raised:
        response.raise_for_status()
    assert as_seconds(raised.value.retry_at) == pytest.approx(before + 3600, abs=5)


@pytest.mark.parametrize(("headers", "seconds"), [({"retry_after": "30"}, 30.0), ({}, None)])
def test_an_answer_that_is_final_says_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    """A write is not repeated after a 503, but its error has the moment; without the header it is None."""
    bench = Bench("simulated", Script(answer(b"", 503, **headers)), signer=Login())
    response = bench.perform(WRITES[0])
    with pytest.raises(ServerError) as raised:
        response.raise_for_status()
    expected = None if seconds is None else pytest.approx(bench.runtime.now() + seconds, abs=1)
    assert expected == as_seconds(raised.value.retry_at)


def test_pauses_grow_and_differ() -> None:
    """Full jitter: the pauses are random parts of 0.5, 1 and 2 s."""
    times: list[float] = []

    def serve(_: Any) -> Any:
        times.append(bench.runtime.now())
        return answer(b"", 502)

    bench = Bench("simulated", serve)
    bench.perform(STATUS)
    pauses = [b - a - 0.05 for a, b in pairwise(times)]
    assert len(set(pauses)) == 3
    assert all(0 <= pause <= bound + 1e-6 for pause, bound in zip(pauses, (0.5, 1.0, 2.0), strict=True))


def of(recorder: SignalRecorder, *names: str) -> list[tuple[Any, ...]]:
    """What a signal said, without the rest."""
    return [tuple(payload[name] for name in names) for payload in recorder.payloads]


@pytest.mark.parametrize("colour", COLOURS)
def test_each_retry_is_announced_before_its_pause(colour: str) -> None:
    """RETRY_SCHEDULED tells the attempt that failed, why, and the pause; the last outcome is told by none."""
    story: list[str] = []
    rule = at_most(2, lambda _: 0.001)
    bench = Bench(colour, Script(answer({"error": "busy"}, 503), BROKEN), retry=rule)
    bench.stats.add_receiver(lambda status_code, **_: story.append(f"exchange {status_code}"))
    with (
        RETRY_SCHEDULED.connected_to(lambda attempt, **_: story.append(f"retry after {attempt}")),
        SignalRecorder(RETRY_SCHEDULED) as told,
        pytest.raises(BrokenAnswerError),
    ):
        bench.perform(STATUS)
    assert story == ["exchange 503", "retry after 1", "exchange 500", "retry after 2", "exchange 500"]
    assert of(told, "operation_id", "attempt", "status_code", "wait_seconds", "message") == [
        ("GetStatus", 1, 503, 0.001, "503: {'error': 'busy'}"),
        ("GetStatus", 2, 0, 0.001, str(BROKEN)),
    ]
    assert set(told.values("url")) == {"https://esi.evetech.net/status"}


def test_T44_what_a_retry_announces_holds_no_token() -> None:
    """Should ESI repeat the token in the body of a 503, neither signal nor log do."""
    body = {"error": "bad token-1"}
    bench = Bench("simulated", Script(answer(body, 503), answer(5.0)), signer=Login())
    with SignalRecorder(RETRY_SCHEDULED) as told:
        bench.perform(WALLET)
    assert told.values("message") == ["503: {'error': 'bad [token]'}"]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_rule_of_ones_own_decides(colour: str) -> None:
    """It is given the call, the method, the outcome and the attempt; its pause is waited, its None is final."""
    seen: list[Failure] = []

    def rule(failure: Failure) -> float | None:
        seen.append(failure)
        return 0.0 if failure.attempt < 3 else None

    script = Script(answer({"error": "x"}, 404), REFUSED, answer(b"", 500, retry_after="0"))
    assert Bench(colour, script, retry=rule).perform(STATUS).status == 500
    assert [(failure.call, failure.method, failure.outcome, failure.attempt) for failure in seen] == [
        (STATUS, "GET", 404, 1),
        (STATUS, "GET", REFUSED, 2),
        (STATUS, "GET", 500, 3),
    ]
    assert [None, None, 0.0] == [failure.asked_seconds for failure in seen]
    assert len({failure.random for failure in seen}) == 3
    assert all(0 <= failure.random < 1 for failure in seen)


def test_T32_no_rule_of_ones_own_repeats_a_write() -> None:
    """It is not even asked: a mail is not sent twice."""
    for call in WRITES:
        assert tries(Script(answer(b"", 502)), call, retry=lambda _: 0.0) == 1


AT_ONCE = at_most(3, either(limited(), transient_statuses()))
"""As the default, without its pauses, so that real runtimes need not wait."""


def many(bench: Bench, calls: int) -> list[int]:
    """The statuses of so many calls, twenty at a time."""
    responses = bench.run(bench.engine.runtime.gather(bench.engine.perform, [STATUS] * calls, 20))
    return [response.status for response in responses]


@pytest.mark.parametrize("colour", COLOURS)
def test_an_outage_does_not_multiply_traffic(colour: str) -> None:
    """10,000 calls that fail make 10,050 exchanges; when ESI is back, each ten good answers bring one retry back."""
    script = Script(answer(b"<html>", 502))
    bench = Bench(colour, script, retry=AT_ONCE, cache=None)
    assert many(bench, 10_000) == [502] * 10_000
    assert len(script.requests) == 10_050
    script.answers = [answer()]
    assert many(bench, 100) == [200] * 100
    script.answers = [answer(b"<html>", 502)]
    assert many(bench, 100) == [502] * 100
    assert len(script.requests) == 10_050 + 100 + 110


def test_the_quota_is_never_above_its_start() -> None:
    """However many answers are good: an outage after a good week draws 50 retries."""
    script = Script(answer())
    bench = Bench("simulated", script, retry=AT_ONCE, cache=None)
    many(bench, 2_000)
    script.answers = [answer(b"", 503)]
    many(bench, 100)
    assert len(script.requests) == 2_000 + 150


def test_only_good_answers_refill_the_quota() -> None:
    """200 and 304 do; a 404 comes from a program that asks for nothing, and earns nothing."""
    script = Script(answer(b"", 503), answer({"error": "x"}, 404), answer(), answer(b"", 304))
    bench = Bench("simulated", script, cache=None)
    left = []
    for _ in range(3):
        bench.perform(STATUS)
        left.append(bench.engine.retry_quota.left)
    assert left == [49.0, 49.1, 49.2]


def test_an_empty_quota_gives_the_outcome_as_it_is() -> None:
    """An answer with its status, an error in place of one that did not come: no other error hides them."""
    script = Script(BROKEN)
    bench = Bench("simulated", script)
    for _ in range(20):
        with pytest.raises(BrokenAnswerError):
            bench.perform(STATUS)
    assert len(script.requests) == 70
    script.answers = [answer(b"", 503)]
    assert bench.perform(STATUS).status == 503


def test_waiting_for_a_limit_costs_no_quota() -> None:
    """A hundred 429s are waited for one after the other, all on the limit's account; the 503 is on the quota's."""
    bench = Bench("simulated", lambda _: next(answers), cache=None)
    answers = iter([*[answer(b"", 429, retry_after="1"), answer()] * 100, answer(b"", 503), answer()])
    assert [bench.perform(STATUS).status for _ in range(100)] == [200] * 100
    assert bench.engine.retry_quota.left == 50
    assert bench.perform(STATUS).status == 200
    assert bench.engine.retry_quota.left == 49.1


@pytest.mark.parametrize(("asked_seconds", "attempts"), [(20, 4), (900, 1)])
def test_who_sends_in_any_case_does_not_repeat_at_once_what_a_limit_refused(asked_seconds: int, attempts: int) -> None:
    """By the policy ``off`` nothing holds a retry back: it waits for what was asked, and is on the quota's account."""
    headers = {"x_ratelimit_group": "status", "x_ratelimit_limit": "600/15m", "x_ratelimit_remaining": "1"}
    script = Script(answer({"error": "x"}, 429, retry_after=str(asked_seconds), **headers))
    bench = Bench("simulated", script, cache=None, settings={"policy": "off"})
    began = bench.runtime.now()
    assert 429 == bench.perform(STATUS).status
    passed = bench.runtime.now() - began
    assert (attempts, 51 - attempts) == (len(script.requests), bench.engine.retry_quota.left)
    assert (attempts - 1) * asked_seconds <= passed < (attempts - 1) * (asked_seconds + 1) + 1


@pytest.mark.parametrize(("place", "attempts"), [(0, 2), (1, 1), (2, 1)])
def test_a_520_of_a_limit_is_waited_for_by_the_limit(place: int, attempts: int) -> None:
    """An answer with ``retry_at`` is a refusal: again for a GET, without pause or quota; never for a write (T32)."""
    call = [STATUS, *WRITES][place]
    bench = Bench("simulated", Script(), signer=Login())
    exchange = Exchange(bench.engine, call, call.operation.method)
    seen: list[float] = []

    async def refused_once(_: Exchange) -> Answer:
        seen.append(bench.runtime.now())
        refused = Answer(520, Headers([("Retry-After", "99")]), b'{"error": "ConStopSpamming"}')
        refused.retry_at = bench.runtime.now() + 20
        return refused if len(seen) == 1 else Answer(200, Headers(), b"{}")

    answered = bench.run(retrying(refused_once, exchange))
    assert [seen[0]] * attempts == seen
    assert (200 if attempts == 2 else 520) == answered.status
    assert (None if attempts == 2 else seen[0] + 20) == answered.retry_at
    assert bench.engine.retry_quota.left == 50
