"""Bodies into types: strictly when they fit, leniently when not, and every place that differs is named."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.decode import SAMPLE_EVERY, SMALL_BODY_BYTES, Decoder, parse_json
from esipy.core.objects import DataObject
from esipy.core.unknown import MOST_PLACES

UTC = datetime.UTC
Moment = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Part(msgspec.Struct, gc=False, kw_only=True):
    name: str
    size: float | None = None


class Ship(msgspec.Struct, gc=False, kw_only=True):
    """One of everything that the catalogue's types have."""

    id: int
    price: float
    docked: bool
    built: Moment
    day: datetime.date | None = None
    hull: str = "frigate"
    parts: list[Part]
    spare: Part | None = None
    by_slot: dict[str, Part] | None = None
    from_: int | None = msgspec.field(default=None, name="from")
    level: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    anything: Any = None


class Choice(msgspec.Struct, gc=False, kw_only=True):
    """A ``oneOf`` of the document: one object with optional keys, of which one is present."""

    structure: Part | None = None
    station: Part | None = None


BUILT = datetime.datetime(2026, 8, 4, 11, 5, tzinfo=UTC)
FITS: dict[str, Any] = {
    "id": 1,
    "price": 1.5,
    "docked": True,
    "built": "2026-08-04T11:05:00Z",
    "parts": [{"name": "a"}, {"name": "b", "size": 2.0}],
}


def read(changed: dict[str, Any], *without: str) -> tuple[Any, tuple[str, ...]]:
    """Decode a ship with some fields changed or taken away."""
    body = {name: value for name, value in {**FITS, **changed}.items() if name not in without}
    return Decoder[Ship](Ship).decode(msgspec.json.encode(body))


def test_what_fits_is_decoded_without_a_word() -> None:
    """The declared type, and no place named."""
    ship, places = read({"from": 5, "spare": {"name": "c"}, "by_slot": {"x": {"name": "d"}}, "day": "2026-08-04"})
    assert isinstance(ship, Ship)
    assert (5, "c", "d", datetime.date(2026, 8, 4), BUILT) == (
        ship.from_, ship.spare.name, ship.by_slot["x"].name, ship.day, ship.built,
    )  # fmt: skip
    assert places == ()


DRIFTS: list[tuple[dict[str, Any], tuple[str, ...], str, Any, tuple[str, ...]]] = [
    # changed, taken away, what to look at, what it is then, the places named
    ({"mood": 1}, (), "hull", "frigate", ("$.mood: unknown field",)),
    ({"hull": "a new enum value"}, (), "hull", "a new enum value", ()),
    ({}, ("id",), "id", None, ("$.id: missing",)),
    ({}, ("parts",), "parts", None, ("$.parts: missing",)),
    ({"id": None}, (), "id", None, ("$.id: null in place of an integer",)),
    ({"parts": None}, (), "parts", [], ("$.parts: null in place of an array",)),
    ({"spare": None}, (), "spare", None, ()),
    ({"id": "1"}, (), "id", "1", ("$.id: string in place of an integer",)),
    ({"id": 1.5}, (), "id", 1.5, ("$.id: number in place of an integer",)),
    ({"id": True}, (), "id", True, ("$.id: boolean in place of an integer",)),
    ({"price": "1"}, (), "price", "1", ("$.price: string in place of a number",)),
    ({"docked": 0}, (), "docked", 0, ("$.docked: number in place of a boolean",)),
    ({"hull": 5}, (), "hull", 5, ("$.hull: number in place of a string",)),
    ({"day": "soon"}, (), "day", "soon", ("$.day: string in place of a date",)),
    ({"built": "soon"}, (), "built", "soon", ("$.built: string that is no date-time",)),
    ({"built": 5}, (), "built", 5, ("$.built: number that is no date-time",)),
    ({"built": "2026-08-04T11:05:00"}, (), "built", BUILT, ("$.built: date-time without a time zone",)),
    ({"parts": {"a": 1}}, (), "parts", {"a": 1}, ("$.parts: object in place of an array",)),
    ({"spare": [1]}, (), "spare", [1], ("$.spare: array in place of an object",)),
    ({"by_slot": "x"}, (), "by_slot", "x", ("$.by_slot: string in place of an object",)),
    ({"level": 101}, (), "level", 101, ()),
]


