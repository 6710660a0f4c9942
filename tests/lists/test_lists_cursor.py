"""Cursors: the whole list once, then every change; time, limits, errors, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from esipy import App, ops
from esipy.core.cursors import Position
from esipy.exceptions import (
    BadRequestError,
    InvalidCallError,
    PositionRefusedError,
    RateLimitedError,
    ServerError,
    SettingError,
    UndecodableAnswerError,
)
from esipy.lists.cursor import Batch, Course
from esipy.ops.types.freelance_jobs import FreelanceJobsDetailFreelanceJob
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour, Connect
from tests.engine.kit import Bench, Script, answer
from tests.lists.cursor_kit import JOBS, PATH, AsyncDesk, Desk, Program, ids, versions
from tests.lists.cursor_model import CursorServer, job

CORPORATION = 98000001
PROJECTS = ops.corporation_projects.get_corporations_projects_listing(corporation_id=CORPORATION, state="All")
OBJECTIVES = ops.military_campaigns.get_military_campaigns_objectives_listing(campaign_id="c")

# ---- the documented protocol, in both colours, against the sandbox ----


def batches(client: Colour, cursor: Any) -> list[Batch[Any]]:
    """All that ``changes`` gives now."""
    if client.name == "blocking":
        return list(cursor.changes())

    async def collect() -> list[Batch[Any]]:
        return [batch async for batch in cursor.changes()]

    got: list[Batch[Any]] = client.do(collect())
    return got


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("overlap", [0, 3])
def test_T20_initial_then_changes(connect: Connect, box: RunningSandbox, at_end: bool, overlap: int) -> None:
    """The whole list in order, then each change once; with answers that overlap, and with no cursor at the end."""
    box.set_list(PATH, cursor_at_end=at_end, overlap=overlap)
    client = connect()
    cursor = client.client.cursor(ops.freelance_jobs.get_freelance_jobs_listing(limit=11))
    first = client.do(cursor.initial())
    assert (True, box.versions(PATH)[-1]) == (first.whole, ids(first.rows))
    assert isinstance(first.rows[0], FreelanceJobsDetailFreelanceJob)
    assert [] == batches(client, cursor)
    edited = box.edit(PATH, first.rows[3].id)
    added = box.add(PATH, 25)
    box.remove(PATH, first.rows[5].id)
    told = batches(client, cursor)
    assert (False, [edited, *added]) == (
        told[0].whole,
        list(dict.fromkeys(ids(row for b in told for row in b.rows)[overlap:])),
    )
    known = {row.id: row for row in first.rows} | {row.id: row for batch in told for row in batch.rows}
    del known[first.rows[5].id]  # nobody tells of that
    assert {*box.versions(PATH)[-1]} == known.keys()
    assert [] == batches(client, cursor)
    box.set_list(PATH, cursor_at_end=True, overlap=0)


def test_T20_an_empty_list_tells_what_comes(connect: Connect, box: RunningSandbox) -> None:
    """Without records, and without a cursor: a whole list without rows, and changes from the beginning of all."""
    client = connect()
    cursor = client.client.cursor(ops.freelance_jobs.get_freelance_jobs_listing(corporation_id=1000001))
    first = client.do(cursor.initial())
    assert ([], True, "0") == (first.rows, first.whole, first.position.after)
    assert [] == batches(client, cursor)


def test_a_list_that_was_never_read_begins_whole(connect: Connect, box: RunningSandbox) -> None:
    """One loop is enough: its first batch is the list."""
    client = connect()
    cursor = client.client.cursor(JOBS)
    assert None is client.do(cursor.position())
    [first] = batches(client, cursor)
    assert (True, len(box.versions(PATH)[-1])) == (first.whole, len(first.rows))
    assert first.position == client.do(cursor.position())


def test_pages_are_as_large_as_can_be(connect: Connect, box: RunningSandbox) -> None:
    """Without a limit a hundred at once, and one call that finds nothing more."""
    client = connect()
    box.forget()
    client.do(client.client.cursor(JOBS).initial())
    queries = [seen.query for seen in box.received() if seen.path == PATH]
    assert len(box.versions(PATH)[-1]) // 100 + 2 == len(queries)
    assert all(("limit", "100") in query for query in queries), queries


def test_corporations_projects_need_a_login(connect: Connect, box: RunningSandbox) -> None:
    """The token is the login's; what chooses the records belongs to the position."""
    client = connect(login=True)
    corporation = client.fetch(ops.character.get_characters_detail(character_id=client.security.character_id))
    call = PROJECTS.replace(corporation_id=corporation.corporation_id)
    first = client.do(client.client.cursor(call).initial())
    assert (37, f"/corporations/{corporation.corporation_id}/projects?state=All") == (
        len(first.rows),
        first.position.target,
    )


