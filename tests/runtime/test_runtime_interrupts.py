"""Ctrl-C in a blocking `gather`: it leaves at once, its threads do nothing more, and no token is lost."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Iterator

import pytest

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.events import Signal
from esipy.exceptions import AnswerTimeoutError
from esipy.runtime.base import is_told
from esipy.runtime.blocking import BlockingRuntime, run
from esipy.transport.scripted import ScriptedTransport, answer
from tests.interrupts import interrupted_everywhere

REQUEST = HttpRequest("GET", "https://h/a")
WAIT = 30
"""Seconds after which a test that hangs gives up; none of them waits for it."""


class Hanging:
    """A transport whose exchanges last until `release`; when so many run, it presses Ctrl-C."""

    def __init__(self, most: int, outcome: HttpResponse | Exception) -> None:
        self.release = threading.Event()
        self.sent = 0
        self._most = threading.Barrier(most, _thread.interrupt_main)
        self._outcome = outcome

    def send(self, request: HttpRequest) -> HttpResponse:
        self.sent += 1
        self._most.wait(WAIT)
        assert self.release.wait(WAIT)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def ended() -> Iterator[None]:
    """The threads that the test left behind end by themselves."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT)
        assert not thread.is_alive()


@pytest.mark.parametrize("outcome", [answer(200), AnswerTimeoutError("https://h/a", "late")], ids=["answer", "error"])
@pytest.mark.usefixtures("ended")
def test_ctrl_c_leaves_at_once(outcome: HttpResponse | Exception) -> None:
    """It does not wait for servers that hang; whatever comes of those exchanges, no job goes on after them."""
    transport = Hanging(3, outcome)
    runtime = BlockingRuntime(transport)
    went_on: list[int] = []

    async def job(item: int) -> None:
        for _ in range(3):  # it tries again, as the engine does
            try:
                await runtime.send(REQUEST)
            except AnswerTimeoutError:
                pass
            went_on.append(item)

    with pytest.raises(KeyboardInterrupt):
        run(runtime.gather(job, range(100), 3))
    assert not transport.release.is_set()
    transport.release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("esipy_"):
            thread.join(WAIT)
    assert ([], 3) == (went_on, transport.sent)


@pytest.mark.usefixtures("ended")
def test_ctrl_c_wakes_sleepers() -> None:
    """A job that waits for an hour ends too, and in it whatever it was within."""
    runtime = BlockingRuntime(Hanging(1, answer(200)))
    together = threading.Barrier(2, _thread.interrupt_main)
    woken = threading.Semaphore(0)

    async def job(item: int) -> None:
        together.wait(WAIT)
        try:
            await runtime.sleep(3600.0)
        finally:
            woken.release()

    with pytest.raises(KeyboardInterrupt):
        run(runtime.gather(job, range(2), 2))
    assert [True, True] == [woken.acquire(timeout=WAIT) for _ in range(2)]


@pytest.mark.usefixtures("ended")
def test_ctrl_c_reaches_a_gather_within() -> None:
    """The threads of a job's own gather are stopped with it."""
    runtime = BlockingRuntime(Hanging(1, answer(200)))
    together = threading.Barrier(4, _thread.interrupt_main)
    woken = threading.Semaphore(0)

    async def inner(item: int) -> None:
        together.wait(WAIT)
        try:
            await runtime.sleep(3600.0)
        finally:
            woken.release()

    async def outer(item: int) -> None:
        await runtime.gather(inner, range(2), 2)

    with pytest.raises(KeyboardInterrupt):
        run(runtime.gather(outer, range(2), 2))
    assert [True] * 4 == [woken.acquire(timeout=WAIT) for _ in range(4)]


@pytest.mark.usefixtures("ended")
def test_T38_ctrl_c_waits_a_moment_for_what_has_to_be_finished() -> None:
    """A refresh that was begun brings its token home before the caller hears of Ctrl-C."""
    runtime = BlockingRuntime(Hanging(1, answer(200)))
    together = threading.Barrier(2, _thread.interrupt_main)
    stopped = threading.Event()
    kept: list[str] = []

    async def refresh() -> None:
        together.wait(WAIT)
        assert stopped.wait(WAIT)  # so Ctrl-C has come while this is under way
        await runtime.sleep(0.0)
        kept.append("token")

    async def job(item: int) -> None:
        if item:
            await runtime.finish(refresh())
            await runtime.sleep(0.0)
            kept.append("went on")
        else:
            together.wait(WAIT)
            try:
                await runtime.sleep(3600.0)
            finally:
                stopped.set()

    with pytest.raises(KeyboardInterrupt):
        run(runtime.gather(job, range(2), 2))
    assert ["token"] == kept


@pytest.mark.usefixtures("ended")
def test_a_caller_by_itself_is_stopped_by_nobody() -> None:
    """What a gather's Ctrl-C stopped in its threads does not cling to the thread that called it."""
    transport = Hanging(2, answer(200))
    runtime = BlockingRuntime(transport)

    async def job(item: int) -> None:
        await runtime.send(REQUEST)

    with pytest.raises(KeyboardInterrupt):
        run(runtime.gather(job, range(2), 2))
    transport.release.set()

    async def alone(item: int) -> int:
        await runtime.sleep(0.0)
        return item

    assert [0, 1, 2] == run(runtime.gather(alone, range(3), 2))
    assert [0, 1, 2] == run(runtime.gather(alone, range(3), 1))


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # it came before it was begun
def test_ctrl_c_while_a_thing_is_done_is_ctrl_c() -> None:
    """Whenever it comes: as the thing is done, and as its result is noted; also when nobody looks at that."""
    runtime = BlockingRuntime(ScriptedTransport([]))

    def joined() -> None:
        assert 3 == run(runtime.join(runtime.begin(len, "abc")))

    for work in (joined, lambda: runtime.begin(len, "abc")):
        assert len(list(interrupted_everywhere(work))) > 5


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # it came before it was begun
def test_nothing_is_told_any_more_whenever_a_receiver_was_interrupted() -> None:
    """What the thread does afterwards does not count as a receiver's doing."""
    runtime = BlockingRuntime(ScriptedTransport([]))
    told: list[bool] = []
    happened: Signal[...] = Signal("HAPPENED")

    def receiver(**_: object) -> None:
        told.append(is_told())

    happened.add_receiver(receiver)
    moments = 0
    for moment in interrupted_everywhere(lambda: run(runtime.tell(happened, {}))):
        assert not is_told(), moment
        moments = moment + 1
    assert moments > 5
    assert {True} == set(told)