@pytest.mark.parametrize(("changed", "without", "field", "expected", "places"), DRIFTS)
def test_T48_what_does_not_fit_is_kept_and_named(
    changed: dict[str, Any], without: tuple[str, ...], field: str, expected: Any, places: tuple[str, ...]
) -> None:
    """New fields and values, missing ones, nulls and wrong types: a ship all the same, and the places."""
    ship, told = read(changed, *without)
    assert isinstance(ship, Ship)
    assert (expected, type(expected), places) == (getattr(ship, field), type(getattr(ship, field)), told)


def test_T48_one_odd_field_costs_no_other() -> None:
    """Beside what does not fit, everything has its type: nested Structs, aware datetimes, defaults."""
    ship, _ = read({"id": "odd", "spare": {"name": "c"}, "by_slot": {"x": {"name": "d"}}, "from": 7})
    assert (BUILT, "b", "c", "d", "frigate", 7) == (
        ship.built, ship.parts[1].name, ship.spare.name, ship.by_slot["x"].name, ship.hull, ship.from_,
    )  # fmt: skip


def test_T48_deep_places_are_named_once() -> None:
    """The rows of a list are one place, and so are the values of a mapping."""
    changed = {
        "parts": [{"name": 1, "new": 0}, {"name": 2, "new": 0}, "text"],
        "by_slot": {"x": {"new": 0, "name": "a"}, "y": {}},
        "anything": {"goes": 1},
    }
    assert (
        "$.parts[].name: number in place of a string",
        "$.parts[].new: unknown field",
        "$.parts[]: string in place of an object",
        "$.by_slot.*.new: unknown field",
        "$.by_slot.*.name: missing",
    ) == read(changed)[1]


def test_T48_unknown_fields_are_found_at_every_depth() -> None:
    """Where the body fits otherwise: in lists, mappings and optional objects, in the body's order."""
    changed = {
        "spare": {"name": "c", "z": 1},
        "parts": [{"name": "a", "y": 1}, {"name": "b", "x": 1}],
        "by_slot": {"s": {"name": "d", "w": 1}},
        "anything": {"goes": 1},
        "v": {"deep": {}},
    }
    assert {
        "$.spare.z: unknown field",
        "$.parts[].y: unknown field",
        "$.parts[].x: unknown field",
        "$.by_slot.*.w: unknown field",
        "$.v: unknown field",
    } == set(read(changed)[1])


def test_T48_the_places_of_one_body_are_bounded() -> None:
    """A body that has nothing to do with its type does not make a signal without end."""
    assert MOST_PLACES == len(read({f"new{number}": 0 for number in range(100)})[1])


@pytest.mark.parametrize("chosen", ["structure", "station"])
def test_T48_one_of_several(chosen: str) -> None:
    """A ``oneOf`` is one object with optional keys, of which one is there; a new alternative is drift."""
    decoder = Decoder[list[Choice]](list[Choice])
    data, places = decoder.decode(msgspec.json.encode([{chosen: {"name": "x"}}]))
    assert ("x", ()) == (getattr(data[0], chosen).name, places)
    data, places = decoder.decode(b'[{"planet": {"name": "x"}}]')
    assert (Choice(), ("$[].planet: unknown field",)) == (data[0], places)


@pytest.mark.parametrize("body", [b"5", b"null", b'"text"', b"[1]"])
def test_T48_a_body_that_is_something_else_altogether(body: bytes) -> None:
    """It is given as it came, and named."""
    data, places = Decoder[Ship](Ship).decode(body)
    assert (msgspec.json.decode(body), 1) == (data, len(places))


NO_JSON = [
    b"",
    b"<html>502</html>",
    b'{"id": 1',
    b'{"id": "a", "price"',
    b"[1, 2",
    b"NaN",
    b"\xef\xbb\xbf{}",
    b'{"hull": "\xff"}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"anything":' + b"[" * 100_000,
]


@pytest.mark.parametrize("body", NO_JSON, ids=range(len(NO_JSON)))
@pytest.mark.parametrize("verb", ["decode", "decode_kept", "data", "data_kept"])
def test_T33_what_is_no_json_is_one_kind_of_error(verb: str, body: bytes) -> None:
    """HTML, cut and empty bodies, other encodings, endless nesting: DecodeError, and nothing else."""
    with pytest.raises(msgspec.DecodeError):
        getattr(Decoder[Ship](Ship), verb)(body)
    with pytest.raises(msgspec.DecodeError):
        parse_json(body)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_T33_any_bytes_are_data_or_one_kind_of_error(body: bytes) -> None:
    """No body whatsoever raises anything but DecodeError."""
    for read_body in (Decoder[Ship](Ship).decode, Decoder[Any](Any).data):
        try:
            read_body(body)
        except msgspec.DecodeError:
            pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FITS, "name", "x"]), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*FITS, "day", "spare", "by_slot", "from", "new"]), json_values))
