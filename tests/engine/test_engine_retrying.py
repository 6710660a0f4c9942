"""What passes is tried again, where that is safe."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from esipy import ops
from esipy.exceptions import AnswerTooLargeError, BrokenAnswerError, ConnectError, NetworkError
from tests.engine.kit import ITEM, STATUS, Bench, Login, Script, answer

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


def test_a_retry_after_beyond_max_wait_gives_the_answer_at_once() -> None:
    """Nobody waits an hour without having said so."""
    script = Script(answer(b"", 503, retry_after="3600"))
    assert tries(script) == 1


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
