"""What receivers are called with, by version 1's names or fewer, and receivers that have to be awaited."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock, Mock, create_autospec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.events import AFTER_TOKEN_REFRESH, API_CALL_STATS, Signal
from tests.events_kit import TOKEN

STATS: dict[str, Any] = {
    "url": "https://esi.example/status", "status_code": 200, "elapsed_time": 0.1, "message": None,
    "operation_id": "GetStatus", "method": "GET", "principal": "ip", "attempt": 1,
}  # fmt: skip
NAMES = [
    "url",
    "status_code",
    "elapsed_time",
    "message",
    "operation_id",
    "method",
    "principal",
    "attempt",
    "later_added",
]


@given(
    named=st.lists(st.sampled_from(NAMES), unique=True),
    only_by_keyword=st.booleans(),
    takes_all=st.booleans(),
    sent=st.sets(st.sampled_from(NAMES)),
)
def test_a_receiver_gets_the_arguments_it_names(
    named: list[str], only_by_keyword: bool, takes_all: bool, sent: set[str]
) -> None:
    """Without ``**kwargs`` it gets what it names of what was sent; with, all; each sending method alike."""
    parameters = ["*"] * bool(only_by_keyword and named) + [f"{name}=None" for name in named] + ["**rest"] * takes_all
    namespace: dict[str, Any] = {}
    exec(f"def receiver({', '.join(parameters)}): note(locals())", namespace)
    got: list[dict[str, Any]] = []

    def note(locals_: dict[str, Any]) -> None:
        rest = locals_.pop("rest", {})
        got.append({name: value for name, value in {**locals_, **rest}.items() if value is not None})

    namespace["note"] = note
    signal: Signal[...] = Signal()
    signal.add_receiver(namespace["receiver"])
    signal.add_receiver(namespace["receiver"], deferred=True)
    payload = {name: f"{name}'s value" for name in sent}
    signal.send(**payload)
    signal.send_robust(**payload)
    run_at_once(signal.asend(**payload))
    run_at_once(signal.asend_robust(**payload))
    assert signal.flush(10)
    expected = {name: value for name, value in payload.items() if takes_all or name in named}
    assert [expected] * 8 == got


def run_at_once(coroutine: Any) -> None:
    """Drive a coroutine that has nothing to wait for."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_version_1s_hook_and_exact_ones_get_what_they_name() -> None:
    """The issue's hook runs as it stands; one with fewer names gets fewer; mocks keep to what they imitate."""
    got: list[Any] = []

    def after_token_refresh_hook(access_token, refresh_token, expires_in, **kwargs):  # type: ignore[no-untyped-def]
        got.append((access_token, refresh_token, expires_in, sorted(kwargs)))

    def exact(access_token: str, expires_in: int = 0) -> None:
        got.append((access_token, expires_in))

    free, imitation = Mock(), create_autospec(exact)
    receivers: list[Callable[..., object]] = [after_token_refresh_hook, exact, free, imitation]
    for receiver in receivers:
        AFTER_TOKEN_REFRESH.add_receiver(receiver)
    try:
        AFTER_TOKEN_REFRESH.send(**TOKEN, scope="extra")  # type: ignore[arg-type]
    finally:
        for receiver in receivers:
            AFTER_TOKEN_REFRESH.remove_receiver(receiver)
    access = TOKEN["access_token"]
    rest = ["previous_refresh_token", "scope", "token_identifier", "token_type"]
    assert [(access, TOKEN["refresh_token"], 1199, rest), (access, 1199)] == got
    free.assert_called_once_with(**TOKEN, scope="extra")
    imitation.assert_called_once_with(access_token=access, expires_in=1199)


def test_signals_are_sent_by_keyword_only() -> None:
    """A positional argument is a TypeError in each sending method; any keyword goes, even ``self``."""
    signal: Signal[...] = Signal("JOB_DONE")
    got: dict[str, Any] = {}
    signal.add_receiver(got.update)
    for send in (signal.send, signal.send_robust):
        with pytest.raises(TypeError, match="JOB_DONE is sent with keyword arguments only"):
            send(1)
    for asend in (signal.asend, signal.asend_robust):
        with pytest.raises(TypeError, match="JOB_DONE is sent with keyword arguments only"):
            asend(1).send(None)
    signal.send(self=1, args=2, call=3, names=4)
    assert {"self": 1, "args": 2, "call": 3, "names": 4} == got


class Awaited:
    """Coroutine functions of every kind."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def method(self, name: str) -> None:
        await asyncio.sleep(0)
        self.heard.append(name)

    async def __call__(self, name: str) -> None:
        await self.method(name + " by call")

    def kinds(self) -> list[Callable[..., object]]:
        async def function(name: str) -> None:
            await self.method(name + " by function")

        def wrapper(name: str) -> object:
            return function(name)

        return [function, self.method, functools.partial(function), self, wrapper, AsyncMock()]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", range(6), ids=["function", "method", "partial", "object", "wrapper", "AsyncMock"])
def test_coroutine_functions_need_someone_who_awaits(kind: int, caplog: pytest.LogCaptureFixture) -> None:
    """send() refuses them with the way out, send_robust() logs the same, asend() awaits them in order."""
    awaited, signal = Awaited(), Signal("JOB_DONE")
    signal.add_receiver(awaited.kinds()[kind])
    signal.add_receiver(lambda name: awaited.heard.append(name + " afterwards"))  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"receiver \S+ is a coroutine function.*use AsyncEsiClient.*plain function"):
        signal.send(name="x")
    assert [] == awaited.heard
    signal.send_robust(name="robust")
    assert ["robust afterwards"] == awaited.heard
    assert "is a coroutine function" in caplog.text
    awaited.heard.clear()
    asyncio.run(signal.asend(name="a"))
    asyncio.run(signal.asend_robust(name="b"))
    assert ["a afterwards", "b afterwards"] == [each for each in awaited.heard if "afterwards" in each]
    assert "afterwards" in awaited.heard[-1]
    assert (2 if kind == 5 else 4) == len(awaited.heard)


def test_a_task_that_a_receiver_starts_is_not_waited_for() -> None:
    """asend() awaits coroutines only: a plain receiver may start a task and leave it to itself."""

    async def main() -> list[str]:
        order, tasks, go = list[str](), list[asyncio.Task[None]](), asyncio.Event()

        async def work() -> None:
            await go.wait()
            order.append("task")

        def start() -> asyncio.Task[None]:
            tasks.append(asyncio.create_task(work()))
            return tasks[0]

        signal = Signal()
        signal.add_receiver(start)
        await signal.asend()
        order.append("sent")
        go.set()
        await tasks[0]
        return order

    assert ["sent", "task"] == asyncio.run(main())


def test_the_librarys_signals_can_be_sent_whole() -> None:
    """API_CALL_STATS with all its arguments reaches a receiver that names them all."""
    got: list[Any] = []

    def exact(
        url: str, status_code: int, elapsed_time: float, message: str | None, operation_id: str | None,
        method: str, principal: str, attempt: int,
    ) -> None:  # fmt: skip
        got.append([url, status_code, elapsed_time, message, operation_id, method, principal, attempt])

    API_CALL_STATS.event_receivers.append(exact)
    try:
        API_CALL_STATS.send_robust(**STATS)
    finally:
        API_CALL_STATS.event_receivers.remove(exact)
    assert [list(STATS.values())] == got
