"""User code over the catalogue, as a type checker sees it. Nothing here runs.

Each wrong use is marked: a checker that stopped seeing one would report the mark as unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, assert_type

from esipy import ops
from esipy.operation import Call, Operation
from esipy.ops.mail import PostCharactersCharacterIdMailBody, PostCharactersCharacterIdMailBodyRecipient
from esipy.ops.market import MarketsRegionIdOrdersItem


def calls_are_typed_by_their_answers() -> None:
    """Lists of rows, one object, a plain number, nothing."""
    assert_type(
        ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1),
        Call[list[MarketsRegionIdOrdersItem]],
    )
    assert_type(ops.market.get_markets_groups(), Call[list[int]])
    assert_type(ops.wallet.get_characters_character_id_wallet(character_id=1), Call[float])
    assert_type(ops.status.get_status(), Call[ops.status.Status])
    assert_type(ops.mail.delete_characters_character_id_mail_mail_id(character_id=1, mail_id=2), Call[None])
    assert_type(ops.market.get_markets_groups().replace(), Call[list[int]])


def rows_are_typed(row: MarketsRegionIdOrdersItem, corporation: ops.corporation.CorporationsDetail) -> None:
    """Times are datetimes; what may be missing may be None; known texts are a hint."""
    assert_type(row.price, float)
    assert_type(row.location_id, int)
    assert_type(row.issued, datetime.datetime)
    assert_type(row.is_buy_order, bool)
    near: bool = row.range == "region"
    text: str = row.range
    assert_type(corporation.alliance_id, int | None)
    print(near, text)


def the_nested_are_typed(project: ops.corporation_projects.CorporationsProjectsDetail) -> None:
    """One of several kinds: each key may be absent."""
    assert_type(project.configuration, ops.corporation_projects.CorporationsProjectsDetailConfiguration)
    print(project.configuration.damage_ship.ships)  # type: ignore[union-attr]
    if project.configuration.manual is not None:
        assert_type(project.configuration.manual, dict[str, Any])


def bodies_are_structs_or_mappings() -> None:
    """Both are taken; a Struct's fields are checked."""
    recipient = PostCharactersCharacterIdMailBodyRecipient(recipient_id=1, recipient_type="character")
    body = PostCharactersCharacterIdMailBody(recipients=[recipient], subject="Hi", body="There")
    ops.mail.post_characters_character_id_mail(character_id=1, body=body)
    ops.mail.post_characters_character_id_mail(character_id=1, body={"subject": "Hi"})
    PostCharactersCharacterIdMailBody(subject="Hi", body="There")  # type: ignore[call-arg]
    PostCharactersCharacterIdMailBodyRecipient(recipient_id="1", recipient_type="character")  # type: ignore[arg-type]
    ops.universe.post_universe_names(body=[1, 2])
    ops.universe.post_universe_names(body=(1, 2))
    ops.universe.post_universe_names(body=["Jita"])  # type: ignore[list-item]


def known_values_are_a_hint() -> None:
    """Any text is taken, nothing else."""
    ops.market.get_markets_region_id_orders(region_id=1, order_type="buy")
    ops.market.get_markets_region_id_orders(region_id=1, order_type="a value of tomorrow")
    ops.market.get_markets_region_id_orders(region_id=1, order_type=1)  # type: ignore[arg-type]


def wrong_uses_are_seen() -> list[object]:
    """A missing, unknown, positional or wrongly typed parameter; a wrong name of module, function or type."""
    ops.market.get_markets_region_id_orders()  # type: ignore[call-arg]
    ops.market.get_markets_region_id_orders(region_id=1, pages=1)  # type: ignore[call-arg]
    ops.market.get_markets_region_id_orders(10000002)  # type: ignore[call-arg]
    ops.market.get_markets_region_id_orders(region_id="The Forge")  # type: ignore[arg-type]
    return [
        ops.markets,  # type: ignore[attr-defined]
        ops.market.get_orders,  # type: ignore[attr-defined]
        ops.market.MarketOrder,  # type: ignore[attr-defined]
    ]


def the_catalogue_is_typed() -> None:
    """By name, an operation of any answer."""
    assert_type(ops.operation("get_status"), Operation[Any])
    assert_type(ops.operations(), Iterator[Operation[Any]])
    assert_type(ops.names(), tuple[str, ...])
    assert_type(ops.operation("get_status")(), Call[Any])
    assert_type(ops.COMPATIBILITY_DATE, str)
