"""`watch` of both clients, against the sandbox: what is looked at here has no lifetime to wait for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.exceptions import InvalidCallError, SSOError
from esipy.sandbox import RunningSandbox
from tests.client.colours import UA, Colour, Connect
from tests.watching.clients_kit import OFFERS, OFTEN, OTHERS

PATH = "/corporations/98000001/projects"
PROJECTS = ops.corporation_projects.get_corporations_projects_listing(corporation_id=98000001)


def next_of(client: Colour, watch: Any) -> Any:
    """The next change, in either colour."""
    if client.name == "blocking":
        return next(watch)

    async def one() -> Any:
        return await anext(watch)

    return client.do(one())


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