def test_T48_any_object_is_a_ship(changed: dict[str, Any]) -> None:
    """Whatever its fields hold, the call succeeds with the declared type; told of or kept, it is the same."""
    body = msgspec.json.encode({**FITS, **changed})
    decoder = Decoder[Ship](Ship)
    data, _ = decoder.decode(body)
    assert isinstance(data, Ship)
    assert data == decoder.decode_kept(body)
    assert {**FITS, **changed}.keys() == decoder.data(body)[0].keys()


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("id", b"2147483648", 2**31),
        ("id", b"9223372036854775807", 2**63 - 1),
        ("id", b"18446744073709551616", 2**64),
        ("price", b"5", 5.0),
        ("price", b"0", 0.0),
        ("price", b"1e3", 1000.0),
        ("built", b'"2026-08-04T11:05:00Z"', BUILT),
        ("built", b'"2026-08-04T11:05:00.000Z"', BUILT),
        ("built", b'"2026-08-04T11:05:00.123456Z"', BUILT.replace(microsecond=123456)),
        ("built", b'"2026-08-04T13:05:00+02:00"', BUILT),
    ],
)
def test_T49_numbers_and_dates_as_esi_writes_them(field: str, text: bytes, expected: Any) -> None:
    """Ids beyond 32 bits; a number that arrives as integer; dates with and without fraction: nothing is drift."""
    rest = {name: value for name, value in FITS.items() if name != field}
    body = msgspec.json.encode(rest)[:-1] + b',"' + field.encode() + b'":' + text + b"}"
    ship, places = Decoder[Ship](Ship).decode(body)
    assert (expected, type(expected), ()) == (getattr(ship, field), type(getattr(ship, field)), places)


@pytest.mark.parametrize(("declared", "body"), [(float, b"0.0"), (list[int], b"[]"), (str, b'""'), (bool, b"false")])
def test_T09_falsy_bodies_are_data(declared: Any, body: bytes) -> None:
    """Zero, nothing and no are answers."""
    expected = msgspec.json.decode(body)
    for verb in ("decode", "data"):
        data, places = getattr(Decoder[Any](declared), verb)(body)
        assert (expected, type(expected), ()) == (data, type(data), places)


def test_large_bodies_are_searched_by_sample() -> None:
    """Small bodies always; of large ones the 1st, 2nd, 4th ... and each 64th: speed first, drift soon enough."""
    decoder = Decoder[list[Part]](list[Part])
    small = msgspec.json.encode([{"name": "a", "new": 1}])
    large = msgspec.json.encode([{"name": "a" * SMALL_BODY_BYTES, "new": 1}])
    found = [bool(decoder.decode(large)[1]) for _ in range(2 * SAMPLE_EVERY)]
    assert [1, 2, 4, 8, 16, 32, 64, 128] == [place for place, told in enumerate(found, 1) if told]
    assert all(decoder.decode(small)[1] for _ in range(5))


def test_large_bodies_that_do_not_fit_are_always_told() -> None:
    """Only the search for unknown fields is by sample."""
    decoder = Decoder[list[Part]](list[Part])
    large = msgspec.json.encode([{"name": "a" * SMALL_BODY_BYTES}, {"name": 5}])
    assert [("$[].name: number in place of a string",)] * 10 == [decoder.decode(large)[1] for _ in range(10)]


def test_is_list_tells_lists_from_others() -> None:
    """So that "no content" of a list operation can be an empty list (T18)."""
    assert [True, False, False] == [Decoder[Any](declared).is_list for declared in (list[Part], Part, None)]


def test_version_1_calls_get_everything_that_came() -> None:
    """Data objects keep unknown fields and odd values, and the places are named all the same."""
    body = msgspec.json.encode({**FITS, "id": "odd", "new": {"deep": [1]}})
    data, places = Decoder[Ship](Ship).data(body)
    assert isinstance(data, DataObject)
    assert ("odd", 1, BUILT) == (data.id, data.new.deep[0], data.built.v)
    assert ("$.id: string in place of an integer", "$.new: unknown field") == places
    assert data == Decoder[Ship](Ship).data_kept(body)
