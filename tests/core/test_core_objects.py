"""Version 1's data objects: attributes at every depth, and dates that are texts and moments."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
from typing import Any

import msgspec
import msgspec.inspect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.objects import DataDate, DataDateTime, DataObject, as_data, reader_of
from esipy.exceptions import MissingFieldError

UTC = datetime.UTC
TEXT = "2026-08-04T11:05:00Z"
MOMENT = datetime.datetime(2026, 8, 4, 11, 5, tzinfo=UTC)
LATER = MOMENT + datetime.timedelta(microseconds=1)


class Leg(msgspec.Struct):
    left: datetime.datetime
    day: datetime.date | None = None


class Journey(msgspec.Struct):
    legs: list[Leg]
    begun: datetime.datetime | None = None
    by_name: dict[str, Leg] | None = None
    seen: dict[str, datetime.datetime] | None = None
    stops: list[datetime.datetime] | None = None
    note: str | None = None


READ = reader_of(msgspec.inspect.type_info(Journey))
WHOLE: dict[str, Any] = {
    "legs": [{"left": TEXT, "day": "2026-08-04", "new": {"deep": [{"er": 1}]}}],
    "begun": "2026-08-04T11:05:00.500Z",
    "by_name": {"a": {"left": TEXT}},
    "seen": {"b": TEXT},
    "stops": [TEXT],
    "note": TEXT,
}


@pytest.fixture
def data() -> Any:
    """A journey as data objects."""
    return as_data(WHOLE, READ)


def test_attributes_at_every_depth(data: Any) -> None:
    """Objects in objects, in lists, in mappings, and those that the type does not know."""
    assert (1, TEXT) == (data.legs[0].new.deep[0].er, data.note)
    assert data.legs[0].left is data["legs"][0]["left"]
    assert MOMENT == data.by_name.a.left.v == data.seen.b.v == data.stops[0].v
    assert datetime.date(2026, 8, 4) == data.legs[0].day.v


def test_it_is_a_dict(data: Any) -> None:
    """``get``, ``keys``, ``in``, equality and iteration are a dict's; so is what it is equal to."""
    assert isinstance(data, dict)
    assert list(WHOLE) == list(data.keys()) == list(data)
    assert "note" in data
    assert (TEXT, None, 5) == (data.get("note"), data.get("none"), data.get("none", 5))
    assert {"error": "x", "n": [{"a": 1}]} == as_data({"error": "x", "n": [{"a": 1}]})


@pytest.mark.parametrize("name", ["absent", "__absent__"])
def test_a_missing_field_is_both_errors(data: Any, name: str) -> None:
    """As an attribute and as an item: MissingFieldError, a KeyError and an AttributeError, that lists the fields."""
    for read in (lambda: getattr(data.legs[0], name), lambda: data.legs[0][name], lambda: delattr(data.legs[0], name)):
        for kind in (KeyError, AttributeError):
            with pytest.raises(kind) as raised:
                read()
            assert type(raised.value) is MissingFieldError
            assert f"no field {name!r} in this answer; it has left, day, new" == str(raised.value)
    assert not hasattr(data, name)
    assert getattr(data, name, 5) == 5


def test_attributes_can_be_set_and_deleted(data: Any) -> None:
    """They are the items."""
    data.note = "changed"
    data.extra = 5
    del data.begun
    assert ("changed", 5, False) == (data["note"], data["extra"], "begun" in data)


def test_fields_named_like_methods_are_items() -> None:
    """As in version 1: the method stays, the field is an item."""
    fitting = as_data({"items": [{"type_id": 1}]})
    assert (1, True) == (fitting["items"][0].type_id, callable(fitting.items))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_everything(data: Any, protocol: int) -> None:
    """In every protocol; types included."""
    revived = pickle.loads(pickle.dumps(data, protocol))
    assert data == revived
    assert (DataObject, DataDateTime, DataObject) == (type(revived), type(revived.begun), type(revived.legs[0].new))


def test_copying() -> None:
    """``copy`` and ``.copy()`` are shallow, ``deepcopy`` is deep; all have attributes."""
    data = as_data(WHOLE, READ)
    for shallow in (copy.copy(data), data.copy()):
        assert (data, DataObject, True) == (shallow, type(shallow), shallow.legs is data.legs)
    deep = copy.deepcopy(data)
    deep.legs[0].new.deep[0].er = 2
    assert (1, 2, MOMENT) == (data.legs[0].new.deep[0].er, deep.legs[0].new.deep[0].er, deep.legs[0].left.v)