def test_calls_of_an_app_give_data_objects(connect: Connect, box: RunningSandbox) -> None:
    """Version 1's kind of call is read in the same way."""
    client = connect()
    first = client.do(client.client.cursor(App().op["get_freelance_jobs_listing"]()).initial())
    assert box.versions(PATH)[-1] == [row["id"] for row in first.rows]


def test_a_position_that_is_refused_says_begin_anew(connect: Connect, box: RunningSandbox) -> None:
    """Where ESI does not know the token: one error, and `initial` helps."""
    client = connect()
    lost = Position(PATH, "bm90IGEgbWFyaw")
    cursor = client.client.cursor(JOBS, position=lost)
    with pytest.raises(
        PositionRefusedError, match=r"does not take the position any more .*: begin anew with initial"
    ) as caught:
        batches(client, cursor)
    assert (422, True) == (caught.value.status_code, b"not a cursor" in caught.value.response)
    assert lost == client.do(cursor.position())
    client.do(cursor.initial())
    assert [] == batches(client, cursor)


# ---- time, limits and errors ----


def test_polling_gives_no_old_news() -> None:
    """Within the lifetime of an answer the kept one is given, without an exchange; after it ESI is asked."""
    server = CursorServer(4, Cache_Control="max-age=60", ETag='"x"')
    bench = Bench("simulated", server)

    async def story() -> None:
        course: Course[Any] = course_of(bench, JOBS)
        await course.initial()
        assert [] == await poll(course)
        asked = len(server.asked)
        server.change("edit", 0)
        assert ([], asked) == (await poll(course), len(server.asked))
        await bench.runtime.sleep(61)
        assert [{"job-1": 5}] == await poll(course)
        assert [] == await poll(course)

    bench.run(story())


def course_of(bench: Bench, call: Any) -> Course[Any]:
    async def fetch(call: Any) -> Any:
        response = await bench.engine.perform(call)
        response.raise_for_status()
        return response.data

    return Course(fetch, bench.runtime, call)


async def poll(course: Course[Any]) -> list[dict[str, int]]:
    """One round of ``changes``."""
    way = await course.begin()
    told: list[dict[str, int]] = []
    while True:
        batch, way = await course.more(way)
        if batch is None:
            return told
        told.append(versions(batch.rows))
        await course.taken(batch)


def test_an_error_in_the_middle_costs_nothing() -> None:
    """The walk back is whole or an error; changes go on from the last batch that was taken."""
    server = CursorServer(7, page=2)
    outage = [0]

    def serve(request: Any) -> Any:
        outage[0] -= 1
        return answer({"error": "down"}, 500) if outage[0] == 0 else server(request)

    cursor = Desk(serve).cursor(JOBS)
    outage[0] = 3
    with pytest.raises(ServerError):
        cursor.initial()
    assert None is cursor.position()
    assert server.live == versions(cursor.initial().rows)
    for _ in range(4):
        server.change("add")
    program, outage[0] = Program(), 2
    with pytest.raises(ServerError):
        program.follow(cursor.changes())
    program.follow(cursor.changes())
    assert [(f"job-{n}", n) for n in range(8, 12)] == program.told


def test_an_answer_without_its_list_ends_nothing() -> None:
    """It is an error, not the end of the walk."""
    script = Script(answer({"freelance_jobs": [job("a", 1)], "cursor": {"before": "b", "after": "a"}}), answer({}))
    with pytest.raises(UndecodableAnswerError, match="no list 'freelance_jobs'"):
        Desk(script).cursor(JOBS).initial()


