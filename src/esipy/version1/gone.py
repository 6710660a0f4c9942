"""Operations of the older document that today's lacks: the same one by another name, what replaced it, or nothing.

Source: the ids of ESI's Swagger 2.0 documents of 2016-2025, compared with today's catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from esipy.core.objects import DataObject
from esipy.exceptions import InvalidCallError
from esipy.operation import Operation
from esipy.version1.names import read_arguments
from esipy.version1.requests import Request

__all__ = ["GONE", "RENAMED", "ROUTE", "RouteOperation"]

RENAMED: dict[str, str] = {
    "get_characters_character_id": "get_characters_detail",
}
"""The same operation under today's name."""

ROUTE = "get_route_origin_destination"

_NAMES = "post_universe_names(ids=[...]), which takes up to 1000 ids of any kind at once"
_SEARCH = (
    "get_characters_character_id_search(character_id=..., search=..., categories=[...]), which needs a login with the "
    "scope esi-search.search_structures.v1; for exact names post_universe_ids(names=[...]), which needs none"
)
_NOTHING = "nothing: ESI no longer has these data"
_STRUCTURES = "get_corporations_corporation_id_structures(corporation_id=...)"
_SOVEREIGNTY = "get_sovereignty_systems()"
_VERIFY = "EsiSecurity.verify(), which reads the token itself"
_META = "get_meta_status()"

GONE: dict[str, str] = {
    "get_search": _SEARCH,
    "get_alliances_names": _NAMES,
    "get_characters_names": _NAMES,
    "get_corporations_names": _NAMES,
    "get_universe_names": _NAMES,
    "get_sovereignty_map": _SOVEREIGNTY,
    "get_sovereignty_structures": _SOVEREIGNTY,
    "get_characters_character_id_wallets": "get_characters_character_id_wallet(character_id=...), the balance in ISK",
    "get_corporations_corporation_id_outposts": _STRUCTURES,
    "get_corporations_corporation_id_outposts_outpost_id": _STRUCTURES,
    "put_corporations_corporation_id_structures_structure_id": _NOTHING,
    "get_characters_character_id_stats": _NOTHING,
    "get_characters_character_id_chat_channels": _NOTHING,
    "get_characters_character_id_bookmarks": _NOTHING,
    "get_characters_character_id_bookmarks_folders": _NOTHING,
    "get_corporations_corporation_id_bookmarks": _NOTHING,
    "get_corporations_corporation_id_bookmarks_folders": _NOTHING,
    "get_characters_character_id_opportunities": _NOTHING,
    "get_opportunities_groups": _NOTHING,
    "get_opportunities_groups_group_id": _NOTHING,
    "get_opportunities_tasks": _NOTHING,
    "get_opportunities_tasks_task_id": _NOTHING,
    "get_verify": _VERIFY,
    "get_ping": "get_status()",
    "get_headers": "esipy.sandbox, whose journal shows what was sent",
    "get_versions": "get_meta_compatibility_dates()",
    "get_status_json": _META,
}
"""What is there in place of an operation that is gone."""

_PREFERENCES = {"shortest": "Shorter", "secure": "Safer", "insecure": "LessSecure"}
_OLD_NAMES = ("origin", "destination", "avoid", "connections", "flag")


class RouteOperation(Operation[Any]):
    """``get_route_origin_destination``, by its successor ``post_route``: a list of system ids, as before."""

    __slots__ = ()

    def __init__(self, successor: Operation[Any]) -> None:
        super().__init__(
            successor.id, successor.name, successor.module, successor.method, successor.path,
            parameters=successor.parameters, result=successor.result, statuses=successor.statuses,
            group=successor.group, since=successor.since,
        )  # fmt: skip

    def __call__(self, **arguments: Any) -> Request:
        """Build the call.

        Args:
            arguments: ``origin``, ``destination``; ``avoid`` (system ids), ``connections`` (pairs of system ids, or
                texts as ``30000142|30000144``), ``flag`` (``shortest``, ``secure`` or ``insecure``).

        Raises:
            InvalidCallError: an argument is unknown, missing or of the wrong type.
        """
        old = {name: arguments.pop(name, None) for name in _OLD_NAMES}
        given = {name: value for name, value in old.items() if value is not None}
        for name in ("origin", "destination"):
            if name not in given and f"{name}_system_id" not in arguments:
                raise InvalidCallError(f"{ROUTE}: parameter {name!r} is missing (an integer)")
            if name in given:
                arguments[f"{name}_system_id"] = given[name]
        arguments.setdefault("body", _body(given))
        today, language, headers = read_arguments(self, arguments)
        return RouteRequest(self, today, language=language, headers=headers)

    def shaped(self, data: Any) -> Any:
        """The list: today's answer has it in a field."""
        return data["route"] if isinstance(data, DataObject) and "route" in data else data

    def __reduce__(self) -> tuple[Any, ...]:
        return (_route, ())


class RouteRequest(Request):
    """The call of a route, read under version 1's names."""

    __slots__ = ()

    def _made_parts(self) -> dict[str, Any]:
        parts = super()._made_parts()
        parts["path"] = {name.removesuffix("_system_id"): value for name, value in parts["path"].items()}
        return parts


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if "flag" in given:
        flag = given["flag"]
        if flag not in _PREFERENCES:
            raise InvalidCallError(f"{ROUTE}: 'flag' has to be one of {', '.join(_PREFERENCES)}, not {flag!r}")
        body["preference"] = _PREFERENCES[flag]
    if "avoid" in given:
        body["avoid_systems"] = list(dict.fromkeys(_system(item) for item in _listed("avoid", given)))
    if "connections" in given:
        body["connections"] = [_connection(item) for item in _listed("connections", given)]
    return body


def _listed(name: str, given: Mapping[str, Any]) -> Iterable[Any]:
    value = given[name]
    if isinstance(value, str):
        return [item for item in value.split(",") if item]
    if not isinstance(value, Iterable):
        raise InvalidCallError(f"{ROUTE}: {name!r} has to be a list of system ids, not {value!r}")
    return value  # pyright: ignore[reportUnknownVariableType]


def _system(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InvalidCallError(f"{ROUTE}: {value!r} is no system id") from None


def _connection(pair: Any) -> dict[str, int]:
    ends = pair.split("|") if isinstance(pair, str) else pair
    try:
        start, end = ends
    except (TypeError, ValueError):
        raise InvalidCallError(f"{ROUTE}: 'connections' has to hold pairs of system ids, not {pair!r}") from None
    return {"from": _system(start), "to": _system(end)}


def _route() -> RouteOperation:
    from esipy import ops

    return RouteOperation(ops.operation("post_route"))
