"""Bulk calls of any length: each item once, in as many calls as it takes, answered as one, bad items found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy import App, AsyncEsiClient, EsiClient, ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import ForbiddenError, IncompleteBulkError, InvalidCallError, NotFoundError, ServerError
from esipy.lists.bulk import Bulk, bulk
from esipy.sandbox import RunningSandbox
from esipy.testing import sandbox
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.engine.kit import COLOURS, Bench, Login

AGENT = {"User-Agent": "tests/1.0 (tests@example.com)"}
HERO = 91


def names(ids: Iterable[int]) -> Any:
    """A call for the names of these things."""
    return ops.universe.post_universe_names(body=list(ids))


class Names:
    """A server that knows names, but not those of these ids; one of them fails the whole batch.

    Attributes:
        batches: the bodies that came.
        refusals: how many were refused.
        silent: ids that it takes, and says nothing of.
        instead: may answer a body in its place.
    """

    def __init__(self, bad: Iterable[int] = (), silent: Iterable[int] = ()) -> None:
        self.bad = set(bad)
        self.silent = set(silent)
        self.batches: list[list[int]] = []
        self.refusals = 0
        self.instead: Callable[[list[int]], HttpResponse | None] = lambda _: None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ids: list[int] = msgspec.json.decode(request.body or b"[]")
        assert 1 <= len(ids) == len(set(ids)) <= 1000
        self.batches.append(ids)
        other = self.instead(ids)
        if other is not None:
            return other
        if self.bad & set(ids):
            self.refusals += 1
            return HttpResponse(404, Headers([]), b'{"error":"Ensure all IDs are valid before resolving."}')
        rows = [
            {"id": one, "name": f"n{one}", "category": "character"} for one in reversed(ids) if one not in self.silent
        ]
        return HttpResponse(200, Headers([]), msgspec.json.encode(rows))


def ask(server: Any, call: Any, colour: str = "simulated", **options: Any) -> Bulk[Any]:
    """A bulk call to this server."""
    bench = Bench(colour, server, signer=Login())
    return bench.run(bulk(bench.engine, call, **options))


@pytest.mark.parametrize("colour", COLOURS)
def test_a_long_list_is_cut_and_answered_as_one(colour: str) -> None:
    """2,500 ids are three calls; the rows come in the order asked, whatever order they are answered in."""
    server = Names()
    ids = [*range(5000, 2500, -1)]
    got = ask(server, names(ids), colour)
    assert [ids, (), (), 3, {}] == [[row.id for row in got.data], got.bad, got.missing, got.calls, got.causes]
    assert [500, 1000, 1000] == sorted(map(len, server.batches))


def test_an_item_is_asked_once() -> None:
    """Its row is there once, at its first place."""
    server = Names()
    got = ask(server, names([7, 3, 7, 7, 3, 9]))
    assert ([7, 3, 9], [[7, 3, 9]]) == ([row.id for row in got.data], server.batches)


@pytest.mark.parametrize("colour", COLOURS)
def test_one_bad_id_is_found_and_the_rest_is_answered(colour: str) -> None:
    """By halving: of 1,000 ids, each half is asked at most once on the way down."""
    server = Names(bad=[1617])
    got = ask(server, names(range(1000, 2000)), colour)
    assert ((1617,), 999, {}) == (got.bad, len(got.data), got.causes)
    assert [one for one in range(1000, 2000) if one != 1617] == [row.id for row in got.data]
    assert server.refusals <= 10
    assert len(server.batches) <= 20


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.sets(st.integers(0, 39), max_size=6), st.integers(0, 8))
def test_what_is_not_bad_is_answered_or_told(count: int, bad: set[int], most: int) -> None:
    """Each item is a row, bad, or has a cause; none is called bad that is not; refusals keep to their bound."""
    server = Names(bad)
    got = ask(server, names(range(count)), allow_partial=True, max_refusals=most)
    rows = {row.id for row in got.data}
    assert set(range(count)) == rows | set(got.bad) | set(got.causes)
    assert set(got.bad) <= bad
    assert not rows & bad
    assert server.refusals <= most + 1
    if most == 8 and len(bad) == 1:
        assert {} == got.causes


def test_refusals_have_a_bound() -> None:
    """Many bad ids among many good ones: after so many refusals it ends, with what was answered and what was not."""
    server = Names(bad=range(0, 1000, 10))
    with pytest.raises(IncompleteBulkError, match="of 1000 items were not answered") as caught:
        ask(server, names(range(1000)), max_refusals=12)
    assert 12 <= server.refusals <= 13
    assert {NotFoundError} == {type(cause) for cause in caught.value.causes.values()}
    assert {row.id for row in caught.value.bulk.data}.isdisjoint(caught.value.causes)


def test_a_chunk_that_fails_is_told_and_the_others_are_answered() -> None:
    """An error that holds them; or they, with ``allow_partial``."""
    server = Names()
    server.instead = lambda ids: HttpResponse(500, Headers([]), b"") if 1500 in ids else None
    with pytest.raises(IncompleteBulkError) as caught:
        ask(server, names(range(3000)))
    assert ([*range(1000), *range(2000, 3000)], [*range(1000, 2000)]) == (
        [row.id for row in caught.value.bulk.data],
        list(caught.value.causes),
    )
    assert ServerError is type(caught.value.causes[1000])
    assert 2000 == len(ask(server, names(range(3000)), allow_partial=True).data)


def test_where_all_would_be_refused_no_more_are_sent() -> None:
    """A 403 is no matter of one item: each further call would cost 5 tokens."""
    server = Names()
    server.instead = lambda _: HttpResponse(403, Headers([]), b"{}")
    with pytest.raises(IncompleteBulkError) as caught:
        ask(server, names(range(9000)), concurrency=1)
    assert (1, 9000) == (len(server.batches), len(caught.value.causes))
    assert {ForbiddenError} == {type(cause) for cause in caught.value.causes.values()}


def test_items_of_which_nothing_is_said_are_missing() -> None:
    """ESI takes them, and has no row for them."""
    got = ask(Names(silent=[5, 6]), names([4, 5, 6, 7]))
    assert ([4, 7], (5, 6)) == ([row.id for row in got.data], got.missing)


def test_the_same_items_in_another_order_are_a_hit() -> None:
    """Affiliations are kept per body (T10): whatever the order, they make the same bodies."""
    batches: list[list[int]] = []

    def serve(request: HttpRequest) -> HttpResponse:
        ids = msgspec.json.decode(request.body or b"[]")
        batches.append(ids)
        return HttpResponse(
            200, Headers([]), msgspec.json.encode([{"character_id": one, "corporation_id": 1} for one in ids])
        )

    bench = Bench("blocking", serve)
    forth, back = [*range(1, 1501)], [*range(1500, 0, -1)]
    first = bench.run(bulk(bench.engine, ops.character.post_characters_affiliation(body=forth)))
    second = bench.run(bulk(bench.engine, ops.character.post_characters_affiliation(body=back)))
    assert 2 == len(batches)
    assert (forth, back) == ([row.character_id for row in first.data], [row.character_id for row in second.data])


def test_a_delete_takes_its_items_in_the_query() -> None:
    """45 contacts are three calls of 20 at the most; nothing is answered."""
    seen: list[list[str]] = []

    def serve(request: HttpRequest) -> HttpResponse:
        seen.append(parse_qs(urlsplit(request.url).query)["contact_ids"])
        return HttpResponse(204, Headers([]), b"")

    call = ops.contacts.delete_characters_character_id_contacts(character_id=HERO, contact_ids=[*range(45)])
    got = ask(serve, call)
    assert (None, [5, 20, 20]) == (got.data, sorted(map(len, seen)))


def test_contacts_are_added_in_chunks_of_a_hundred() -> None:
    """The answer is the ids themselves; the other arguments go with each chunk."""

    def serve(request: HttpRequest) -> HttpResponse:
        assert ["10"] == parse_qs(urlsplit(request.url).query)["standing"]
        return HttpResponse(201, Headers([]), request.body or b"[]")

    call = ops.contacts.post_characters_character_id_contacts(character_id=HERO, standing=10.0, body=[*range(250)])
    got = ask(serve, call)
    assert ([*range(250)], 3) == (got.data, got.calls)


def test_costs_are_added_up() -> None:
    """CSPA: what a mail to all of them costs."""
    call = ops.character.post_characters_character_id_cspa(character_id=HERO, body=[*range(150)])
    got = ask(lambda request: HttpResponse(201, Headers([]), b"2.5"), call)
    assert (5.0, 2) == (got.data, got.calls)


@pytest.mark.parametrize("is_typed", [True, False])
def test_objects_of_lists_are_joined(is_typed: bool) -> None:
    """Ids by names: each kind's rows of all chunks; in version 1's form, too."""

    def serve(request: HttpRequest) -> HttpResponse:
        found = [{"id": int(name), "name": name} for name in msgspec.json.decode(request.body or b"[]")]
        data = {"characters": found, **({"systems": found[:1]} if found[0]["id"] > 600 else {})}
        return HttpResponse(200, Headers([]), msgspec.json.encode(data))

    texts = [str(number) for number in range(501, 1501)]
    call: Any = ops.universe.post_universe_ids(body=texts)
    if not is_typed:
        call = App().op["post_universe_ids"](names=texts)
    got = ask(serve, call)
    assert ([*range(501, 1501)], [1001], 2) == (
        [row.id for row in got.data.characters], [row.id for row in got.data.systems], got.calls,
    )  # fmt: skip


def test_what_takes_no_list_is_refused() -> None:
    """And so is a list without items."""
    for call in (ops.status.get_status(), names([])):
        with pytest.raises(InvalidCallError):
            ask(Names(), call)


@pytest.fixture(scope="module")
def esi() -> Any:
    """A sandbox over HTTP."""
    with sandbox() as running:
        yield running


def test_through_the_clients_and_over_http(esi: RunningSandbox) -> None:
    """In both colours; ESI's own 404 for a batch with one id that names nothing."""
    ids = [*range(2112000001, 2112000021), 4_000_000_000, *range(2112000021, 2112000031)]
    with EsiClient(headers=AGENT, base_url=esi.url) as client:
        got = client.bulk(names(ids))

    async def scene() -> Any:
        async with AsyncEsiClient(headers=AGENT, base_url=esi.url) as aclient:
            return await aclient.bulk(names(ids))

    assert ((4_000_000_000,), [one for one in ids if one != 4_000_000_000]) == (got.bad, [row.id for row in got.data])
    assert got.data == asyncio.run(scene()).data


def test_fetch_takes_the_right_way_by_itself() -> None:
    """More items than one call takes: all data, in both colours; a bad item is an error, as data alone cannot tell."""
    server = Names(bad=[5])
    with EsiClient(headers=AGENT, transport=ScriptedTransport(server)) as client:
        assert 1100 == len(client.fetch(names(range(10, 1110))))
        with pytest.raises(IncompleteBulkError):
            client.fetch(names(range(1100)))
        with pytest.raises(NotFoundError):
            client.fetch(names([5]))

    async def scene() -> Any:
        async with AsyncEsiClient(headers=AGENT, transport=AsyncScriptedTransport(Names())) as aclient:
            return await aclient.fetch(names(range(1100)))

    assert 1100 == len(asyncio.run(scene()))
