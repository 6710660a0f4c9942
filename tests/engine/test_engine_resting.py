"""The daily downtime, as calls meet it: who waits, who asks, who is told, and how they come back."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import pytest

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.resting import STATUS as QUESTION
from esipy.engine.terms import Terms
from esipy.events import DOWNTIME_ENDED, DOWNTIME_STARTED
from esipy.exceptions import BrokenAnswerError, DowntimeError
from esipy.operation import Call, Operation
from esipy.runtime.aio import AioRuntime
from esipy.runtime.blocking import BlockingRuntime
from esipy.runtime.simulated import SimulatedRuntime
from esipy.simulation import SimulatedEsi, token_for
from tests.engine.kit import ORDERS, STATUS, WALLET, Bench, Login, Script, _Async, _Blocking, answer, date

T = TypeVar("T")

NOON = 1785844800.0  # 2026-08-04
ELEVEN = NOON - 3600.0
DAY = 86400.0


class Told(NamedTuple):
    """One signal of the downtime."""

    ended: bool
    at: float
    down_seconds: float


@pytest.fixture
def told() -> Iterator[list[Told]]:
    """What the signals told."""
    found: list[Told] = []

    def started(at: float, **_: Any) -> None:
        found.append(Told(False, at, 0.0))

    def ended(at: float, down_seconds: float, **_: Any) -> None:
        found.append(Told(True, at, down_seconds))

    DOWNTIME_STARTED.add_receiver(started)
    DOWNTIME_ENDED.add_receiver(ended)
    yield found
    DOWNTIME_STARTED.remove_receiver(started)
    DOWNTIME_ENDED.remove_receiver(ended)


class Seen(NamedTuple):
    """One request, in seconds since 11:00 by the server's clock."""

    seconds: float
    path: str
    status: int


class Esi:
    """A server that is down in some seconds after 11:00, by a clock of its own, which its ``Date`` tells.

    Args:
        down: from, to; more than once, if need be.
        ahead: what the local clock lacks.
        started: when the game is, in seconds since 11:00; None: with the end of the first downtime. Else: yesterday.
        broken: a part of a path that stays broken.
    """

    def __init__(
        self,
        *down: tuple[float, float],
        begin: float = -300.0,
        ahead: float = 0.0,
        seed: int = 0,
        started: float | None = None,
        broken: str = "//",
        **options: Any,
    ) -> None:
        self.down = down
        self.broken = broken
        self.started = started
        self.seen: list[Seen] = []
        self.runtime = SimulatedRuntime(self, start=ELEVEN - ahead + begin, seed=seed)
        self.clock: Callable[[], float] = lambda: self.runtime.now() + ahead - ELEVEN
        self.bench = Bench("simulated", self, runtime=self.runtime, **options)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = self.clock()
        path = request.url.partition("//")[2].partition("/")[2]
        is_down = any(begins <= now < ends for begins, ends in self.down) or self.broken in path
        self.seen.append(Seen(now, path, 503 if is_down else 200))
        said = date(ELEVEN + now)
        if is_down:
            return answer(b"<html>", 503, date=said)
        started = self.started or (self.down[0][1] if self.down else None)
        if started is None or now < started:
            started = 300 - DAY
        moment = date_as_esi(ELEVEN + started)
        body = {"players": 1, "server_version": "1", "start_time": moment} if path == "status" else []
        return answer(body, date=said, cache_control="no-store")

    def terms(self, **options: Any) -> Terms:
        return Terms.of(self.bench.engine.settings, **options)

    async def call(self, page: int = 1, **options: Any) -> Any:
        terms = self.terms(**{"policy": "off", **options})
        return await self.bench.engine.perform(ORDERS.replace(page=page), terms=terms)

    async def call_at(self, seconds: float, page: int = 1, **options: Any) -> Any:
        """A call at a moment: seconds since 11:00 by the server's clock."""
        await self.runtime.sleep(seconds - self.clock())
        return await self.call(page, **options)

    def run(self, *stories: Any) -> list[Any]:
        """Run these side by side; their results."""

        async def main() -> list[Any]:
            flights = [self.runtime.spawn(story) for story in stories]
            return [await self.runtime.join(flight) for flight in flights]

        return self.runtime.run(main())

    @property
    def questions(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path == "status"]

    @property
    def calls(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path != "status"]


