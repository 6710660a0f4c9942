"""What a parameter takes: each kind's values, its bounds, and errors that name it (T50, T51)."""

from __future__ import annotations

import enum
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.arguments import check, check_size, encode, refuse_unknown
from esipy.core.parameters import Kind, Parameter
from esipy.exceptions import InvalidCallError


class Cup(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A body."""

    name: str
    sugar: int = 2
    milk: bool | None = None


def checked(kind: Kind, value: Any, **facts: Any) -> Any:
    """The value, checked for a query parameter ``it`` of this kind."""
    return check("get_it", Parameter("it", facts.pop("where", "query"), kind, **facts), value, lambda _: Cup)


class Size(int, enum.Enum):
    """An integer's enum."""

    SMALL = 3


class Colour(str, enum.Enum):  # noqa: UP042 - as users have them; StrEnum prints itself right already
    """A text's enum."""

    GREEN = "green"


class Indexed:
    """As numpy's integers: not an int, but answers __index__."""

    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("value", "plain"),
    [(5, 5), ("5", 5), (" -5 ", -5), (Size.SMALL, 3), (Indexed(), 7), (2**62, 2**62), ("1035466617946", 1035466617946)],
)
def test_integers(value: Any, plain: int) -> None:
    """Whatever is an integer, also as text, becomes a plain int."""
    result = checked("integer", value)
    assert (result, type(result)) == (plain, int)


@pytest.mark.parametrize(
    "value",
    [
        True,
        5.0,
        "five",
        "5.0",
        "--5",
        "",
        "-",
        "1_0",
        "٣",
        b"5",
        [5],
        {},
        "9" * 5000,
        int,
        object(),
    ],
)
def test_T51_what_is_no_integer_is_refused_by_name(value: Any) -> None:
    """Booleans, fractions, other digits and what ESI's int64 cannot hold are refused, and the text says where."""
    with pytest.raises(InvalidCallError, match=r"^get_it: parameter 'it' has to be an integer, not "):
        checked("integer", value)


@pytest.mark.parametrize("bits", [63, 64, 20_000])
def test_an_integer_that_int64_cannot_hold_is_refused_as_too_large(bits: int) -> None:
    """It is an integer, so the text says what is wrong with it; it is not shown: Python refuses to write long ones."""
    for value in (2**bits, -(2**bits) - 1):
        with pytest.raises(
            InvalidCallError, match=r"^get_it: parameter 'it' has to be between -2\*\*63 and 2\*\*63 - 1$"
        ):
            checked("integer", value)


@pytest.mark.parametrize(
    ("value", "plain"), [(5, 5), (5.0, 5), (0.5, 0.5), (Decimal("0.25"), 0.25), (Indexed(), 7), (2**53 + 1, 2**53 + 1)]
)
def test_numbers(value: Any, plain: float) -> None:
    """A number is taken as it is; a whole one is written without a fraction, so that 5 and 5.0 are one call."""
    result = checked("number", value)
    assert result == plain
    assert str(result) == str(plain)


@pytest.mark.parametrize("value", [True, "5", b"5", float("nan"), float("inf"), Decimal("-inf"), None, float, [1.0]])
def test_T51_what_is_no_number_is_refused_by_name(value: Any) -> None:
    """Not a number and infinity are no numbers to JSON."""
    with pytest.raises(InvalidCallError, match="parameter 'it' has to be a number"):
        checked("number", value)


def test_booleans() -> None:
    """True and False, and their JSON words as text; 1 and 0 are none."""
    assert [checked("boolean", value) for value in (True, False, "true", "false")] == [True, False, True, False]
    refused: list[Any] = [1, 0, "True", "yes", None, []]
    for value in refused:
        with pytest.raises(InvalidCallError, match="parameter 'it' has to be True or False"):
            checked("boolean", value)


def test_texts() -> None:
    """Any Unicode text; an enum's member is its value."""
    assert checked("string", "Zażółć\n") == "Zażółć\n"
    result = checked("string", Colour.GREEN)
    assert (result, type(result)) == ("green", str)
    for value in (5, b"x", None, ["x"], "\ud800"):
        with pytest.raises(InvalidCallError, match="parameter 'it' has to be text"):
            checked("string", value)


def test_T50_a_path_value_that_would_climb_is_refused() -> None:
    """An empty segment, ``.`` and ``..`` mean another path; in a query they are text as any other."""
    for value in ("", ".", ".."):
        with pytest.raises(InvalidCallError, match="parameter 'it' cannot be"):
            checked("string", value, where="path")
        assert checked("string", value) == value


def test_bounds_are_named() -> None:
    """A number out of bounds is refused with the bounds; a text that is too short as well."""
    with pytest.raises(InvalidCallError, match="'it' has to be at least 1, not 0"):
        checked("integer", 0, minimum=1)
    with pytest.raises(InvalidCallError, match="'it' has to be at most 9, not 10"):
        checked("integer", "10", maximum=9)
    with pytest.raises(InvalidCallError, match="'it' has to be 10 to 100, not 101"):
        checked("integer", 101, minimum=10, maximum=100)
    with pytest.raises(InvalidCallError, match=r"'it' has to be 0\.5 to 1, not 0\.25"):
        checked("number", 0.25, minimum=0.5, maximum=1)
    with pytest.raises(InvalidCallError, match="'it' has to have at least 3 characters"):
        checked("string", "ab", min_length=3)
    assert checked("integer", 100, minimum=10, maximum=100) == 100


