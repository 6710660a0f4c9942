"""What tells rows apart, and what became of them: for every list of the catalogue, and as laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy import ops
from esipy.core.changes import COMPOSED, IDS, Modified, compare, key_function, keyed
from esipy.core.objects import as_data
from esipy.exceptions import InvalidCallError
from esipy.operation import Operation
from esipy.watching.sights import shape_of

LISTS = [one for one in ops.operations() if one.method == "GET" and shape_of(one).is_list]
WHOLE_ROWS = {"get_corporations_corporation_id_containers_logs", "get_corporations_corporation_id_roles_history"}

SAID_BY_HAND = {
    "get_markets_region_id_orders": ("order_id",),
    "get_markets_structures_structure_id": ("order_id",),
    "get_characters_character_id_contracts": ("contract_id",),
    "get_characters_character_id_mail": ("mail_id",),
    "get_characters_character_id_notifications": ("notification_id",),
    "get_characters_character_id_assets": ("item_id",),
    "get_characters_character_id_calendar": ("event_id",),
    "get_characters_character_id_wallet_journal": ("id",),
    "get_characters_character_id_wallet_transactions": ("transaction_id",),
    "get_characters_character_id_industry_jobs": ("job_id",),
    "get_characters_character_id_skillqueue": ("skill_id", "finished_level"),
    "get_corporations_corporation_id_structures": ("structure_id",),
    "get_corporations_corporation_id_membertracking": ("character_id",),
    "get_corporations_corporation_id_wallets": ("division",),
    "get_corporations_projects_listing": ("id",),
    "get_military_campaigns_objectives_listing": ("id",),
    "get_markets_prices": ("type_id",),
    "get_markets_region_id_history": ("date",),
    "get_fleets_fleet_id_members": ("character_id",),
    "get_fw_systems": ("solar_system_id",),
    "get_fw_wars": ("faction_id", "against_id"),
    "get_incursions": ("constellation_id",),
    "get_sovereignty_campaigns": ("campaign_id",),
    "get_universe_factions": ("faction_id",),
    "get_universe_system_kills": ("system_id",),
}


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.name)
def test_every_list_of_the_catalogue_has_a_key(operation: Operation[Any]) -> None:
    """Fields of its rows; only plain values and two logs are their own."""
    shape = shape_of(operation)
    row = operation.result_type() if shape.field is None else dict(_fields(operation.result_type()))[shape.field]
    item = row.__args__[0]
    if not hasattr(item, "__struct_fields__"):
        assert () == shape.key
        return
    assert bool(shape.key) != (operation.name in WHOLE_ROWS)
    assert set(shape.key) <= set(item.__struct_fields__)
    assert SAID_BY_HAND.get(operation.name, shape.key) == shape.key


def _fields(result_type: Any) -> Any:
    from typing import get_type_hints

    return get_type_hints(result_type)


def test_the_tables_name_nothing_that_is_not_there() -> None:
    """Every field is some list's key, and every operation is in the catalogue and a list."""
    used = {name for operation in LISTS for name in shape_of(operation).key}
    assert set() == set(IDS) - used
    assert set() == set(COMPOSED) - {operation.name for operation in LISTS}


def rows_of(state: dict[int, int]) -> list[Any]:
    return [as_data({"id": row, "form": form}) for row, form in state.items()]


STATES = st.dictionaries(st.integers(0, 12), st.integers(0, 2), max_size=8)


@given(STATES, STATES)
def test_before_less_what_is_gone_and_with_what_is_new_is_after(before: dict[int, int], after: dict[int, int]) -> None:
    """A difference says all, and nothing that is not so."""
    found = compare(rows_of(before), rows_of(after), key_function("id"))
    state = dict(before)
    for row in found.removed:
        assert state.pop(row.id) == row.form
    for row in found.added:
        assert row.id not in state
        state[row.id] = row.form
    for was, now in found.modified:
        assert (was.id, state[was.id]) == (now.id, was.form)
        assert was.form != now.form
        state[now.id] = now.form
    assert after == state
    assert found.is_none == (before == after)


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_values_that_come_more_than_once_are_counted(before: list[int], after: list[int]) -> None:
    """Of rows that are values, so many are new or gone as there are more or fewer."""
    found = compare(before, after, key_function(()))
    assert () == found.modified
    for value in range(6):
        assert after.count(value) - before.count(value) == found.added.count(value) - found.removed.count(value)
        assert 0 in (found.added.count(value), found.removed.count(value))


@given(st.lists(st.integers(1, 60), unique=True), st.integers(0, 60), st.sets(st.integers(0, 60)), st.integers(1, 10))
def test_what_leaves_or_enters_a_window_at_its_end_is_neither_gone_nor_new(
    numbers: list[int], newer: int, gone: set[int], size: int
) -> None:
    """Of a list of which the newest rows are seen, only what is before the last known row is told."""
    world = sorted(numbers)
    later = [one for one in world if one not in gone] + [1000 + number for number in range(newer)]
    before, after = world[::-1][:size], later[::-1][:size]
    found = compare(before, after, key_function(()), window=True)
    assert all(one not in world for one in found.added if set(before) & set(after))
    assert all(one in gone for one in found.removed)
    if set(before) & set(after):
        assert [one for one in after if one >= 1000] == list(found.added)


def test_a_row_without_its_key_is_its_own() -> None:
    """Nothing is lost, and nothing mixed up, when ESI leaves an id away."""
    rows = [as_data(row) for row in ({"id": 1, "a": 1}, {"a": 2}, {"a": 3}, {"id": [1], "a": 4})]
    assert rows == list(keyed(rows, key_function("id")).values())
    found = compare(rows, rows[:2], key_function("id"))
    assert ((), tuple(rows[2:]), ()) == tuple(found)


def test_a_key_is_a_field_several_or_a_function() -> None:
    """Each tells rows apart; what is none of them is refused."""
    before, after = ([as_data({"a": 1, "b": 2, "c": form})] for form in (0, 1))
    for key in ("a", ("a", "b"), lambda row: row.a + row.b):
        assert (Modified(before[0], after[0]),) == compare(before, after, key_function(key)).modified
    assert ((after[0],), (before[0],), ()) == tuple(compare(before, after, key_function(("a", "c"))))
    for wrong in (7, ("a", 1), ["a"]):
        with pytest.raises(InvalidCallError, match="has to be the name of a field"):
            key_function(wrong)  # type: ignore[arg-type]
