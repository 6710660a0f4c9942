"""The catalogue's types and parameters, as Swagger 2.0 writes them.

Rules: types are written out where they are used, as ESI's documents of that time did; no text of ESI's is in the
catalogue, so none is here.

Source: Swagger 2.0 specification, "Schema Object" and "Parameter Object".
"""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from esipy.operation import Operation, Parameter

__all__ = ["BODY_NAMES", "answer_schema", "parameter_object"]

BODY_NAMES: dict[str, str] = {
    "post_characters_affiliation": "characters",
    "post_characters_character_id_assets_locations": "item_ids",
    "post_characters_character_id_assets_names": "item_ids",
    "post_characters_character_id_contacts": "contact_ids",
    "post_characters_character_id_cspa": "characters",
    "post_characters_character_id_fittings": "fitting",
    "post_characters_character_id_mail": "mail",
    "post_characters_character_id_mail_labels": "label",
    "post_corporations_corporation_id_assets_locations": "item_ids",
    "post_corporations_corporation_id_assets_names": "item_ids",
    "post_fleets_fleet_id_members": "invitation",
    "post_ui_openwindow_newmail": "new_mail",
    "post_universe_ids": "names",
    "post_universe_names": "ids",
    "put_characters_character_id_calendar_event_id": "response",
    "put_characters_character_id_contacts": "contact_ids",
    "put_characters_character_id_mail_mail_id": "contents",
    "put_fleets_fleet_id": "new_settings",
    "put_fleets_fleet_id_members_member_id": "movement",
    "put_fleets_fleet_id_squads_squad_id": "naming",
    "put_fleets_fleet_id_wings_wing_id": "naming",
}
"""What the body of each operation was called; today's document has no names for bodies."""

_KINDS: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
}
_ITEMS = {"integers": "integer", "strings": "string"}


def parameter_object(operation: Operation[Any], parameter: Parameter) -> dict[str, Any]:
    """One parameter of an operation."""
    written: dict[str, Any] = {"name": parameter.name, "in": parameter.where, "required": parameter.required}
    if parameter.where == "body":
        written["name"] = BODY_NAMES.get(operation.name, "body")
        if parameter.kind == "object":
            return {**written, "schema": _schema(inspect.type_info(operation.struct_type(parameter)))}
        return {**written, "schema": _value(parameter)}
    return {**written, **_value(parameter)}


def _value(parameter: Parameter) -> dict[str, Any]:
    value = _one_or_many(parameter)
    bounds = {
        "default": parameter.default,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "minLength": parameter.min_length,
        "minItems": parameter.min_items,
        "maxItems": parameter.max_items,
        "uniqueItems": parameter.unique or None,
    }
    return value | {name: bound for name, bound in bounds.items() if bound is not None}


def _one_or_many(parameter: Parameter) -> dict[str, Any]:
    item = _ITEMS.get(parameter.kind)
    one = dict(_KINDS[item or parameter.kind])
    if parameter.choices:
        one["enum"] = list(parameter.choices)
    return one if item is None else {"type": "array", "items": one}


def answer_schema(operation: Operation[Any]) -> dict[str, Any] | None:
    """The schema of an operation's data; None when its answer has no body."""
    return None if operation.result is None else _schema(inspect.type_info(operation.result_type()))


def _schema(shape: inspect.Type) -> dict[str, Any]:
    match shape:
        case inspect.StructType():
            return {
                "type": "object",
                "required": [field.encode_name for field in shape.fields if field.required],
                "properties": {field.encode_name: _schema(field.type) for field in shape.fields},
            }
        case inspect.ListType():
            return {"type": "array", "items": _schema(shape.item_type)}
        case inspect.DictType():
            return {"type": "object", "additionalProperties": _schema(shape.value_type)}
        case inspect.UnionType():  # a type or null, which Swagger 2.0 cannot say
            return _schema(next(option for option in shape.types if not isinstance(option, inspect.NoneType)))
        case inspect.Metadata():
            return _schema(shape.type)
        case inspect.IntType():
            return dict(_KINDS["integer"])
        case inspect.FloatType():
            return dict(_KINDS["number"])
        case inspect.BoolType():
            return dict(_KINDS["boolean"])
        case inspect.StrType():
            return dict(_KINDS["string"])
        case inspect.DateTimeType():
            return {"type": "string", "format": "date-time"}
        case inspect.DateType():
            return {"type": "string", "format": "date"}
        case _:
            return {"type": "object"}