def date_as_esi(moment: float) -> str:
    """A moment as bodies write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_question_is_the_catalogues() -> None:
    """The engine does not read the catalogue, and asks for the same all the same."""
    theirs = ops.status.GET_STATUS
    assert (theirs.id, theirs.name, theirs.method, theirs.path, theirs.group, theirs.scope) == (
        QUESTION.id, QUESTION.name, QUESTION.method, QUESTION.path, QUESTION.group, QUESTION.scope,
    )  # fmt: skip


# ---- waiting ----


def test_batch_calls_wait_until_status_answers(told: list[Told]) -> None:
    """None is sent into the downtime; one asks, first after a minute, then twice a minute; both signals come once."""
    esi = Esi((5, 700))
    calls = [esi.call_at(1 + page / 10, page, priority="batch") for page in range(1, 101)]
    got = esi.run(esi.call_at(-10, 999), *calls)
    assert {200} == {one.status for one in got}
    assert [] == [seen for seen in esi.calls if 0 <= seen.seconds < 700]
    questions = [seen.seconds for seen in esi.questions]
    assert 60 <= questions[0] <= 121
    assert 700 <= questions[-1] <= 740
    assert all(22 <= after - before <= 38 for before, after in pairwise(questions))
    assert [False, True] == [one.ended for one in told]
    assert told[0].at == pytest.approx(ELEVEN + 1.1, abs=1.5)
    assert told[1].at == pytest.approx(ELEVEN + questions[-1], abs=0.1)
    assert told[1].down_seconds == pytest.approx(told[1].at - told[0].at)


def test_the_end_is_no_storm() -> None:
    """A thousand calls that waited leave within a minute, no more than twice the mean in any second."""
    esi = Esi((0, 600))
    esi.run(esi.call_at(-10, 9999), *[esi.call_at(30, page, priority="batch") for page in range(1, 1001)])
    seconds = Counter(int(seen.seconds) for seen in esi.calls if seen.seconds > 0)
    assert 1000 == sum(seconds.values())
    assert max(seconds.values()) <= 34
    assert 50 <= max(seconds) - min(seconds) <= 61


def test_processes_are_not_in_step() -> None:
    """Ten processes ask at ten moments, and leave at ten."""
    asked, left = set(), set()
    for seed in range(10):
        esi = Esi((0, 600), seed=seed)
        esi.run(esi.call_at(-10, 9), esi.call_at(30, 1, priority="batch"))
        asked.add(round(esi.questions[0].seconds))
        left.add(round(esi.calls[-1].seconds))
    assert len(asked) >= 7
    assert len(left) >= 7


def test_a_call_that_waits_for_a_limit_waits_for_the_downtime() -> None:
    """Those who stand in line for a bucket when it begins are not sent into it one after another."""
    runtime: SimulatedRuntime
    esi = SimulatedEsi(lambda: runtime.now(), daily_downtime_seconds=600)
    runtime = SimulatedRuntime(esi, start=ELEVEN - 600)  # what is spent now comes back at five past eleven
    bench = Bench("simulated", Script(), runtime=runtime, cache=None, signer=Login(91, token_for("app", 91)))
    batch = Terms.of(bench.engine.settings, priority="batch", max_wait=36_000)

    async def main() -> None:
        flights = [runtime.spawn(bench.engine.perform(WALLET, terms=batch)) for _ in range(150)]
        for flight in flights:
            await runtime.join(flight)

    runtime.run(main())
    calls = [seen for seen in esi.log if seen.operation != "get_status"]
    assert [] == [seen for seen in calls if ELEVEN <= seen.arrived < ELEVEN + 600]
    assert [200] * 150 == [seen.status for seen in calls]
    assert any(seen.arrived < ELEVEN for seen in calls)


def test_patience_is_for_limits() -> None:
    """A batch call waits half an hour with a patience of two minutes; without any patience it fails."""
    esi = Esi((0, 1800))
    assert 200 == esi.run(esi.call_at(30, priority="batch"))[0].status
    esi = Esi((0, 1800))
    with pytest.raises(DowntimeError):
        esi.run(esi.call_at(30, priority="batch", max_wait=0))
    esi = Esi((0, 1800))
    with pytest.raises(DowntimeError):
        esi.run(esi.call_at(30, priority="batch", policy="fail"))


def test_after_an_hour_nobody_waits(told: list[Told]) -> None:
    """ESI never came back: the calls are sent, and get what there is."""
    esi = Esi((0, 7200), retry=False)
    got = esi.run(esi.call_at(-10, 9), *[esi.call_at(30, page, priority="batch") for page in range(1, 6)])
    assert [200, 503, 503, 503, 503, 503] == [one.status for one in got]
    assert all(3600 <= seen.seconds <= 3612 for seen in esi.calls[1:])
    assert [False, True] == [one.ended for one in told]


def test_a_day_without_a_downtime_costs_ten_minutes(told: list[Told]) -> None:
    """``/status`` answers, but the game was started yesterday: that is believed for so long."""
    esi = Esi()
    esi.run(esi.call_at(-10, 9), esi.call_at(30, 1, priority="batch"))
    assert 600 <= esi.questions[-1].seconds <= 640
    assert [False, True] == [one.ended for one in told]


def test_a_game_that_was_started_again_is_up() -> None:
    """ESI answers for some seconds while it goes down; then the game is started, and it is up."""
    esi = Esi((90, 200), started=180)
    esi.run(esi.call_at(-10, 9), esi.call_at(1, 1, priority="batch"))
    assert 200 <= esi.questions[-1].seconds <= 240


def test_a_question_without_an_answer_is_asked_again() -> None:
    """A broken connection to ``/status`` says that it is not up."""
    esi = Esi()
    script = Script(
        answer(), BrokenAnswerError("https://esi.evetech.net/status", "reset"), answer(b"<html>", 504), answer()
    )
    esi.runtime.server = script
    esi.run(esi.call_at(-10, 9), esi.call_at(30, 1, priority="batch"))
    paths = [target.partition("?")[0].replace("/", " ").split()[-1] for target in script.targets]
    assert ["orders", "status", "status", "status", "orders"] == paths


def test_no_token_is_refreshed_while_it_is_down() -> None:
    """A call that waits asks its login when it is over."""
    login = Login(91)
    esi = Esi((0, 600), signer=login)

    async def work() -> None:
        await esi.runtime.sleep(330)
        await esi.bench.engine.perform(WALLET, terms=esi.terms(priority="batch"))

    async def look() -> int:
        await esi.runtime.sleep(890)
        return len(login.asked)

    assert [None, 0] == esi.run(work(), look())
    assert 1 == len(login.asked)


# ---- the clock ----


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_T06_eleven_is_the_servers(ahead: float, told: list[Told]) -> None:
    """With a clock that is an hour wrong, batch calls go at 10:58 and wait at 11:01."""
    esi = Esi((5, 400), ahead=ahead)
    calls = [esi.call_at(seconds, 500 + int(seconds), priority="batch") for seconds in (-250, -120, -60, 60)]
    esi.run(*calls)
    assert [-250, -120, -60] == [round(seen.seconds) for seen in esi.calls[:3]]
    assert esi.calls[3].seconds >= 400
    assert [False, True] == [one.ended for one in told]


def test_T06_a_clock_an_hour_ahead_costs_one_question(told: list[Told]) -> None:
    """By it it is past eleven when the program starts: it asks, and hears that it is not."""
    esi = Esi((0, 400), begin=-3400, ahead=-3600)
    esi.run(*[esi.call_at(-3300, page, priority="batch") for page in range(1, 20)])
    assert 1 == len(esi.questions)
    assert all(-3300 <= seen.seconds < -3299 for seen in esi.calls)
    assert [] == told


def test_who_starts_at_twenty_past_eleven_waits_for_one_answer(told: list[Told]) -> None:
    """It knows nothing, asks at once, and goes on without a word."""
    esi = Esi((0, 400), begin=1200)
    esi.run(*[esi.call(page, priority="batch") for page in range(1, 20)])
    assert 1 == len(esi.questions)
    assert all(1200 <= seen.seconds < 1201 for seen in esi.calls)
    assert [] == told


def test_who_starts_in_the_downtime_waits(told: list[Told]) -> None:
    """It asks at once, and tells when that fails."""
    esi = Esi((0, 900), begin=600)
    esi.run(*[esi.call(page, priority="batch") for page in range(1, 20)])
    assert [600] == [round(seen.seconds) for seen in esi.questions if seen.seconds < 610]
    assert all(900 <= seen.seconds for seen in esi.calls)
    assert [False, True] == [one.ended for one in told]


# ---- interactive calls ----


def test_interactive_calls_are_tried(told: list[Told]) -> None:
    """They go out at once, get what there is, and ask nothing; once one is answered, it is over."""
    esi = Esi((5, 300), retry=False)
    got = esi.run(*[esi.call_at(seconds, 500 + seconds) for seconds in (-10, 1, 20, 150, 290, 310, 320)])
    assert [200, 200, 503, 503, 503, 200, 200] == [one.status for one in got]
    assert [] == esi.questions
    assert [ELEVEN + 1, ELEVEN + 310] == [round(one.at) for one in told]


def test_interactive_calls_fail_if_that_is_asked_for() -> None:
    """At once, with the moment at which more is known; of the call nothing is sent."""
    esi = Esi((0, 300))
    esi.run(esi.call_at(-10, 9))
    with pytest.raises(DowntimeError) as raised:
        esi.run(esi.call_at(30, 1, downtime="fail"))
    error = raised.value
    assert (503, 2) == (error.status_code, 1 + len(esi.seen))
    assert error.retry_at is not None
    assert ELEVEN + 60 <= error.retry_at <= ELEVEN + 121
    assert "get_markets_region_id_orders" in str(error)


def test_who_fails_and_comes_back_at_the_moment_asks(told: list[Told]) -> None:
    """A program that never waits and never tries still learns of the end, with two questions a minute."""
    esi = Esi((0, 300))

    async def story() -> float:
        while True:
            try:
                await esi.call_at(max(30.0, esi.clock()), 1, downtime="fail")
                return esi.clock()
            except DowntimeError as error:
                await esi.runtime.sleep((error.retry_at or 0.0) - esi.runtime.now())

    assert 300 <= esi.run(esi.call_at(-10, 9), story())[1] <= 340
    assert len(esi.questions) <= 12
    assert [False, True] == [one.ended for one in told]


def test_interactive_calls_wait_if_that_is_asked_for() -> None:
    """And leave before batch calls do, as far as chance lets them."""
    esi = Esi((0, 300))
    assert 200 == esi.run(esi.call_at(30, 1, downtime="wait"))[0].status
    assert esi.calls[0].seconds >= 300


def test_batch_calls_fail_if_that_is_asked_for() -> None:
    """Whoever says so is not held up."""
    esi = Esi((0, 300))
    with pytest.raises(DowntimeError):
        esi.run(esi.call_at(30, 1, priority="batch", downtime="fail"))


def test_an_interactive_answer_does_not_let_those_go_who_wait() -> None:
    """ESI answers from a cache while the game is down: ``/status`` decides, as long as somebody asks it."""
    esi = Esi((60, 400))
    inner = esi.runtime.server

    def serve(request: HttpRequest) -> HttpResponse:
        return answer([]) if "page=5" in request.url else inner(request)  # type: ignore[return-value]

    esi.runtime.server = serve
    tried = [esi.call_at(seconds, 5000 + seconds) for seconds in range(20, 390, 10)]
    esi.run(esi.call_at(-10, 9), esi.call_at(1, 1, priority="batch"), *tried)
    assert esi.calls[-1].seconds >= 400


# ---- again ----


def test_it_may_begin_again(told: list[Told]) -> None:
    """``/status`` answers, another call fails: the others wait again, and nothing is told to have begun twice."""
    esi = Esi((0, 300), (345, 500), started=250)
    calls = [esi.call_at(30, page, priority="batch") for page in range(1, 1001)]
    got = esi.run(esi.call_at(-10, 9999), *calls)
    assert {200} == {one.status for one in got}
    failed = [seen.seconds for seen in esi.calls if seen.status == 503]
    assert 1 <= len(failed) <= 10
    assert max(failed) - min(failed) < 1
    assert [False, True, True] == [one.ended for one in told]
    assert told[2].down_seconds > 460


def test_a_route_that_stays_broken_does_not_hold_up_the_others_for_an_hour() -> None:
    """Three times it is taken for the downtime."""
    esi = Esi((0, 300), broken="page=777", retry=False)

    async def poll() -> None:
        while esi.clock() < 3500:
            await esi.call(777)
            await esi.runtime.sleep(5)

    async def work() -> list[float]:
        left = []
        while esi.clock() < 3500:
            await esi.call(1, priority="batch")
            left.append(esi.clock())
            await esi.runtime.sleep(1)
        return left

    left = esi.run(esi.call_at(-10, 9), poll(), work())[2]
    after = [moment for moment in left if moment > 500]
    assert max(later - before for before, later in pairwise(after)) < 2
    assert min(after) < 502
    assert 4 == sum(seen.status == 200 for seen in esi.questions)


# ---- cancellation, threads, loops, forks ----


def test_whoever_asks_may_be_cancelled() -> None:
    """Before the question, and while it is under way: the next one asks, at once if the question was lost."""
    esi = Esi((0, 300))

    async def story() -> list[Any]:
        await esi.call_at(-10, 9999)
        flights = [esi.runtime.spawn(esi.call_at(10 + page, page, priority="batch")) for page in range(10)]
        await esi.runtime.sleep(40)
        esi.runtime.cancel(flights[0])
        while not esi.questions:
            await esi.runtime.sleep(0.01)
        asked_at = esi.clock()
        esi.runtime.cancel(flights[1])  # the answer is on its way
        await esi.runtime.sleep(0.1)
        assert 2 == len(esi.questions)
        assert esi.clock() - asked_at < 0.2
        return [(await esi.runtime.join(flight)).status for flight in flights[2:]]

    assert [200] * 8 == esi.run(story())[0]


def test_all_who_wait_may_be_cancelled() -> None:
    """Nobody asks any more, and the line is empty."""
    esi = Esi((0, 300))

    async def story() -> None:
        await esi.call_at(-10, 9999)
        flights = [esi.runtime.spawn(esi.call_at(10, page, priority="batch")) for page in range(10)]
        await esi.runtime.sleep(40)
        for flight in flights:
            esi.runtime.cancel(flight)
        await esi.runtime.sleep(600)

    esi.run(story())
    assert [] == esi.questions
    assert not esi.bench.engine.watch.lines


def test_a_receiver_may_call_esi_itself(told: list[Told]) -> None:
    """Those who are told stand in no line: a batch call of theirs is the one that asks."""
    esi = Esi((0, 300), begin=60)
    inner: list[int] = []

    class Calling:
        """As a receiver of an asyncio client: awaited where the signal is told."""

        def __init__(self, tell: Any) -> None:
            self._tell = tell

        async def __call__(self, signal: Any, payload: dict[str, Any]) -> None:
            await self._tell(signal, payload)
            if signal in (DOWNTIME_STARTED, DOWNTIME_ENDED):
                inner.append((await esi.call(7, priority="batch")).status)

    esi.runtime.tell = Calling(esi.runtime.tell)  # type: ignore[method-assign]
    assert [200, 200, 200] == [one.status for one in esi.run(*[esi.call(page, priority="batch") for page in (1, 2, 3)])]
    assert [200, 200] == inner
    assert [False, True] == [one.ended for one in told]


class Clocked(BlockingRuntime):
    """A blocking runtime whose clock stands still but for those who sleep; who waits for others waits for real."""

    def __init__(self, serve: Any, start: float) -> None:
        super().__init__(_Blocking(serve))
        self.shared = {}
        self.time = start
        self.now = lambda: self.time
        self.waiting = threading.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    async def join(self, flight: Future[T], seconds: float | None = None) -> T:
        if seconds is not None and seconds <= 200:  # until the next question
            self.time += seconds
            raise TimeoutError
        self.waiting.release()
        return flight.result(20)


def test_threads_wait_and_one_asks(told: list[Told]) -> None:
    """The blocking client: eight threads wait, one of them asks, and all go on."""
    questions: list[int] = []
    asking = threading.Lock()

    def serve(request: HttpRequest) -> HttpResponse:
        if not request.url.endswith("/status"):
            return answer([])
        assert asking.acquire(blocking=False)
        if not questions:
            assert all(runtime.waiting.acquire(timeout=20) for _ in range(7))
        questions.append(threading.get_ident())
        asking.release()
        return answer(b"", 503) if len(questions) < 5 else answer()

    runtime = Clocked(serve, ELEVEN - 60)
    bench = Bench("blocking", serve, runtime=runtime, cache=None)
    bench.perform(ORDERS)
    runtime.time = ELEVEN + 1
    batch = Terms.of(bench.engine.settings, priority="batch")
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda page: bench.perform(ORDERS.replace(page=page), terms=batch), range(1, 9)))
    assert [200] * 8 == [one.status for one in got]
    assert (5, 1) == (len(questions), len(set(questions)))
    assert [False, True] == [one.ended for one in told]


def test_a_loop_that_stands_still_does_not_hold_up_others() -> None:
    """It has claimed the question and does not get on: after a while a thread asks, and the loop's call goes on too."""
    asked = threading.Event()

    class Standing(AioRuntime):
        def __init__(self) -> None:
            super().__init__(_Async(serve))
            self.shared = runtime.shared
            self.now = runtime.now
            self.random = lambda: 0.0

        async def join(self, flight: Future[T], seconds: float | None = None) -> T:
            return await super().join(flight, None)

        async def send(self, request: HttpRequest) -> HttpResponse:
            if request.url.endswith("/status"):
                asked.set()
                assert done.wait(20)  # the whole loop stands
                raise BrokenAnswerError(request.url, "late")
            return answer([])

    def serve(request: HttpRequest) -> HttpResponse:
        return answer() if request.url.endswith("/status") else answer([])

    done = threading.Event()
    runtime = Clocked(serve, ELEVEN + 1200)
    bench = Bench("blocking", serve, runtime=runtime)
    standing = Bench("asyncio", serve, runtime=Standing())
    batch = Terms.of(bench.engine.settings, priority="batch")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: asyncio.run(standing.engine.perform(ORDERS.replace(page=2), terms=batch)))
        assert asked.wait(20)
        began = runtime.time
        assert 200 == bench.perform(ORDERS, terms=batch).status
        assert runtime.time - began <= 100
        done.set()
        assert 200 == other.result(20).status


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_of_a_fork_asks_itself() -> None:
    """The parent's question, and those who wait there, are not the child's."""
    runtime = Clocked(lambda _: answer(), ELEVEN + 1200)
    watch = Bench("blocking", lambda _: answer(), runtime=runtime).engine.watch
    watch.change(watch.downtime.look, runtime.now(), 0.5)
    assert watch.change(watch.downtime.claim, runtime.now(), 90)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if watch.change(watch.downtime.claim, runtime.now(), 90) else 1)
    assert 0 == os.waitpid(pid, 0)[1]
    assert not watch.change(watch.downtime.claim, runtime.now(), 90)


