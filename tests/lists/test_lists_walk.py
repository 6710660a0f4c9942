"""Walks from id to id: each row once, to the end, whatever comes or goes meanwhile."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any
from urllib.parse import parse_qs, urlsplit
from weakref import WeakSet

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy import App, ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import InvalidCallError, ServerError, UndecodableAnswerError
from esipy.lists.walk import Walk
from esipy.ops.types.wallet import CharactersCharacterIdWalletTransactionsItem
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour, Connect
from tests.engine.kit import Script, answer
from tests.lists.cursor_kit import AsyncDesk, Desk

TRANSACTIONS = ops.wallet.get_characters_character_id_wallet_transactions(character_id=91)
MAILS = ops.mail.get_characters_character_id_mail(character_id=91)
CALENDAR = ops.calendar.get_characters_character_id_calendar(character_id=91)
CALLS = {"from_id": TRANSACTIONS, "last_mail_id": MAILS, "from_event": CALENDAR}


def walked(client: Colour, call: Any, most: int | None = None) -> list[Any]:
    """The rows of a walk, or the first of them."""
    if client.name == "blocking":
        return list(itertools.islice(client.client.walk(call), most))

    async def collect() -> list[Any]:
        rows: list[Any] = []
        async for row in client.client.walk(call):
            rows.append(row)
            if len(rows) == most:
                break
        return rows

    got: list[Any] = client.do(collect())
    return got


# ---- against the sandbox, in both colours ----


def own(client: Colour, call: Any) -> Any:
    return call.replace(character_id=client.security.character_id)


def test_T21_wallet_transactions_come_once_each(connect: Connect, box: RunningSandbox) -> None:
    """All 130 of them, newest first, over pages that each begin with the last row of the one before."""
    hero = connect(login=True)
    call = own(hero, TRANSACTIONS)
    rows = walked(hero, call)
    assert isinstance(rows[0], CharactersCharacterIdWalletTransactionsItem)
    ids = [row.transaction_id for row in rows]
    assert box.versions(call.path)[-1] == ids
    assert sorted({*ids}, reverse=True) == ids
    assert ids[40:] == [row.transaction_id for row in walked(hero, call.replace(from_id=ids[40]))]


def test_mail_headers_come_once_each(connect: Connect) -> None:
    """120 of them, newest first; with a label, those that have it."""
    hero = connect(login=True)
    ids = [row.mail_id for row in walked(hero, own(hero, MAILS))]
    assert (120, sorted({*ids}, reverse=True)) == (len(ids), ids)
    inbox = walked(hero, own(hero, MAILS.replace(labels=[1])))
    assert 0 < len(inbox) < 120
    assert {True} == {row.labels == [1] for row in inbox}


def test_the_calendar_comes_in_the_order_of_time(connect: Connect) -> None:
    """120 events, the next one first."""
    hero = connect(login=True)
    dates = [row.event_date for row in walked(hero, own(hero, CALENDAR))]
    assert (120, sorted(dates)) == (len(dates), dates)


def test_stopping_early_asks_for_no_more(connect: Connect, box: RunningSandbox) -> None:
    """A walk that is not begun sends nothing; one that is left on its second page has asked for two."""
    hero = connect(login=True)
    call = own(hero, TRANSACTIONS)
    box.forget()
    hero.client.walk(call)
    assert [] == box.received(path=call.path)
    assert 50 == len(walked(hero, call, 50))
    assert 1 == len(box.received(path=call.path))
    box.forget()
    assert 51 == len(walked(hero, call.replace(from_id=None), 51))
    assert 1 == len(box.received(path=call.path))  # the first page is kept


def test_calls_of_an_app_give_data_objects(connect: Connect, box: RunningSandbox) -> None:
    """Version 1's kind of call is walked in the same way."""
    hero = connect(login=True)
    name = TRANSACTIONS.operation.name
    rows = walked(hero, App().op[name](character_id=hero.security.character_id))
    assert box.versions(own(hero, TRANSACTIONS).path)[-1] == [row["transaction_id"] for row in rows]


# ---- laws, against a server of our own ----


class ListServer:
    """A list of ids, newest first, in pages: with ``from_id`` from that id on, else behind it.

    Args:
        steps: what happens before each answer: ``("add", _)`` a new one in front, ``("remove", n)`` the nth is gone.
    """

    def __init__(self, parameter: str, ids: list[int], page: int, steps: list[tuple[str, int]] | None = None) -> None:
        self.parameter = parameter
        self.ids = ids
        self.page = page
        self.steps = list(steps or [])
        self.key = {"from_id": "transaction_id", "last_mail_id": "mail_id", "from_event": "event_id"}[parameter]
        self.ever = set(ids)
        self.removed = set[int]()
        self.asked: list[int | None] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        edit, number = self.steps.pop(0) if self.steps else ("none", 0)
        asked = parse_qs(urlsplit(request.url).query).get(self.parameter)
        mark = None if asked is None else int(asked[0])
        self.asked.append(mark)
        if edit == "add":
            new = max(self.ever, default=0) + 1
            self.ever.add(new)
            if self.parameter == "from_event":
                self.ids.append(new)
            else:
                self.ids.insert(0, new)
        elif edit == "remove" and self.ids and self.parameter == "last_mail_id":
            self.removed.add(self.ids.pop(number % len(self.ids)))
        if mark is None:
            found = self.ids
        elif self.parameter == "from_id":
            found = [one for one in self.ids if one <= mark]
        elif self.parameter == "last_mail_id":
            found = [one for one in self.ids if one < mark]
        else:
            found = self.ids[self.ids.index(mark) + 1 :]
        return answer([self.row(one) for one in found[: self.page]])

    def row(self, one: int) -> dict[str, Any]:
        if self.parameter == "from_id":
            return {
                "client_id": 1, "date": "2026-08-04T12:00:00Z", "is_buy": True, "is_personal": True,
                "journal_ref_id": one, "location_id": 1, "quantity": 1, "transaction_id": one, "type_id": 34,
                "unit_price": 1.0,
            }  # fmt: skip
        return {self.key: one}


