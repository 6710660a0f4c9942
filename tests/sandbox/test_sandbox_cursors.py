"""Lists with a cursor that change between polls, and every odd way in which they may be told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.sandbox.esi_versions import Lists
from tests.sandbox.sandbox_esi_caller import Caller, data

JOBS = "/freelance-jobs"
PARTICIPANTS = "/corporations/98000001/freelance-jobs/some-job/participants"
Record = dict[str, Any]


def part(caller: Caller, path: str = JOBS, limit: int = 10, **mark: str) -> tuple[list[Record], dict[str, str] | None]:
    """The records of one answer, and its cursor."""
    answer = data(caller.mine(path, ("limit", limit), *mark.items()))
    cursor = answer.pop("cursor", None)
    (records,) = answer.values()
    return records, cursor


def walk(caller: Caller, direction: str, mark: str | None, path: str = JOBS, limit: int = 10) -> list[list[Record]]:
    """All answers in one direction but the empty one."""
    parts: list[list[Record]] = []
    while True:
        records, cursor = part(caller, path, limit, **({direction: mark} if mark is not None else {}))
        if not records:
            return parts
        assert cursor is not None
        parts.append(records)
        mark = cursor[direction]


def ids(parts: list[list[Record]]) -> list[Any]:
    """The ids in the order in which they came."""
    return [record["id"] for records in parts for record in records]


def first_after(caller: Caller, path: str = JOBS) -> str:
    """The mark with which polling begins."""
    _, cursor = part(caller, path)
    assert cursor is not None
    return cursor["after"]


@pytest.mark.parametrize("path", [JOBS, PARTICIPANTS])
def test_T20_edits_between_polls_come_after_the_mark(caller: Caller, lists: Lists, path: str) -> None:
    """An edited and a new record come once each, in that order, with other data; a removed one never again."""
    before = {record["id"]: record for record in walk(caller, "before", None, path, 100)[0]}
    mark = first_after(caller, path)
    known = list(before)
    edited = lists.edit(path, known[5])
    removed = lists.remove(path, known[6])
    (new,) = lists.add(path)
    assert [known[5], known[6]] == [edited, removed]
    changed = walk(caller, "after", mark, path, 10)
    assert [edited, new] == ids(changed)
    assert before[edited] != changed[0][0]
    assert {*known, new} - {removed} == set(ids(walk(caller, "before", None, path)))


def test_an_edited_record_leaves_the_way_back(caller: Caller, lists: Lists) -> None:
    """Who walks back and has not met it yet meets it no more: only polling from the first mark tells of it."""
    records, cursor = part(caller)
    assert cursor is not None
    oldest = lists.edit(JOBS)
    rest = ids(walk(caller, "before", cursor["before"]))
    assert 36 == len({*ids([records]), *rest})
    assert [oldest] == ids(walk(caller, "after", cursor["after"]))


def test_T20_the_end_repeats_the_mark_or_has_no_cursor(caller: Caller, lists: Lists) -> None:
    """An empty answer has the mark that was sent; or, when so told, no cursor object. Other answers have one."""
    mark = first_after(caller)
    assert ([], {"before": mark, "after": mark}) == part(caller, after=mark)
    lists.set_list(JOBS, cursor_at_end=False)
    assert ([], None) == part(caller, after=mark)
    lists.edit(JOBS)
    records, cursor = part(caller, after=mark)
    assert (1, True) == (len(records), cursor is not None)


def test_T20_records_at_borders_come_twice(caller: Caller, lists: Lists) -> None:
    """With an overlap each answer repeats records of the last one, and the walk still ends."""
    every = set(ids(walk(caller, "before", None)))
    lists.set_list(JOBS, overlap=2)
    back = walk(caller, "before", None)
    assert [ids([newer])[:2] for newer in back[:-1]] == [ids([older])[-2:] for older in back[1:]]
    assert every == set(ids(back))
    forth = walk(caller, "after", "0")
    assert [ids([older])[-2:] for older in forth[:-1]] == [ids([newer])[:2] for newer in forth[1:]]
    assert every == set(ids(forth))


def test_T20_what_comes_again_on_the_way_back_is_older(caller: Caller, lists: Lists) -> None:
    """Towards ``before`` an edited record comes again where and as it was: who replaces what he has loses the edit."""
    before, _ = part(caller)
    edited = lists.edit(JOBS, before[1]["id"])
    lists.set_list(JOBS, overlap=2)
    newest, cursor = part(caller)
    assert edited == newest[-1]["id"]
    assert before[1] != newest[-1]
    assert cursor is not None
    older, _ = part(caller, before=cursor["before"])
    assert before[1] not in older
    lists.edit(JOBS, older[-1]["id"])  # what stood at the border
    again, _ = part(caller, before=cursor["before"])
    assert older[-1] == again[-1]


def test_a_list_that_lost_all_its_records_still_has_a_mark(caller: Caller, lists: Lists) -> None:
    """The first record that comes after is found with it."""
    for _ in range(37):
        lists.remove(JOBS)
    assert [] == lists.versions(JOBS)[-1]
    mark = first_after(caller)
    assert lists.add(JOBS) == ids(walk(caller, "after", mark))


def test_versions_of_a_cursor_have_the_newest_last(caller: Caller, lists: Lists) -> None:
    """Each edit is a version; whole records are as an answer has them; a filter chooses among them."""
    known = ids(walk(caller, "before", None, limit=100))
    lists.edit(JOBS, known[0])
    assert [known, [*known[1:], known[0]]] == lists.versions(JOBS)
    assert part(caller, limit=100)[0] == lists.versions(JOBS, ids=False)[-1]
    assert {*lists.versions(JOBS, {"corporation_id": "98000001"})[-1]} < {*known}


edits = st.lists(st.tuples(st.sampled_from(["edit", "remove", "add"]), st.integers(0, 10**6)), max_size=6)


@settings(max_examples=25, deadline=None)
@given(st.lists(edits, max_size=6), st.integers(10, 20), st.integers(0, 3))
def test_T20_the_documented_protocol_follows_any_edits(
    script: list[list[tuple[str, int]]], limit: int, overlap: int
) -> None:
    """Who walks back, then polls from the first mark, keeps from ``before`` and replaces from ``after``, has every
    record that is there, as it is; edits happen before, between and after the answers.
    """
    caller = Caller()
    lists = caller.api.lists
    lists.set_list(JOBS, overlap=overlap)
    todo = list(script)

    def happen() -> None:
        for what, number in todo.pop() if todo else []:
            there = lists.versions(JOBS)[-1]
            if what == "add":
                lists.add(JOBS)
            elif there:
                (lists.edit if what == "edit" else lists.remove)(JOBS, there[number % len(there)])

    records, cursor = part(caller, limit=limit)
    assert cursor is not None
    after = cursor["after"]
    known = {record["id"]: record for record in records}
    while records:
        happen()
        assert cursor is not None
        records, cursor = part(caller, limit=limit, before=cursor["before"])
        for record in records:
            known.setdefault(record["id"], record)
    while True:
        for answer in walk(caller, "after", after, limit=limit):
            known |= {record["id"]: record for record in answer}
        if not todo:
            break
        happen()
    there = {record["id"]: record for record in lists.versions(JOBS, ids=False)[-1]}
    assert there == {name: known[name] for name in there}