# ---- who shares what ----


def test_clients_of_a_process_share_it_by_address() -> None:
    """Another ESI has its own downtime."""
    runtime = SimulatedRuntime(Script())
    one, two = Bench("simulated", Script(), runtime=runtime), Bench("simulated", Script(), runtime=runtime)
    far = Bench("simulated", Script(), runtime=runtime, settings={"base_url": "http://127.0.0.1:9"})
    assert one.engine.watch is two.engine.watch
    assert one.engine.watch is not far.engine.watch


def test_other_apis_have_no_downtime() -> None:
    """An operation of another API is sent, whatever the time."""

    class Elsewhere(Operation[Any]):
        @property
        def base_url(self) -> str:
            return "https://example.com"

    esi = Esi((0, 300), retry=False)
    call = Call(Elsewhere("Get", "get", "elsewhere", "GET", "/thing"), {})

    async def story() -> Any:
        await esi.call_at(-10, 9)
        await esi.runtime.sleep(40)
        return await esi.bench.engine.perform(call, terms=esi.terms(priority="batch"))

    esi.run(story())
    assert ["thing"] == [seen.path for seen in esi.seen if seen.seconds > 0]


def test_questions_are_told_as_any_call() -> None:
    """API_CALL_STATS tells of each."""
    esi = Esi((0, 300))
    stats: list[tuple[str, int]] = []
    esi.bench.stats.add_receiver(lambda operation_id, status_code, **_: stats.append((operation_id, status_code)))
    esi.run(esi.call_at(30, 1, priority="batch"))
    assert len(esi.questions) == sum(operation_id == "GetStatus" for operation_id, _ in stats)


