"""The rules of lists that are read by cursor, one by one: pages become rows, tokens become positions."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple, get_args

import msgspec
import pytest
from msgspec.inspect import ListType, StructType, type_info

from esipy import ops
from esipy.core.cursors import (
    ROW_KEYS,
    START,
    Backward,
    CursorPage,
    Forward,
    Position,
    key_of,
    list_field,
    read_page,
)
from esipy.core.objects import as_data
from esipy.exceptions import InvalidCallError, UndecodableAnswerError
from esipy.operation import Operation, Pagination

LISTS = [operation for operation in ops.operations() if operation.pagination in ROW_KEYS]
JOBS = ops.freelance_jobs.GET_FREELANCE_JOBS_LISTING.result_type()


class Row(NamedTuple):
    """A record: its id, and which state of it this is."""

    id: Any
    state: int = 0


def page(*rows: Row, before: str | None = None, after: str | None = None) -> CursorPage:
    return CursorPage([*rows], before, after)


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.name)
def test_the_catalogue_has_the_key_of_each_list(operation: Operation[Any]) -> None:
    """Each row's type has the field by which its rows are known, and it is an id."""
    shape = type_info(operation.result_type())
    if operation.pagination == "cursor":
        assert isinstance(shape, StructType)
        [shape] = [field.type for field in shape.fields if field.name == list_field(operation.result_type())]
    assert isinstance(shape, ListType)
    assert isinstance(shape.item_type, StructType)
    assert ROW_KEYS[operation.pagination or ""] in {field.name for field in shape.item_type.fields}


def test_every_way_to_read_a_list_in_parts_is_known() -> None:
    """Seven lists by cursor, four from id to id; pages are read elsewhere."""
    assert {*get_args(Pagination)} == {*ROW_KEYS, "pages"}
    ways = [str(operation.pagination) for operation in LISTS]
    assert {"cursor": 7, "from_id": 2, "last_mail_id": 1, "from_event": 1} == {way: ways.count(way) for way in ROW_KEYS}


def test_the_field_of_the_list_differs_by_route() -> None:
    """It is found in the type."""
    fields = {list_field(operation.result_type()) for operation in LISTS if operation.pagination == "cursor"}
    assert {"projects", "freelance_jobs", "objectives", "participants", "contributors"} == fields


@pytest.mark.parametrize("typed", [True, False])
def test_a_page_is_read_from_either_kind_of_data(typed: bool) -> None:
    """Typed, or version 1's data objects; tokens that are missing, empty or no text are None."""

    def read(body: dict[str, Any]) -> CursorPage:
        return read_page(msgspec.convert(body, JOBS) if typed else as_data(body, None), "freelance_jobs")

    assert ([], None, None) == read({"freelance_jobs": []})
    assert ([], None, None) == read({"freelance_jobs": [], "cursor": {}})
    assert ([], "a", None) == read({"freelance_jobs": [], "cursor": {"before": "a", "after": ""}})
    assert ([], None, "b") == read({"freelance_jobs": [], "cursor": {"after": "b"}})


def test_what_has_no_list_is_no_empty_page() -> None:
    """An answer without its list is an error: it does not end a walk."""
    for data in (None, as_data({"cursor": {"before": "a"}}, None), as_data({"freelance_jobs": 3}, None)):
        with pytest.raises(UndecodableAnswerError, match="no list 'freelance_jobs'"):
            read_page(data, "freelance_jobs")


def test_keys_are_numbers_or_texts() -> None:
    """What came in another form than declared has no key."""
    assert [5, "a", None, None, None] == [
        key_of(row, "id") for row in (Row(5), Row("a"), Row(None), Row([1]), "no row")
    ]


# ---- back to the oldest ----


def test_T20_backward_ends_on_an_empty_page() -> None:
    """Not on a short one, and not on a token that was there before."""
    way = Backward()
    assert "b2" == way.take(page(Row(8), Row(9), before="b2", after="a1"))
    assert "b2" == way.take(page(Row(7), before="b2", after="x"))
    assert "b1" == way.take(page(Row(5), Row(6), before="b1", after="y"))
    assert not way.whole
    assert None is way.take(page(before="b1", after="b1"))
    assert (True, "a1") == (way.whole, way.after)
    assert [Row(5), Row(6), Row(7), Row(8), Row(9)] == way.rows()


