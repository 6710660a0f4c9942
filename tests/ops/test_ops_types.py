"""The catalogue's types: msgspec reads every one, and answers of every awkward kind decode into them."""

from __future__ import annotations

import datetime
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy import ops
from esipy.operation import Operation
from esipy.ops.types.common import DateTime
from esipy.ops.types.corporation_projects import (
    CorporationsProjectsDetailConfiguration,
    CorporationsProjectsDetailConfigurationDamageShipIdentity,
)
from esipy.ops.types.freelance_jobs import FreelanceJobsDetailConfiguration
from esipy.ops.types.market import MarketsPricesItem, MarketsRegionIdHistoryItem, MarketsRegionIdOrdersItem
from esipy.ops.types.structures import CorporationsStructuresSovereigntyHubsDetailTransport

EVERY = list(ops.operations())
ORDER: dict[str, Any] = {
    "duration": 90, "is_buy_order": False, "issued": "2026-08-01T10:11:12Z", "location_id": 1035466617946,
    "min_volume": 1, "order_id": 7001234567890, "price": 5, "range": "region", "system_id": 30000142,
    "type_id": 34, "volume_remain": 10, "volume_total": 10,
}  # fmt: skip


@pytest.mark.parametrize("operation", EVERY, ids=lambda operation: operation.name)
def test_every_type_can_be_decoded_into(operation: Operation[object]) -> None:
    """The answer's type resolves, once, and msgspec builds a decoder for it; a body's Struct as well."""
    kind = operation.result_type()
    assert operation.result_type() is kind
    if kind is not None:
        msgspec.json.Decoder(kind)
    if operation.body is not None and operation.body.kind == "object":
        struct = operation.struct_type(operation.body)
        assert issubclass(struct, msgspec.Struct)
        msgspec.json.Decoder(struct)


def structs() -> list[type[msgspec.Struct]]:
    """Every Struct of the catalogue."""
    modules = [import_module(f"esipy.ops.types.{name}") for name in ["common", *{one.module for one in EVERY}]]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
    ]


def test_every_struct_is_read_whole() -> None:
    """No Struct is tracked by the garbage collector, none takes positions, each is called once."""
    every = structs()
    assert len(every) > 327
    assert len({kind.__name__ for kind in every}) == len(every)
    for kind in every:
        assert not kind.__struct_config__.gc
        msgspec.inspect.type_info(kind)


def test_what_is_received_is_never_refused_for_a_bound_or_a_new_field() -> None:
    """Only bodies forbid unknown fields and check bounds: ESI's additions break no program."""
    sent = {
        kind.__name__
        for kind in structs()
        if kind.__struct_config__.forbid_unknown_fields or kind.__struct_config__.omit_defaults
    }
    bodies = {one.body.struct for one in EVERY if one.body and one.body.kind == "object"}
    assert bodies <= sent
    assert all("Body" in name or name == "RouteConnection" for name in sent)


def test_known_values_are_data() -> None:
    """Each listed value belongs to a field; the field itself takes any text."""
    count = 0
    for module in {one.module for one in EVERY}:
        types = import_module(f"esipy.ops.types.{module}")
        for owner, values in types.CHOICES.items():
            struct, _, field = owner.partition(".")
            assert field in getattr(types, struct).__struct_fields__
            assert len(set(values)) == len(values) > 0
            count += 1
    assert count == 131
    order = msgspec.convert({**ORDER, "range": "a value of tomorrow"}, MarketsRegionIdOrdersItem)
    assert order.range == "a value of tomorrow"


def test_T49_ids_beyond_32_bits() -> None:
    """Ids are integers of any size."""
    order = msgspec.json.decode(msgspec.json.encode(ORDER), type=MarketsRegionIdOrdersItem)
    assert order.location_id == 1035466617946
    assert order.order_id == 7001234567890


@pytest.mark.parametrize("text", ["5", "5.0", "5e0"])
def test_T49_a_number_may_arrive_as_an_integer(text: str) -> None:
    """A price is a float, however ESI writes it."""
    price = msgspec.json.decode(b'{"type_id": 34, "adjusted_price": %s}' % text.encode(), type=MarketsPricesItem)
    assert (price.adjusted_price, type(price.adjusted_price)) == (5.0, float)
    assert price.average_price is None


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-08-01T10:11:12Z", 0),
        ("2026-08-01T10:11:12.5Z", 500000),
        ("2026-08-01T10:11:12.123456Z", 123456),
        ("2026-08-01T12:11:12+02:00", 0),
    ],
)
def test_T49_times_with_and_without_fraction(text: str, microsecond: int) -> None:
    """A time is an aware datetime."""
    order = msgspec.convert({**ORDER, "issued": text}, MarketsRegionIdOrdersItem)
    assert order.issued == datetime.datetime(2026, 8, 1, 10, 11, 12, microsecond, tzinfo=datetime.UTC)
    assert order.issued.tzinfo is not None


def test_T49_a_date_is_a_date() -> None:
    """A day without a time is a date."""
    row = {"average": 1, "date": "2026-08-01", "highest": 2, "lowest": 0, "order_count": 3, "volume": 2**40}
    assert msgspec.convert(row, MarketsRegionIdHistoryItem).date == datetime.date(2026, 8, 1)


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_every_time_comes_back(moment: datetime.datetime) -> None:
    """Law: a time written as JSON and read again is the same time."""
    assert msgspec.json.decode(msgspec.json.encode(moment), type=DateTime) == moment


def test_one_of_several_kinds_is_one_object_of_which_one_key_is_there() -> None:
    """A project's configuration: only the key that came is not None."""
    body = b'{"damage_ship": {"identities": [{"faction_id": 500001}], "ships": [{"type_id": 587}, {"group_id": 4}]}}'
    configuration = msgspec.json.decode(body, type=CorporationsProjectsDetailConfiguration)
    assert configuration.damage_ship is not None
    assert configuration.manual is None
    assert configuration.damage_ship.identities == [
        CorporationsProjectsDetailConfigurationDamageShipIdentity(faction_id=500001)
    ]
    ships = configuration.damage_ship.ships
    assert ships is not None
    assert [(ship.type_id, ship.group_id) for ship in ships] == [(587, None), (None, 4)]


def test_a_free_object_is_a_dict() -> None:
    """An object without declared fields, and one with free keys."""
    manual = msgspec.json.decode(b'{"manual": {"any": [1]}}', type=CorporationsProjectsDetailConfiguration)
    assert manual.manual == {"any": [1]}
    body = b'{"method": "x", "version": 1, "parameters": {"free": {"boolean": {"value": true}}}}'
    job = msgspec.json.decode(body, type=FreelanceJobsDetailConfiguration)
    assert job.parameters is not None
    assert list(job.parameters) == ["free"]
    assert job.parameters["free"].boolean is not None
    assert job.parameters["free"].matcher is None


def test_a_field_that_is_a_keyword_has_an_underscore_in_python_only() -> None:
    """``import`` in JSON is ``import_`` in Python, both ways."""
    body = b'{"configuration": {"import": {"sources": []}}, "state": {"transit": null}}'
    transport = msgspec.json.decode(body, type=CorporationsStructuresSovereigntyHubsDetailTransport)
    assert transport.configuration is not None
    assert transport.configuration.import_ is not None
    assert transport.configuration.export is None
    assert b'"import":' in msgspec.json.encode(transport)