def test_a_fresh_answer_is_given_in_the_downtime() -> None:
    """The cache stands before it."""
    esi = Esi()
    esi.runtime.server = Script(answer([], cache_control="max-age=900"))
    got = esi.run(esi.call_at(-10, 1), esi.call_at(60, 1, priority="batch"))
    assert ["network", "cache"] == [one.source for one in got]


def test_a_simulated_month_without_calls_is_no_news(told: list[Told]) -> None:
    """Who makes no call at eleven hears of nothing."""
    esi = Esi((0, 300))
    esi.run(*[esi.call_at(7200 + day * DAY, day + 1, priority="batch") for day in range(30)])
    assert [] == told
    assert [] == esi.questions


def test_each_day_is_told(told: list[Told]) -> None:
    """A program that runs for three days waits three times."""
    esi = Esi(*[(day * DAY, day * DAY + 300) for day in range(3)], started=2 * DAY + 1)
    esi.run(esi.call_at(-10, 9), *[esi.call_at(day * DAY + 30, day + 1, priority="batch") for day in range(3)])
    assert [False, True] * 3 == [one.ended for one in told]


def test_status_is_a_call_like_any_other() -> None:
    """Who asks for it in the downtime, interactively, is answered what there is."""
    esi = Esi((0, 300), retry=False)

    async def story() -> int:
        await esi.runtime.sleep(330)
        status: int = (await esi.bench.engine.perform(STATUS)).status
        return status

    assert [503] == esi.run(story())


def test_a_task_that_is_cancelled_while_it_leaves_is_gone() -> None:
    """The pause at the end can be cancelled as any wait."""
    esi = Esi((0, 300))

    async def story() -> None:
        await esi.call_at(-10, 9)
        flight = esi.runtime.spawn(esi.call_at(10, 1, priority="batch"))
        while not any(seen.status == 200 for seen in esi.questions):
            await esi.runtime.sleep(1)
        esi.runtime.cancel(flight)
        await esi.runtime.sleep(60)
        assert flight.cancelled()

    esi.run(story())
    assert 1 == len(esi.calls)