def test_known_values_are_shown_and_not_enforced() -> None:
    """A value of tomorrow passes; a value of the wrong type is told what is known."""
    assert checked("string", "new", choices=("buy", "sell")) == "new"
    with pytest.raises(InvalidCallError, match="has to be text, such as 'buy', 'sell', not int 5"):
        checked("string", 5, choices=("buy", "sell"))


@pytest.mark.parametrize(
    "value",
    [[1, "2", Size.SMALL], (1, 2, 3), range(1, 4), iter([1, 2, 3]), {3, 1, 2}, {1: 0, 2: 0, 3: 0}.keys()],
)
def test_arrays(value: Any) -> None:
    """Anything that gives items, in its order; a set, which has none, in one that is the same in each process."""
    assert checked("integers", value) == (1, 2, 3)


def test_T51_a_wrong_item_is_named_with_its_place() -> None:
    """Of an array, the item that is wrong is named; a text or a dict is no array."""
    with pytest.raises(InvalidCallError, match=r"parameter 'it' at \[1\] has to be an integer, not str 'x'"):
        checked("integers", [1, "x"])
    with pytest.raises(InvalidCallError, match=r"parameter 'it' at \[0\] has to be text, not int 1"):
        checked("strings", [1])
    for value in ("12", b"12", {1: 2}, 5):
        with pytest.raises(InvalidCallError, match="parameter 'it' has to be a list of integers, not "):
            checked("integers", value)


def test_a_long_wrong_value_is_shown_in_part() -> None:
    """An error stays readable."""
    with pytest.raises(InvalidCallError) as caught:
        checked("integer", "x" * 10_000)
    assert len(str(caught.value)) < 250


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]))))
def test_T08_a_set_of_texts_has_one_order(values: set[str]) -> None:
    """Law: equal sets are equal arguments, however they were filled."""
    assert checked("strings", values) == checked("strings", frozenset(sorted(values, reverse=True)))


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Assam", "milk": True},
        {"milk": True, "name": "Assam", "sugar": 2},
        MappingProxyType({"name": "Assam", "milk": True}),
        Cup(name="Assam", milk=True),
    ],
)
def test_a_body_with_fields(value: Any) -> None:
    """A dict, any mapping or the Struct: the same plain data, without what ESI assumes anyway."""
    assert checked("object", value, where="body") == {"name": "Assam", "milk": True}


def test_none_is_a_field_that_is_not_given() -> None:
    """None leaves an optional field out."""
    assert checked("object", {"name": "Assam", "sugar": None, "milk": None}) == {"name": "Assam"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"nam": "x"}, "get_it: 'it' has no field 'nam'; did you mean 'name'"),
        ({"zzz": 1}, "get_it: 'it' has no field 'zzz'; it takes name, sugar, milk"),
        ({}, "get_it: 'it': Object missing required field `name`"),
        ({"name": None}, "get_it: 'it': Object missing required field `name`"),
        ({"name": 5}, "get_it: 'it': Expected `str`, got `int`"),
        ({"name": "x", "sugar": object()}, "get_it: 'it': Encoding objects of type object"),
        (Cup(name=5), "get_it: 'it': Expected `str`, got `int`"),  # type: ignore[arg-type]
        ("name", "get_it: parameter 'it' has to be a dict or its Struct, not str 'name'"),
        ([("name", "x")], "get_it: parameter 'it' has to be a dict or its Struct, not list"),
    ],
)
def test_T51_a_body_that_does_not_fit_is_refused(value: Any, message: str) -> None:
    """The error names operation, parameter and field."""
    with pytest.raises(InvalidCallError) as caught:
        checked("object", value)
    assert str(caught.value).startswith(message)


def test_sizes() -> None:
    """An array that is too long, too short or repeats itself is refused with the limit or the item."""
    some = Parameter("it", "body", "integers", min_items=1, max_items=3, unique=True)
    check_size("get_it", some, (1, 2, 3))
    with pytest.raises(InvalidCallError, match="get_it: 'it' has 4 items, ESI takes 3 at once: send it in several"):
        check_size("get_it", some, (1, 2, 3, 4))
    with pytest.raises(InvalidCallError, match="get_it: 'it' has 0 items, ESI wants at least 1"):
        check_size("get_it", some, ())
    with pytest.raises(InvalidCallError, match="get_it: 'it' holds 7 twice"):
        check_size("get_it", some, (7, 1, 7))
    check_size("get_it", Parameter("it", "query", "integers"), (1,) * 9999)


def test_json() -> None:
    """A body is written without spaces; text that is not Unicode is refused."""
    assert encode("post_it", (1, 2)) == b"[1,2]"
    assert encode("post_it", {"name": "ż"}) == '{"name":"ż"}'.encode()
    with pytest.raises(InvalidCallError, match="post_it: a text in 'body' cannot be sent"):
        encode("post_it", {"name": "\ud800"})


def test_T51_an_unknown_name_is_told_the_nearest() -> None:
    """The nearest name, or all of them when none is near."""
    with pytest.raises(InvalidCallError, match=r"^no 'regionid'; did you mean 'region_id'\?$"):
        refuse_unknown("no", "regionid", ["type_id", "region_id"])
    with pytest.raises(InvalidCallError, match=r"^no 'x'; it takes a, b$"):
        refuse_unknown("no", "x", ["a", "b"])
    with pytest.raises(InvalidCallError, match=r"^no 'x'; it takes none$"):
        refuse_unknown("no", "x", [])


def test_a_parameter_shows_itself() -> None:
    """Its repr holds what it is."""
    shown = repr(Parameter("page", "query", "integer"))
    assert shown == "Parameter('page', 'query', 'integer', required=False)"