def test_json_dumps_takes_it_as_it_is(data: Any) -> None:
    """Without a hook, dates at every depth; and what was dumped can be read as the same."""
    again = json.loads(json.dumps(data))
    assert "2026-08-04T11:05:00+00:00" == again["legs"][0]["left"]
    assert data == as_data(again, READ)


def test_names_for_completion(data: Any) -> None:
    """``dir`` lists the fields for interactive shells."""
    assert {"legs", "begun", "get", "keys"} <= set(dir(data))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (TEXT, "2026-08-04T11:05:00+00:00"),
        ("2026-08-04T11:05:00.000Z", "2026-08-04T11:05:00+00:00"),
        ("2026-08-04T11:05:00.5Z", "2026-08-04T11:05:00.500000+00:00"),
        ("2026-08-04T13:05:00+02:00", "2026-08-04T11:05:00+00:00"),
        ("2026-08-04T11:05:00", "2026-08-04T11:05:00+00:00"),
    ],
)
def test_a_date_time_is_a_text_and_a_moment(text: str, written: str) -> None:
    """``.v`` is aware, ``.to_json()`` and ``str()`` are ISO 8601 in UTC as version 1 wrote it."""
    begun = as_data({"begun": text}, READ).begun
    assert (written, written, written) == (begun.to_json(), str(begun), f"{begun}")
    assert type(begun.to_json()) is str
    assert datetime.datetime.fromisoformat(written) == begun.v
    assert begun.v.tzinfo is UTC


@pytest.mark.parametrize("text", ["soon", "", "2026-13-04T11:05:00Z", "0001-01-01T00:00:00+02:00", 5, None, {"a": 1}])
def test_what_is_no_date_stays_as_it_came(text: Any) -> None:
    """ESI's mistake is the program's to see: no error, and no made-up date."""
    data = as_data({"begun": text, "legs": [{"left": text, "day": text}]}, READ)
    assert [text] * 3 == [data.begun, data.legs[0].left, data.legs[0].day]
    assert not isinstance(data.begun, DataDateTime)


def test_a_shape_that_does_not_fit_stays_as_it_came() -> None:
    """An object for a list, a list for an object, a text for a mapping: attributes where there are objects."""
    data = as_data({"legs": {"a": {"b": 1}}, "by_name": [{"c": 2}], "seen": "x", "stops": {"d": 3}}, READ)
    assert (1, 2, "x", 3) == (data.legs.a.b, data.by_name[0].c, data.seen, data.stops.d)


def test_date_times_compare_with_datetimes_and_each_other() -> None:
    """In both directions and in every way."""
    mine, later = DataDateTime(MOMENT.isoformat()), DataDateTime(LATER.isoformat())
    for other, after in ((MOMENT, LATER), (mine, later)):
        assert mine == other
        assert other == mine
        assert (mine != other) is False
        assert mine != after
        assert mine < after
        assert mine <= after
        assert after > mine
        assert after >= mine
        assert mine <= other
        assert mine >= other
        assert not mine > after
        assert not mine >= after
    assert mine != 5
    assert mine != MOMENT.replace(tzinfo=None)
    with pytest.raises(TypeError):
        assert mine < 5
    assert [mine, LATER] == sorted([LATER, mine])
    assert 1 == len({mine, DataDateTime(mine)})


moments = st.datetimes(timezones=st.just(UTC))


@given(moments, moments)
def test_texts_sort_as_their_moments(left: datetime.datetime, right: datetime.datetime) -> None:
    """Comparing texts is comparing moments: sorting a list of rows never parses a date."""
    mine, other = (as_data({"begun": m.isoformat()}, READ).begun for m in (left, right))
    assert (left < right, left == right, left >= right) == (mine < other, mine == other, mine >= other)
    assert (left < right, left == right, left >= right) == (mine < right, mine == right, mine >= right)
    assert left == mine.v


def test_dates() -> None:
    """A date is a text with ``.v`` too; a date is no moment."""
    day = as_data({"legs": [{"day": "2026-08-04"}]}, READ).legs[0].day
    assert type(day) is DataDate
    assert ("2026-08-04", datetime.date(2026, 8, 4)) == (day.to_json(), day.v)
    assert day == datetime.date(2026, 8, 4)
    assert day < datetime.date(2026, 8, 5)
    assert day != MOMENT


def test_any_depth_is_data_or_a_decoding_error() -> None:
    """Nesting deeper than Python can follow is the body's fault, and said as such."""
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(msgspec.DecodeError, match="nested too deeply"):
        as_data(deep)
    while isinstance(deep, list):  # taken apart by hand: dropping it whole would recurse
        deep = deep.pop()
