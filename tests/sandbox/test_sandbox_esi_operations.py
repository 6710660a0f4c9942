"""Every operation of the catalogue answers, in its declared type, and always the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esipy import ops
from esipy.operation import Operation
from esipy.sandbox.exchange import SandboxAnswer
from tests.sandbox.sandbox_esi_caller import Caller, data
from tests.sandbox.sandbox_samples import sample_arguments

OPERATIONS = list(ops.operations())


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


def send(caller: Caller, operation: Operation[Any], number: int) -> SandboxAnswer:
    call = operation(**sample_arguments(operation, caller.roster, number))
    return caller.send(
        call.path, *call.query, method=operation.method, raw=call.body or b"", identity=caller.identity()
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_operation_answers_in_its_declared_type(caller: Caller, operation: Operation[Any]) -> None:
    """Valid random calls of each of the 225 operations get a declared status and a body that fits the type strictly."""
    for number in range(3):
        answer = send(caller, operation, number)
        assert answer.status in operation.statuses, answer.body
        if answer.status == 204:
            assert b"" == answer.body
        else:
            msgspec.json.Decoder(operation.result_type()).decode(answer.body)


def test_all_operations_are_there() -> None:
    """The catalogue that the sandbox plays has all 225 operations."""
    assert 225 == len(OPERATIONS)


def test_two_sandboxes_with_one_seed_give_the_same_bytes() -> None:
    """Bodies follow from the seed alone: another sandbox, built later, sends the same."""
    bodies: list[list[bytes]] = []
    for _ in range(2):
        caller = Caller(seed=7)
        reads = [operation for operation in OPERATIONS if operation.method == "GET"]
        bodies.append([send(caller, operation, 0).body for operation in reads])
    assert bodies[0] == bodies[1]


def test_another_seed_gives_other_data() -> None:
    """The seed changes who lives there and what they own."""
    path = "/characters/{me}/assets"
    assert Caller(seed=1).mine(path).body != Caller(seed=2).mine(path).body


def test_an_id_in_the_path_is_the_id_in_the_answer(caller: Caller) -> None:
    """What is asked for by id says the same id."""
    assert 587 == data(caller.send("/universe/types/587"))["type_id"]
    den = data(caller.mine("/characters/{me}/structures/mercenary-dens/1022524336957"))
    assert 1022524336957 == den["id"]


def test_of_alternatives_exactly_one_key_is_there(caller: Caller) -> None:
    """ESI's oneOf objects hold one of their keys: systems are claimed by a faction, an alliance, or nobody."""
    systems = data(caller.send("/sovereignty/systems"))["solar_systems"]
    assert systems
    assert {1} == {len(system["claim"]) for system in systems}
    hub = data(caller.mine("/corporations/{corp}/structures/sovereignty-hubs/1047816761139"))
    assert 1 == len(hub["workforce_transport"]["configuration"])
    assert 1 == len(hub["workforce_transport"]["state"])


def test_a_project_is_configured_in_one_way(caller: Caller) -> None:
    """The 17 alternatives of a project's configuration: one is there, whatever the project."""
    for number in range(20):
        path = f"/corporations/{{corp}}/projects/00000000-0000-4000-8000-{number:012d}"
        assert 1 == len(data(caller.mine(path))["configuration"])


def test_T49_ids_go_beyond_32_bits_and_dates_come_with_and_without_fraction(caller: Caller) -> None:
    """Item ids need more than 32 bits; of many dates some have a fraction of a second and some have none."""
    assets = data(caller.mine("/characters/{me}/assets"))
    assert all(asset["item_id"] > 2**32 for asset in assets)
    dates = [row["date"] for row in data(caller.mine("/characters/{me}/wallet/journal"))]
    assert {True, False} == {"." in date for date in dates}


def test_enum_values_are_known_ones(caller: Caller) -> None:
    """Where the catalogue lists values, the sandbox sends one of them."""
    from esipy.ops.types.assets import CHOICES

    flags = {asset["location_flag"] for asset in data(caller.mine("/characters/{me}/assets"))}
    assert flags <= set(CHOICES["CharactersCharacterIdAssetsItem.location_flag"])


def test_a_list_never_repeats_its_ids(caller: Caller) -> None:
    """The id by which rows are known is different in every row."""
    for path, key in (
        ("/characters/{me}/orders", "order_id"),
        ("/characters/{me}/notifications", "notification_id"),
        ("/characters/{me}/wallet/transactions", "transaction_id"),
    ):
        ids = [row[key] for row in data(caller.mine(path))]
        assert len(ids) == len(set(ids))


def test_T18_a_contract_without_items_is_204() -> None:
    """Some public contracts have nothing to list, and answer without a body."""
    caller = Caller()
    assert (204, b"") == ((answer := caller.send("/contracts/public/items/200000007")).status, answer.body)
    assert 200 == caller.send("/contracts/public/items/200000008").status
