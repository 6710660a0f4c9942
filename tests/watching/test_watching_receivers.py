"""`on_change` of both clients, against the sandbox: who calls receivers, when that begins, and when it ends."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from esipy.transport.scripted import ScriptedTransport
from esipy.transport.scripted import answer as scripted
from tests.client.colours import UA
from tests.forks import child, needs_fork
from tests.watching.clients_kit import OFFERS, OFTEN, OTHERS
from tests.watching.watch_kit import alliance


def watching_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "esipy_watching"]


def test_receivers_of_the_blocking_client_are_called_by_one_thread_that_ends(box: RunningSandbox) -> None:
    """It begins with the first receiver; ends with the last one, or when the client is closed."""
    threads: set[str] = set()
    with EsiClient(base_url=box.url, headers=UA) as client:
        signals = [client.on_change(call, tell_first=True, **OFTEN) for call in (OFFERS, OTHERS)]  # type: ignore[arg-type]
        assert [] == watching_threads()
        recorders = [SignalRecorder(signal) for signal in signals]
        for signal in signals:
            signal.add_receiver(lambda **_: threads.add(threading.current_thread().name))
        for recorder in recorders:
            recorder.wait(1)
        for call in (OFFERS, OTHERS):
            box.edit(call.path)
        for recorder, call in zip(recorders, (OFFERS, OTHERS), strict=True):
            changed = recorder.wait(2)[1]
            assert call == changed["call"]
            assert len(changed["modified"]) + len(changed["added"]) > 0
        assert 1 == len(watching_threads())
        for signal in signals:
            signal.event_receivers.clear()
        for thread in watching_threads():
            thread.join(10)
        assert [] == watching_threads()
        with SignalRecorder(signals[0]) as again:
            again.wait(1)
            client.close()
            assert [] == watching_threads()
            with pytest.raises(RuntimeError, match="the client is closed"):
                signals[1].add_receiver(print)
    assert {"esipy_watching"} == threads


def test_many_watches_have_no_thread_each() -> None:
    """Of 300 signals: one thread that waits, and ten at the most that look; when all have looked, the one."""
    calls = [ops.alliance.get_alliances_alliance_id(alliance_id=number) for number in range(1, 301)]
    most, looked = [0], threading.Event()

    def threads() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name.startswith("esipy_")]

    def serve(request: HttpRequest) -> HttpResponse:
        most.append(len(threads()))
        if len(most) > len(calls):
            looked.set()
        return scripted(headers={"Cache-Control": "max-age=3600"}, body=alliance(1, 0))

    with EsiClient(headers=UA, transport=ScriptedTransport(serve)) as client:
        signals = [client.on_change(call) for call in calls]
        for signal in signals:
            signal.add_receiver(print)
        assert looked.wait(60)
        for thread in threads():
            if thread.name == "esipy_looking":
                thread.join(10)
        assert ["esipy_watching"] == [thread.name for thread in threads()]
    assert 1 < max(most) <= 1 + 10
    assert [] == threads()


def test_receivers_of_the_asyncio_client_are_awaited_by_a_task_that_ends(box: RunningSandbox) -> None:
    """Coroutine functions and plain ones; nothing is left in the loop when the client is closed."""

    async def story() -> tuple[list[Any], int]:
        heard: list[Any] = []
        come = asyncio.Event()

        async def hear(call: Any, modified: tuple[Any, ...], **_: Any) -> None:
            await asyncio.sleep(0)
            heard.append((call, len(modified)))
            come.set()

        async with AsyncEsiClient(base_url=box.url, headers=UA) as client:
            signal = client.on_change(OFFERS, tell_first=True, **OFTEN)  # type: ignore[arg-type]
            signal.add_receiver(hear)
            await asyncio.wait_for(come.wait(), 10)
            come.clear()
            await asyncio.to_thread(box.edit, OFFERS.path)
            await asyncio.wait_for(come.wait(), 10)
        return heard, len(asyncio.all_tasks())

    heard, tasks = asyncio.run(story())
    assert [OFFERS, OFFERS] == [call for call, _ in heard]
    assert heard[0][1] == 0 < heard[1][1]
    assert 1 == tasks


def test_without_a_loop_the_asyncio_client_adds_no_receiver(box: RunningSandbox) -> None:
    """The error comes before it is added; a loop that ended is followed by the next."""
    client = AsyncEsiClient(base_url=box.url, headers=UA)
    signal = client.on_change(OFFERS, tell_first=True, **OFTEN)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no event loop runs here: add the receiver in a coroutine"):
        signal.add_receiver(print)
    assert () == signal.receivers

    async def hear_one() -> None:
        come = asyncio.Event()

        def hear(**_: Any) -> None:
            come.set()

        signal.add_receiver(hear)
        await asyncio.wait_for(come.wait(), 10)
        # The loop ends with its watch under way.

    asyncio.run(hear_one())
    box.edit(OFFERS.path)
    asyncio.run(hear_one())
    asyncio.run(client.close())


def test_what_was_being_told_when_a_loop_ended_is_told_by_the_next(box: RunningSandbox) -> None:
    """Nobody knows how far a receiver was: better twice than never."""
    client = AsyncEsiClient(base_url=box.url, headers=UA)
    signal = client.on_change(OFFERS, tell_first=True, **OFTEN)  # type: ignore[arg-type]
    told: list[int] = []
    come: list[asyncio.Event] = []

    async def hear(added: tuple[Any, ...], **_: Any) -> None:
        told.append(len(added))
        come[-1].set()
        if len(told) == 1:
            await asyncio.get_running_loop().create_future()  # as long as the loop lasts

    async def one_loop(receiver: Any) -> None:
        come.append(asyncio.Event())
        signal.add_receiver(receiver)
        await asyncio.wait_for(come[-1].wait(), 10)

    asyncio.run(one_loop(hear))
    asyncio.run(one_loop(lambda **_: None))
    asyncio.run(client.close())
    assert told[0] > 0
    assert told[:2] == [told[0], told[0]]


@needs_fork
def test_a_child_of_a_fork_watches_nothing_until_it_is_asked_to(box: RunningSandbox) -> None:
    """The parent's watch goes on in the parent alone."""
    with EsiClient(base_url=box.url, headers=UA) as client:
        signal = client.on_change(OFFERS, tell_first=True, **OFTEN)  # type: ignore[arg-type]
        with SignalRecorder(signal) as told:
            told.wait(1)
            assert child(lambda: 0 == len(client._watching().scheduler) and [] == watching_threads())
            box.edit(OFFERS.path)
            told.wait(2)