def test_terms_are_those_of_each_call() -> None:
    """Who never waits is told so in the middle of a walk; nothing is sent that ESI would refuse."""
    server = CursorServer(900, page=1)
    with pytest.raises(RateLimitedError) as caught:
        Desk(server, cache=None, settings={"headroom": 0.0}).cursor(JOBS, policy="fail").initial()
    assert (450, True) == (len(server.asked), caught.value.retry_at is not None)


@pytest.mark.parametrize("verb", ["cursor", "walk"])
def test_terms_that_cannot_be_meant_are_refused_at_once(verb: str) -> None:
    """Before anything is sent."""
    call: Any = JOBS if verb == "cursor" else ops.wallet.get_characters_character_id_wallet_transactions(character_id=1)
    for desk in (Desk(Script()), AsyncDesk(Script())):
        with pytest.raises(SettingError, match="policy='never'"):
            getattr(desk, verb)(call, policy="never")


def test_other_lists_are_refused_at_once() -> None:
    """The text names the right verb; a token in the call, or a position of another list, is refused too."""
    desk: Any = Desk(Script())
    for call, way in (
        (ops.status.get_status(), "client.fetch"),
        (ops.wallet.get_characters_character_id_wallet_transactions(character_id=1), "client.walk"),
        (ops.assets.get_characters_character_id_assets(character_id=1), "client.snapshot"),
    ):
        with pytest.raises(InvalidCallError, match=rf"{call.operation.name} is not read in this way: use {way}"):
            desk.cursor(call)
    for token in ("before", "after"):
        with pytest.raises(InvalidCallError, match=f"'{token}' is the cursor's own"):
            desk.cursor(JOBS.replace(**{token: "x"}))
    with pytest.raises(InvalidCallError, match="cannot be used for /freelance-jobs: begin anew"):
        desk.cursor(JOBS, position=Position("/elsewhere", "x"))
    with pytest.raises(SettingError, match="name='x': is for a store"):
        desk.cursor(JOBS, name="x")


def test_a_refusal_of_the_call_itself_is_no_refused_position() -> None:
    """When ESI refuses the first page, or the one that begins at the start, the call is at fault."""
    refused = answer({"error": "bad"}, 400)
    with pytest.raises(BadRequestError) as first:
        Desk(lambda _: refused).cursor(JOBS).initial()
    with pytest.raises(BadRequestError) as second:
        next(Desk(lambda _: refused).cursor(JOBS, position=Position(PATH, "0")).changes())
    assert [BadRequestError] * 2 == [type(first.value), type(second.value)]


def test_an_asyncio_cursor_is_left_without_a_trace() -> None:
    """Leaving the loop takes nothing, asks for nothing more, and leaves nothing open."""
    server = CursorServer(3, page=2)

    async def story() -> None:
        cursor = AsyncDesk(server).cursor(JOBS)
        await cursor.initial()
        await cursor.commit()
        for _ in range(4):
            server.change("add")
        asked = len(server.asked)
        loop: AsyncIterator[Batch[Any]] = cursor.changes()
        assert ["job-4", "job-5"] == ids((await anext(loop)).rows)
        assert (asked + 1, "m3") == (len(server.asked), (await cursor.position() or Position("", "")).after)
        await loop.aclose()  # type: ignore[attr-defined]

    asyncio.run(story())


def test_the_objectives_of_campaigns_are_read_too() -> None:
    """Another list, with another key, and a lifetime."""
    row = {
        "id": "o1",
        "last_modified": "2026-08-04T12:00:00Z",
        "participants": {"committed": 1, "contributors": 1, "total": 1},
        "progress": 3,
        "state": "Active",
    }
    script = Script(answer({"objectives": [row], "cursor": {"before": "b", "after": "a"}}), answer({"objectives": []}))
    assert ["o1"] == ids(Desk(script).cursor(OBJECTIVES).initial().rows)
