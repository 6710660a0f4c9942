"""Scopes are data: constants, and the least that a set of operations needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from esipy import ops, scopes
from esipy.exceptions import UnknownOperationError

WALLET = "esi-wallet.read_character_wallet.v1"


def test_every_scope_is_a_constant() -> None:
    """Its name is the scope's, in capitals, with whatever no name may hold as an underscore."""
    assert WALLET == scopes.ESI_WALLET_READ_CHARACTER_WALLET_V1
    constants = {name: value for name, value in vars(scopes).items() if name.startswith("ESI_")}
    assert sorted(scopes.SCOPES) == sorted(constants.values())
    assert all(name in scopes.__all__ for name in constants)


def test_the_scopes_of_all_operations_are_among_them() -> None:
    """No operation asks for one that is not there."""
    needed = scopes.needed_for(*ops.operations())
    assert set(needed.scopes) <= set(scopes.SCOPES)
    assert len(needed.scopes) > 60


def test_the_least_scopes_of_several_operations() -> None:
    """Each once and sorted; ids, operations and calls may be mixed, public ones need none."""
    call = ops.wallet.get_characters_character_id_wallet(character_id=7)
    needed = scopes.needed_for(call, "get_characters_character_id_wallet_journal", "GetStatus", call.operation)
    assert ((WALLET,), {}) == (needed.scopes, needed.roles)
    assert ((), {}) == scopes.needed_for()


def test_roles_in_game_are_told_by_operation() -> None:
    """They cannot be asked for at the login: the character has to have one of them."""
    needed = scopes.needed_for("get_corporations_corporation_id_wallets")
    assert {"get_corporations_corporation_id_wallets": ("Accountant", "Junior_Accountant")} == needed.roles


def test_an_unknown_operation_is_named_with_its_neighbours() -> None:
    """A typing mistake finds what was meant."""
    with pytest.raises(UnknownOperationError, match="get_characters_character_id_wallet"):
        scopes.needed_for("get_characters_character_id_walet")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``esipy scopes ...``."""
    command = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()", "scopes", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_prints_scopes_for_a_login() -> None:
    """One a line on stdout, for other programs; roles are a note on stderr."""
    done = run("get_characters_character_id_wallet", "get_corporations_corporation_id_wallets")
    assert [WALLET, "esi-wallet.read_corporation_wallets.v1"] == done.stdout.split()
    assert "get_corporations_corporation_id_wallets" in done.stderr
    assert "Accountant" in done.stderr
    assert 0 == done.returncode


def test_the_command_without_operations_prints_all_scopes() -> None:
    """What there is to choose from."""
    assert list(scopes.SCOPES) == run().stdout.split()


def test_the_command_says_what_is_wrong_in_one_line() -> None:
    """An unknown operation: exit status 1."""
    done = run("get_characters_character_id_walet")
    assert (1, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
