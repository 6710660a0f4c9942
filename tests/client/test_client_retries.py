"""Retries as a program sees them: rules, errors with a moment, and the signal, through both clients."""

from __future__ import annotations

import time
from typing import Any

import pytest

from esipy import ops
from esipy.core.moments import as_seconds
from esipy.events import API_CALL_STATS, RETRY_SCHEDULED, Signal
from esipy.exceptions import ServerError, SettingError
from esipy.retries import Failure, at_most, transient_statuses
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from tests.client.colours import Connect

STATUS = ops.status.get_status()
AT_ONCE = at_most(3, transient_statuses())


def test_a_rule_of_ones_own_is_given_to_the_client(connect: Connect, box: RunningSandbox) -> None:
    """A 500 is final for the library, and is tried again where the program says so."""
    box.fail("/status", 2, status=500)
    assert connect().request(STATUS).status == 500
    client = connect(retry_requests=lambda failure: 0.0 if failure.outcome == 500 else None)
    assert client.request(STATUS).status == 200


def test_a_rule_hears_head_as_the_method(connect: Connect, box: RunningSandbox) -> None:
    """``client.head`` asks with HEAD, which may be repeated like the GET it stands for."""
    seen: list[Failure] = []

    def rule(failure: Failure) -> float | None:
        seen.append(failure)
        return 0.0

    box.fail("/status", 1, status=503)
    assert connect(retry_requests=rule).head(STATUS).status == 200
    assert [("HEAD", "GET", 503)] == [(each.method, each.call.operation.method, each.outcome) for each in seen]


def test_a_rule_that_raises_ends_the_call_with_its_own_error(connect: Connect, box: RunningSandbox) -> None:
    """A rule is part of the program: its mistake is shown, not swallowed."""

    def rule(failure: Failure) -> float | None:
        raise LookupError("no such plan")

    box.fail("/status", 1, status=503)
    with pytest.raises(LookupError, match="no such plan"):
        connect(retry_requests=rule).request(STATUS)


def test_what_is_no_rule_is_refused_when_the_client_is_made(connect: Connect) -> None:
    """Before anything is sent."""
    with pytest.raises(SettingError, match="retry_requests='often': has to be None, True, False or a rule"):
        connect(retry_requests="often")


@pytest.mark.parametrize("retry", [None, False])
def test_a_503_says_when_to_come_back(connect: Connect, box: RunningSandbox, retry: bool | None) -> None:
    """``Retry-After`` beyond ``max_wait`` is the error's ``retry_at``; nothing waits, nothing is sent again."""
    box.fail("/status", None, status=503, headers={"Retry-After": "900"})
    stats: Signal[Any] = Signal()
    client = connect(retry_requests=retry, signal_api_call_stats=stats)
    with SignalRecorder(stats) as told, pytest.raises(ServerError) as raised:
        client.fetch(STATUS)
    assert told.values("attempt") == [1]
    assert as_seconds(raised.value.retry_at) == pytest.approx(time.time() + 900, abs=60)


def test_retries_are_announced_to_coroutines_too(connect: Connect, box: RunningSandbox) -> None:
    """RETRY_SCHEDULED between the exchanges that it lies between; where the client awaits, a coroutine may hear it."""
    box.fail("/status", 2, status=502)
    client = connect(retry_requests=AT_ONCE)
    story: list[tuple[str, int]] = []

    def note(attempt: int, **_: Any) -> None:
        story.append(("again", attempt))

    async def note_later(attempt: int, **_: Any) -> None:
        story.append(("again", attempt))

    def exchanged(attempt: int, **_: Any) -> None:
        story.append(("exchange", attempt))

    with (
        RETRY_SCHEDULED.connected_to(note_later if client.name == "asyncio" else note),
        API_CALL_STATS.connected_to(exchanged),
    ):
        assert client.request(STATUS).status == 200
    assert story == [("exchange", 1), ("again", 1), ("exchange", 2), ("again", 2), ("exchange", 3)]


def test_the_quota_is_of_the_whole_client(connect: Connect, box: RunningSandbox) -> None:
    """Two hundred calls at once to a server that is down: fifty retries together; another client has its own."""
    box.fail("/status", None, status=503)
    stats: Signal[Any] = Signal()
    for _ in range(2):
        client = connect(retry_requests=AT_ONCE, cache=None, signal_api_call_stats=stats)
        with SignalRecorder(stats) as told:
            answers = client.multi_request([STATUS] * 200, threads=20)
        assert {503} == {response.status for _, response in answers}
        assert len(told.payloads) == 250
