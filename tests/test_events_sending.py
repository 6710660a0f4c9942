"""Telling: order, the exceptions of receivers, and what is logged of them."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from esipy.events import AFTER_TOKEN_REFRESH, Signal
from tests.events_kit import TOKEN


@pytest.fixture
def failing() -> Signal[...]:
    """A signal with three receivers of which the second raises what it is given as ``error``."""
    signal: Signal[...] = Signal("JOB_DONE")

    def first(heard: list[str]) -> None:
        heard.append("first")

    def second(error: BaseException) -> None:
        raise error

    def third(heard: list[str]) -> None:
        heard.append("third")

    for receiver in (first, second, third):
        signal.add_receiver(receiver)
    return signal


def test_send_stops_at_an_exception(failing: Signal[...]) -> None:
    """send() calls in order; the exception of a receiver propagates as it is, and later ones are not called."""
    heard: list[str] = []
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        failing.send(heard=heard, error=error)
    assert error is caught.value
    assert ["first"] == heard


def test_T52_send_robust_goes_on_and_logs_receiver_and_signal(
    failing: Signal[...], caplog: pytest.LogCaptureFixture
) -> None:
    """send_robust() calls every receiver; the failure is logged with both names and the traceback."""
    heard: list[str] = []
    failing.send_robust(heard=heard, error=ValueError("mine"))
    assert ["first", "third"] == heard
    (record,) = caplog.records
    assert ("esipy.events", logging.ERROR) == (record.name, record.levelno)
    assert f"receiver {__name__}.failing.<locals>.second of signal JOB_DONE failed" in record.getMessage()
    assert "raise error" in record.getMessage()
    assert "ValueError: mine" in record.getMessage()


def test_T52_asend_robust_goes_on_as_send_robust_does(failing: Signal[...], caplog: pytest.LogCaptureFixture) -> None:
    """The asyncio twin calls and awaits every receiver, and logs alike."""
    heard: list[str] = []

    @failing.connect
    async def fourth(heard: list[str], error: BaseException) -> None:
        heard.append("fourth")
        raise error

    asyncio.run(failing.asend_robust(heard=heard, error=ValueError("mine")))
    assert ["first", "third", "fourth"] == heard
    assert ["second", "fourth"] == [record.getMessage().split(" of ")[0][-6:] for record in caplog.records]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_programs_is_not_swallowed(failing: Signal[...], error: BaseException) -> None:
    """An interrupt, an exit and the end of a coroutine propagate from send_robust()."""
    with pytest.raises(type(error)):
        failing.send_robust(heard=[], error=error)
    coroutine = failing.asend_robust(heard=[], error=error)
    with pytest.raises(type(error)):
        coroutine.send(None)


def test_T52_a_receiver_that_awaits_something_cancelled_has_just_failed(
    failing: Signal[...], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody has cancelled the sender: it is logged, the next receiver is told, and the sender goes on."""
    heard: list[str] = []

    async def awaits(**kwargs: Any) -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    async def main() -> str:
        signal = Signal[...]("AWAITED")
        for receiver in (awaits, lambda: heard.append("next")):
            signal.add_receiver(receiver)
        await signal.asend_robust()
        failing.send_robust(heard=heard, error=asyncio.CancelledError())
        return "went on"

    assert "went on" == asyncio.run(main())
    assert ["next", "first", "third"] == heard
    failing.send_robust(heard=heard, error=asyncio.CancelledError())  # without any loop too
    assert ["first", "third"] == heard[3:]
    assert ["awaits", "second", "second"] == [
        record.getMessage().split(" of signal ")[0].rpartition(".")[2] for record in caplog.records
    ]


def test_a_cancelled_sender_is_not_held_back(caplog: pytest.LogCaptureFixture) -> None:
    """The task that sends is cancelled while it awaits a receiver: it ends, no further receiver is told."""
    heard: list[str] = []

    async def main() -> None:
        waits = asyncio.Event()

        async def forever() -> None:
            waits.set()
            await asyncio.Event().wait()

        signal = Signal[...]("AWAITED")
        for receiver in (forever, lambda: heard.append("next")):
            signal.add_receiver(receiver)
        sending = asyncio.create_task(signal.asend_robust())
        await waits.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert sending.cancelled()

    asyncio.run(main())
    assert [] == heard
    assert [] == caplog.records


@pytest.mark.parametrize(
    "write", [str, repr, lambda payload: urlencode(payload), lambda payload: quote(payload["refresh_token"])]
)
def test_T44_tokens_of_the_payload_are_not_in_the_log(
    write: Callable[[Any], str], caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver whose error repeats what it was sent puts no token into the log, nor the exception itself."""

    def careless(**kwargs: Any) -> None:
        raise RuntimeError(write(kwargs)) from ValueError(*kwargs.values())

    with AFTER_TOKEN_REFRESH.connected_to(careless), AFTER_TOKEN_REFRESH.connected_to(careless, deferred=True):
        AFTER_TOKEN_REFRESH.send_robust(**TOKEN, id_token="eyJ.id")  # type: ignore[arg-type]
        assert AFTER_TOKEN_REFRESH.flush(10)
    assert 2 == len(caplog.records)
    for record in caplog.records:
        text = record.getMessage() + repr(record.args)
        for secret in ("eyJhbGciOiJSUzI1NiJ9", "new/refresh", "it's the", "eyJ.id", "new%2Frefresh"):
            assert secret not in text
        assert "<refresh_token>" in text
        assert "1199" in text
        assert record.exc_info is None


def test_T44_a_receivers_own_repr_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A partial is named by its function: its arguments may be secrets."""

    def save(password: str, **kwargs: Any) -> None:
        raise ValueError

    class Sink:
        def __call__(self, **kwargs: Any) -> None:
            raise ValueError

        def __repr__(self) -> str:
            return "Sink(hunter2)"

    signal = Signal()
    signal.add_receiver(functools.partial(functools.partial(save), "hunter2"))
    signal.add_receiver(Sink())
    signal.send_robust()
    names = [record.getMessage().split(" of signal ")[0].rpartition(".")[2] for record in caplog.records]
    assert ["save", "Sink"] == names
    assert "hunter2" not in caplog.text
