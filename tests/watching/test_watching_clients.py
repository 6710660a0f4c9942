"""`watch` and `on_change` of both clients, against the sandbox: what is looked at here has no lifetime to wait for."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import InvalidCallError, SSOError
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from esipy.transport.scripted import ScriptedTransport
from esipy.transport.scripted import answer as scripted
from tests.client.colours import UA, Colour, Connect
from tests.forks import child, needs_fork
from tests.watching.watch_kit import alliance

PATH = "/corporations/98000001/projects"
PROJECTS = ops.corporation_projects.get_corporations_projects_listing(corporation_id=98000001)
OFFERS, OTHERS = (
    ops.loyalty.get_loyalty_stores_corporation_id_offers(corporation_id=one) for one in (1000035, 1000036)
)
OFTEN = {"every": 0.02}


def next_of(client: Colour, watch: Any) -> Any:
    """The next change, in either colour."""
    if client.name == "blocking":
        return next(watch)

    async def one() -> Any:
        return await anext(watch)

    return client.do(one())


def watching_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "esipy_watching"]


def test_a_loop_over_a_watch_gives_the_changes_of_its_rows(box: RunningSandbox, connect: Connect) -> None:
    """Of a list with a cursor: what there is, a record that was edited, one that is new."""
    client = connect(login=True)
    watch = client.client.watch(PROJECTS, tell_first=True, **OFTEN)
    first = next_of(client, watch)
    there = len(box.versions(PATH)[-1])
    assert (None, there, 0, 0) == (first.before, len(first.added), len(first.removed), len(first.modified))
    edited = box.edit(PATH)
    second = next_of(client, watch)
    assert [edited] == [after.id for _, after in second.modified]
    new = box.add(PATH, 2)
    third = next_of(client, watch)
    assert new == [row.id for row in third.added]
    assert second.after == third.before
    assert there + 2 == len(third.after)


def test_a_watch_that_is_closed_gives_no_more(box: RunningSandbox, connect: Connect) -> None:
    """Its loop ends, although there is a change to see; closing twice is no error."""
    client = connect()
    watch = client.client.watch(OFFERS, tell_first=True, **OFTEN)
    for _ in range(2):
        client.do(watch.close())
    with pytest.raises(StopIteration if client.name == "blocking" else StopAsyncIteration):
        next_of(client, watch)


def test_a_watch_is_read_by_one_task_at_a_time(box: RunningSandbox) -> None:
    """Who else asks is told at once; the one who waits goes on, and another may when it has what it waited for."""

    async def main() -> None:
        async with AsyncEsiClient(headers=UA, base_url=box.url) as client:
            watch: Any = client.watch(OFFERS, tell_first=True, **OFTEN)  # type: ignore[call-overload]
            first = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="one reads it at a time"):
                await anext(watch)
            assert (await first).added
            waiting = asyncio.ensure_future(anext(watch))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            box.edit("/loyalty/stores/1000035/offers")
            assert (await anext(watch)).modified

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["watch", "on_change"])
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("ofer_id", "key='ofer_id': rows have no field 'ofer_id'; did you mean 'offer_id'?"),
        (("type_id", ""), "key=('type_id', ''): rows have no field ''; it takes isk_cost, lp_cost, offer_id, "),
    ],
)
def test_a_key_that_rows_do_not_have_is_refused_at_once(verb: str, key: Any, said: str) -> None:
    """Else each row would be its own: a price that changes would be told as a row that goes and one that comes."""
    with EsiClient(headers=UA, base_url="http://127.0.0.1:1") as client, pytest.raises(InvalidCallError) as refused:
        getattr(client, verb)(OFFERS, key=key)
    assert str(refused.value).startswith(said)


def test_several_calls_are_watched_by_one_loop(box: RunningSandbox, connect: Connect) -> None:
    """Each change says of which call it is; a call that is given twice is watched once."""
    client = connect()
    watch = client.client.watch(OFFERS, OTHERS, OFFERS, tell_first=True, **OFTEN)
    firsts = {next_of(client, watch).call for _ in range(2)}
    assert {OFFERS, OTHERS} == firsts
    for call in firsts:
        box.edit(call.path)
    calls = {next_of(client, watch).call for _ in range(2)}
    assert {OFFERS, OTHERS} == calls
    with pytest.raises(InvalidCallError, match="needs a call"):
        client.client.watch()


def test_with_a_file_a_loop_goes_on_where_the_last_one_was(
    box: RunningSandbox, connect: Connect, tmp_path: Path
) -> None:
    """What was committed is not told again; what changed meanwhile is told first."""
    store = f"sqlite:///{tmp_path / 'watches.sqlite3'}"
    first = connect(login=True)
    watch = first.client.watch(PROJECTS, tell_first=True, store=store, **OFTEN)
    seen = next_of(first, watch)
    first.do(watch.commit())
    first.do(first.client.close())
    edited = box.edit(PATH)
    second = connect(login=True)
    change = next_of(second, second.client.watch(PROJECTS, tell_first=True, store=store, **OFTEN))
    assert seen.after == change.before
    assert [edited] == [after.id for _, after in change.modified]
    assert () == change.added


def test_data_objects_of_version_1_are_watched_too(box: RunningSandbox, connect: Connect, tmp_path: Path) -> None:
    """And are what they were when they come back from a file."""
    store = f"sqlite:///{tmp_path / 'watches.sqlite3'}"
    call = OFFERS.operation(corporation_id=1000035)
    first = connect()
    watch = first.client.watch(call, tell_first=True, store=store, **OFTEN)
    seen = next_of(first, watch)
    first.do(watch.commit())
    box.edit(OFFERS.path)
    second = connect()
    change = next_of(second, second.client.watch(call, store=store, **OFTEN))
    assert seen.after == change.before
    assert len(change.modified) + len(change.added) > 0
    assert [row.offer_id for row in seen.after] == [row.offer_id for row in change.before]


def test_the_login_that_is_dead_is_the_loops_to_handle(box: RunningSandbox, connect: Connect) -> None:
    """The error says it; nothing is sent to ESI."""
    client = connect(login=True, retry_requests=False)
    box.revoke(box.sandbox.roster.ids[0])
    client.security.token_expiry = 0
    watch = client.client.watch(PROJECTS, **OFTEN)
    with pytest.raises(SSOError):
        next_of(client, watch)


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
