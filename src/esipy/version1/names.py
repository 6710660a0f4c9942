"""Version 1's names: of bodies, of what it took beside parameters, and how its values become today's.

Rules kept here: a name that today's operation has means that parameter; what was a parameter of the older document
and is a header today becomes one; nothing that is secret gets into an error's text.

Source: ESI's Swagger 2.0 document of 2016-2025 (``/latest/swagger.json``), and pyswagger's primitives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from esipy._agent import sent_user_agent
from esipy.core.parameters import Parameter
from esipy.exceptions import InvalidCallError
from esipy.operation import Operation

__all__ = ["BODY_NAMES", "Given", "body_name", "read_arguments"]

BODY_NAMES: dict[str, str] = {
    "post_characters_affiliation": "characters",
    "post_characters_character_id_assets_locations": "item_ids",
    "post_characters_character_id_assets_names": "item_ids",
    "put_characters_character_id_calendar_event_id": "response",
    "post_characters_character_id_contacts": "contact_ids",
    "put_characters_character_id_contacts": "contact_ids",
    "post_characters_character_id_cspa": "characters",
    "post_characters_character_id_fittings": "fitting",
    "post_characters_character_id_mail": "mail",
    "post_characters_character_id_mail_labels": "label",
    "put_characters_character_id_mail_mail_id": "contents",
    "post_corporations_corporation_id_assets_locations": "item_ids",
    "post_corporations_corporation_id_assets_names": "item_ids",
    "put_fleets_fleet_id": "new_settings",
    "post_fleets_fleet_id_members": "invitation",
    "put_fleets_fleet_id_members_member_id": "movement",
    "put_fleets_fleet_id_squads_squad_id": "naming",
    "put_fleets_fleet_id_wings_wing_id": "naming",
    "post_route": "body",  # newer than version 1
    "post_ui_openwindow_newmail": "new_mail",
    "post_universe_ids": "names",
    "post_universe_names": "ids",
}
"""What each operation's body was called; ``body``, today's name, is taken too."""

_LANGUAGES = {"en-us": "en"}
"""Names of languages that were others."""

_WORDS = frozenset(
    {"datasource", "token", "language", "accept_language", "user_agent", "x_user_agent", "if_none_match"}
)
"""What every operation took beside its parameters, with ``-`` or ``_``, in any case."""


class Given(NamedTuple):
    """What a call of version 1 was given, in today's words.

    Attributes:
        arguments: by today's names.
        language: ``Accept-Language``; None when none was given.
        headers: (name, value) pairs for this call only; they may hold a token.
    """

    arguments: dict[str, Any]
    language: str | None
    headers: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return "<what a call was given>"


def body_name(operation: Operation[Any]) -> str | None:
    """What version 1 called the body of an operation; None when it has none."""
    body = operation.body
    return None if body is None else BODY_NAMES.get(operation.name, body.name) if body.name == "body" else body.name


def read_arguments(operation: Operation[Any], given: Mapping[str, Any]) -> Given:
    """Today's words for what version 1 was given; a name that nobody knows is left for the call to refuse.

    Raises:
        InvalidCallError: a header's value cannot be sent, or a parameter was given under two names.
    """
    known = operation.by_name
    # Only other documents' operations have parameters in headers: they are not among those by name.
    headed = len(known) < len(operation.parameters)
    in_headers = {one.name.lower(): one for one in operation.parameters if one.where == "header"} if headed else {}
    arguments: dict[str, Any] = {}
    language: str | None = None
    headers: list[tuple[str, str]] = []
    for name, value in given.items():
        if name in known:
            arguments[name] = as_today(known[name], value)
            continue
        word = name.lower().replace("-", "_")
        if "body" in known and name == body_name(operation):
            if given.get("body") is not None:
                raise InvalidCallError(f"{operation.name}: the body is given twice, as 'body' and as {name!r}")
            arguments["body"] = as_today(known["body"], value)
        elif (header := in_headers.get(name.lower()) or in_headers.get(word.replace("_", "-"))) is not None:
            if value is not None:
                headers.append((header.name, _header_text(operation, header.name, value)))
        elif word not in _WORDS or (word == "token" and operation.scope is None):
            arguments[name] = value
        elif value is None:
            continue
        elif word in ("language", "accept_language"):
            language = _LANGUAGES.get(str(value).lower(), str(value))
        else:
            headers.append(_as_header(operation, word, value))
    _require(operation, in_headers.values(), headers)
    return Given(arguments, language, tuple(headers))


def _as_header(operation: Operation[Any], word: str, value: Any) -> tuple[str, str]:
    text = _header_text(operation, word, value)
    match word:
        case "datasource":
            return ("X-Tenant", text)
        case "token":
            return ("Authorization", f"Bearer {text}")
        case "if_none_match":
            return ("If-None-Match", text)
        case _:
            return ("User-Agent", sent_user_agent(text))


def _header_text(operation: Operation[Any], name: str, value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    if not text.isascii() or not text.isprintable() or not text.strip():
        raise InvalidCallError(
            f"{operation.name}: {name!r} has to be ASCII text of one line"
        )  # its value may be a token
    return text


def _require(operation: Operation[Any], parameters: Iterable[Parameter], headers: list[tuple[str, str]]) -> None:
    there = {name for name, _ in headers}
    for parameter in parameters:
        if parameter.required and parameter.name not in there:
            raise InvalidCallError(f"{operation.name}: header {parameter.name!r} is missing")


# ---- values, as pyswagger's primitives took them ----


def as_today(parameter: Parameter, value: Any) -> Any:
    """A value that version 1 took, as today's parameter takes it; what is wrong today too is left to be refused.

    Texts in place of lists are split at commas; repeated items of a list of unique ones are dropped; numbers are
    taken as text, whole floats as integers, 0 and 1 as booleans.
    """
    match parameter.kind:
        case "integer":
            return _whole(value)
        case "string":
            return _text(value)
        case "boolean":
            return bool(value) if type(value) is int and value in (0, 1) else value
        case "integers":
            return _list(parameter, value, _whole)
        case "strings":
            return _list(parameter, value, _text)
        case _:
            return value


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value == value // 1 else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _list(parameter: Parameter, value: Any, convert: Any) -> Any:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",")] if value else []
    if isinstance(value, (bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        return value  # pyright: ignore[reportUnknownVariableType]
    items: Iterable[Any] = value  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (set, frozenset)):
        items = sorted(items, key=repr)
    converted = [convert(item) for item in items]
    if not parameter.unique:
        return converted
    try:
        return list(dict.fromkeys(converted))
    except TypeError:
        return converted  # an item that cannot be hashed is no item either