def ids_of(server: ListServer) -> list[int]:
    walk: Any = Desk(server, cache=None).walk
    return [getattr(row, server.key) for row in walk(CALLS[server.parameter])]


@pytest.mark.parametrize("parameter", CALLS)
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5, 6, 7])
def test_T21_every_length_ends(parameter: str, rows: int) -> None:
    """None, one, full pages and odd ones: each row once, and one question more than there are answers with news."""
    server = ListServer(parameter, list(range(rows, 0, -1)), 3)
    assert list(range(rows, 0, -1)) == ids_of(server)
    assert len(server.asked) <= 2 + rows // 2


def test_T21_a_list_of_one_row_ends() -> None:
    """With ``from_id`` the row comes again, alone: that is the end."""
    server = ListServer("from_id", [77], 3)
    assert [77] == ids_of(server)
    assert [None, 77] == server.asked


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([*CALLS]),
    st.integers(0, 12),
    st.integers(2, 4),
    st.lists(st.tuples(st.sampled_from(["add", "remove", "none"]), st.integers(0, 12)), max_size=8),
)
def test_T21_each_row_once_whatever_happens_meanwhile(
    parameter: str, rows: int, page: int, steps: list[tuple[str, int]]
) -> None:
    """New rows in front (events: at the end), mails that are deleted: what was there from the first answer to the last
    is given once, in order; nothing is given twice.
    """
    start = list(range(rows, 0, -1))
    server = ListServer(parameter, list(start), page, steps)
    got = ids_of(server)
    assert len(got) == len({*got})
    stayed = [one for one in start if one not in server.removed]
    assert stayed == [one for one in got if one in stayed]
    assert {*got} <= server.ever


def test_a_server_that_repeats_itself_comes_to_an_end() -> None:
    """One that gives the same page for every id, and one that goes in circles: each row of a page is given once."""
    rows = [ListServer("last_mail_id", [], 1).row(one) for one in (3, 2, 1)]
    same = Script(answer(rows))
    assert [3, 2, 1] == [row.mail_id for row in Desk(same, cache=None).walk(MAILS)]
    assert 2 == len(same.requests)
    turns = itertools.cycle([answer(rows[:1]), answer(rows[1:2]), answer(rows[2:])])
    circle = Desk(lambda _: next(turns), cache=None)
    assert [3, 2, 1, 3] == [row.mail_id for row in circle.walk(MAILS)]


def test_rows_without_an_id_are_given() -> None:
    """Mail headers may lack one, by their type: they come, and the walk goes on from the last row that has one."""
    script = Script(answer([{"mail_id": 9}, {"subject": "?"}]), answer([{"subject": "?"}]))
    assert [9, None, None] == [row.mail_id for row in Desk(script).walk(MAILS)]
    assert script.targets[1].endswith("last_mail_id=9")


def test_an_error_is_told_where_it_happens() -> None:
    """Rows that came before it are given first."""
    page = answer([{"mail_id": 9}])
    for bad, error in ((answer({"error": "x"}, 500), ServerError), (answer({"mail": 1}), UndecodableAnswerError)):
        rows = Desk(Script(page, bad)).walk(MAILS)
        assert 9 == next(rows).mail_id
        with pytest.raises(error):
            next(rows)


class Mail:
    """A row that can be watched."""

    def __init__(self, mail_id: int) -> None:
        self.mail_id = mail_id


def test_memory_is_that_of_two_pages() -> None:
    """Rows that were given are not held: of 60 pages no more than three are alive at any time."""
    alive: WeakSet[Mail] = WeakSet()

    async def fetch(call: Any) -> list[Mail]:
        last = call.arguments.get("last_mail_id", 601)
        rows = [Mail(one) for one in range(last - 1, max(last - 11, 0), -1)]
        alive.update(rows)
        return rows

    async def story() -> tuple[int, int]:
        way: Walk[Any] = Walk(fetch, MAILS)
        most = given = 0
        while (page := await way.page()) is not None:
            given += len(page)
            most = max(most, len(alive))
        return given, most

    given, most = asyncio.run(story())
    assert (600, True) == (given, most <= 30)


def test_other_lists_are_refused_at_once() -> None:
    """Before the first row is asked for; the text names the right verb."""
    for desk in (Desk(Script()), AsyncDesk(Script())):
        walk: Any = desk.walk
        with pytest.raises(InvalidCallError, match=r"use client\.snapshot"):
            walk(ops.assets.get_characters_character_id_assets(character_id=1))
        with pytest.raises(InvalidCallError, match=r"use client\.cursor"):
            walk(ops.freelance_jobs.get_freelance_jobs_listing())