def test_T20_from_before_what_is_there_stays() -> None:
    """The newer page came first; within a page the last is the newest."""
    way = Backward()
    way.take(page(Row(1, 5), Row(2, 6), Row(1, 7), before="b", after="a"))
    way.take(page(Row(3, 1), Row(2, 2), before="c", after="a"))
    way.take(page())
    assert [Row(3, 1), Row(2, 6), Row(1, 7)] == way.rows()


def test_T20_backward_without_a_cursor_has_perhaps_not_seen_all() -> None:
    """Whether the first page has none, or a later one, or lacks a token: changes are then asked for from the start."""
    for pages in (
        [page(Row(1))],
        [page(Row(1), after="a")],
        [page(Row(2), before="b", after="a"), page(Row(1))],
    ):
        way = Backward()
        assert None is [way.take(one) for one in pages][-1]
        assert (False, START) == (way.whole, way.after)


def test_T20_an_empty_list_without_a_cursor_is_whole() -> None:
    """What comes later is then all there is."""
    way = Backward()
    assert None is way.take(page())
    assert (True, START, []) == (way.whole, way.after, way.rows())


def test_backward_ends_where_a_server_goes_in_circles() -> None:
    """A token that was asked with, and brought nothing new, is not asked with again."""
    way = Backward()
    assert ["b", "c", "b", None] == [
        way.take(page(Row(2), before="b", after="a")),
        way.take(page(Row(1), before="c")),
        way.take(page(Row(0), before="b")),
        way.take(page(Row(1), before="c")),
    ]
    assert (False, START) == (way.whole, way.after)


def test_rows_without_an_id_are_all_kept() -> None:
    """Nobody knows which of them are the same."""
    way = Backward()
    way.take(page(Row(None), Row(None), before="b", after="a"))
    assert [Row(None), Row(None)] == way.rows()
    assert [Row(None), Row(None)] == Forward("a").take(page(Row(None), Row(None), after="b"))


# ---- on to the newest ----


def test_T20_forward_goes_on_until_an_empty_page() -> None:
    """With the newest token, also that of the empty page."""
    way = Forward("a")
    assert [Row(1)] == way.take(page(Row(1), after="b"))
    assert (False, "b") == (way.ended, way.after)
    assert [] == way.take(page(after="c"))
    assert (True, "c") == (way.ended, way.after)


def test_T20_from_after_the_new_takes_the_place() -> None:
    """Of a record that is on one page twice the last counts, where it stands."""
    assert [Row(2), Row(1, 9)] == Forward("a").take(page(Row(1), Row(2), Row(1, 9), after="b"))


@pytest.mark.parametrize("after", [None, "a", "b"])
def test_T20_forward_without_a_new_token_ends(after: str | None) -> None:
    """A page with rows whose token is missing, or was asked with: the next page would be the same for ever."""
    way = Forward("a")
    way.take(page(Row(0), after="b"))
    assert [Row(1)] == way.take(page(Row(1), after=after))
    assert (True, after or "b") == (way.ended, way.after)


# ---- positions ----


def test_a_position_is_a_value() -> None:
    """Equal, hashable, frozen; the same after a pickle, and as a text."""
    position = Position("/freelance-jobs?corporation_id=98000001", 'MjAy"Ä\n')
    for copy in (pickle.loads(pickle.dumps(position)), Position.parse(str(position))):
        assert (position, hash(position), True) == (copy, hash(copy), type(copy) is Position)
    with pytest.raises(AttributeError):
        position.after = "other"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "abc", "[]", '["a"]', '["a",1]', '["a","b","c"]', '{"a":"b"}', "\ud800"])
def test_other_texts_are_no_positions(text: str) -> None:
    """They are refused at once, with the way out."""
    with pytest.raises(InvalidCallError, match="no position of a list: begin anew"):
        Position.parse(text)
