"""ESI's scopes as constants, and which of them calls need.

    from esipy import scopes

    scopes.ESI_WALLET_READ_CHARACTER_WALLET_V1               # "esi-wallet.read_character_wallet.v1"
    scopes.needed_for("get_characters_character_id_wallet")  # Needed(scopes=("esi-wallet...",), roles={})

Ask for the least: users see what a login asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from esipy.operation import Call, Operation
from esipy.ops._scopes import *  # noqa: F403 (constants, one for each scope)
from esipy.ops._scopes import SCOPES as SCOPES
from esipy.ops._scopes import __all__ as _constants

__all__ = [*_constants, "Needed", "needed_for"]  # pyright: ignore[reportUnsupportedDunderAll]


class Needed(NamedTuple):
    """What a set of operations needs.

    Attributes:
        scopes: to be asked for at the login, sorted; empty when all are public.
        roles: by the name of each operation that asks for corporation roles in game: the character must have one of
            these. They cannot be asked for at the login.
    """

    scopes: tuple[str, ...]
    roles: Mapping[str, tuple[str, ...]]


def needed_for(*operations: Operation[Any] | Call[Any] | str) -> Needed:
    """The least scopes that these operations need together, and the roles in game.

    Args:
        operations: calls, operations, or their ids as `esipy.EsiApp` knows them (old and new ones).

    Raises:
        UnknownOperationError: no operation has this id; the text lists near ones.
    """
    found = [_operation(one) for one in operations]
    return Needed(
        tuple(sorted({one.scope for one in found if one.scope is not None})),
        {one.name: one.roles for one in found if one.roles},
    )


def _operation(given: Operation[Any] | Call[Any] | str) -> Operation[Any]:
    if isinstance(given, str):
        from esipy.app import EsiApp

        return EsiApp().op[given]
    return given.operation if isinstance(given, Call) else given
