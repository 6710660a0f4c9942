"""JSON schemas -> type expressions, Structs and enums, each in the module that holds it.

Rules kept here:

- A schema that one tag uses lives in that tag's module; one that several use, and every aliased scalar, in
  ``common``. What a shared schema refers to is shared as well, so ``common`` imports no other module.
- Arrays and scalars are spelled where they are used; objects become Structs.
- ESI's ``oneOf`` have no ``required``: they become one Struct with optional fields, of which one is present.
- Bounds and unknown fields are checked in what is sent, never in what is received.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.catalogue import naming
from tools.catalogue.layout import literal
from tools.catalogue.walking import Schema, is_array, is_object, operations, property_names, reachable, referred

__all__ = ["COMMON", "Alias", "Enum", "Field", "Struct", "TypeModule", "Types"]

COMMON = "common"
_SCALARS = {
    ("integer", None): "int",
    ("integer", "int32"): "int",
    ("integer", "int64"): "int",
    ("number", None): "float",
    ("number", "double"): "float",
    ("number", "float"): "float",
    ("boolean", None): "bool",
    ("string", None): "str",
    ("string", "uuid"): "str",
    ("string", "date"): "Date",
    ("string", "date-time"): "DateTime",
}
_BOUNDS = {
    "minimum": "ge",
    "maximum": "le",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
}


@dataclass
class Field:
    """One field: its key in JSON, its name in Python, its type; ``default`` is source text, None when required."""

    key: str
    name: str
    type: str
    default: str | None


@dataclass
class Struct:
    """One object's type. ``sent``: it is (part of) a body."""

    name: str
    sent: bool
    fields: list[Field] = field(default_factory=list)


@dataclass
class Enum:
    """A field whose known values are listed; ``owner`` is ``Struct.field``."""

    name: str
    owner: str
    values: tuple[str, ...]


@dataclass
class Alias:
    """A named scalar."""

    name: str
    type: str


@dataclass
class TypeModule:
    """What one module of types holds; ``uses`` are the names that it takes from ``common``."""

    name: str
    structs: list[Struct] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)


class Types:
    """All types of a document, filled by asking for expressions."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: Mapping[str, Schema] = document["components"]["schemas"]
        self.modules: dict[str, TypeModule] = {COMMON: TypeModule(COMMON)}
        self._owners = self._find_owners(document)
        self._names = self._name_structs(document)
        self._taken: set[str] = {"Date", "DateTime", "Any", "Annotated", "TypeAlias", "Literal", "CHOICES"}
        for name, schema in self._schemas.items():
            if _is_alias(schema):
                self._take(name)
                self.modules[COMMON].aliases.append(Alias(name, self._scalar(schema, self.modules[COMMON])))
        sent = self._sent_schemas(document)
        for name, schema in self._schemas.items():
            if _is_struct(schema):
                self._struct(schema, self._names[name], self.module(self._owners[name]), sent=name in sent)

    def module(self, name: str) -> TypeModule:
        """The module of this name, made when it is not there."""
        return self.modules.setdefault(name, TypeModule(name))

    def expression(self, schema: Schema, name: str, module: str, *, sent: bool = False) -> str:
        """The type of a schema, in the namespace of ``module``; an object without a name is called ``name``."""
        return self._expression(schema, name, self.module(module), name, sent=sent)

    def resolve(self, schema: Schema) -> Schema:
        """A schema with its reference, if it is one, followed."""
        while "$ref" in schema:
            schema = self._schemas[referred(schema)]
        return schema

    # ---- expressions ----

    def _expression(self, schema: Schema, name: str, module: TypeModule, owner: str, *, sent: bool) -> str:
        if "$ref" in schema:
            target = referred(schema)
            resolved = self._schemas[target]
            if _is_alias(resolved) or _is_struct(resolved):
                return self._reference(target, module)
            return self._expression(resolved, self._names[target], module, owner, sent=sent)
        if _is_struct(schema):
            self._struct(schema, name, module, sent=sent)
            return name
        kind = schema.get("type")
        if kind == "array":
            return self._array(schema, f"{name}Item", module, owner, sent=sent)
        if kind == "object":
            extra = schema.get("additionalProperties")
            if is_object(extra):
                value = self._expression(extra, f"{name}Value", module, owner, sent=sent)
                return f"dict[str, {value}]"
            return "dict[str, Any]"
        if "enum" in schema:
            return self._enum(schema, name, module, owner)
        return self._bounded(self._scalar(schema, module), schema, sent=sent)

    def _array(self, schema: Schema, item_name: str, module: TypeModule, owner: str, *, sent: bool) -> str:
        item = self._expression(schema["items"], item_name, module, owner, sent=sent)
        return self._bounded(f"list[{item}]", schema, sent=sent)

    def _reference(self, target: str, module: TypeModule) -> str:
        name = target if _is_alias(self._schemas[target]) else self._names[target]
        home = COMMON if _is_alias(self._schemas[target]) else self._owners[target]
        if home != module.name:
            if home != COMMON:
                raise ValueError(f"{module.name} refers to {target}, which {home} holds")
            module.uses.add(name)
        return name

    def _enum(self, schema: Schema, name: str, module: TypeModule, owner: str) -> str:
        if schema.get("type") != "string":
            raise ValueError(f"{owner}: an enum of {schema.get('type')} is not known here")
        self._take(name)
        module.enums.append(Enum(name, owner, tuple(schema["enum"])))
        return name

    def _scalar(self, schema: Schema, module: TypeModule) -> str:
        kind = schema.get("type")
        if kind is None:
            return "Any"
        if is_array(kind):
            kinds = [str(one) for one in kind if one != "null"]
            spelled = " | ".join(self._scalar({**schema, "type": one}, module) for one in kinds)
            return f"{spelled} | None" if "null" in kind else spelled
        spelled = _SCALARS[kind, schema.get("format")]
        if spelled in ("Date", "DateTime") and module.name != COMMON:
            module.uses.add(spelled)
        return spelled

    @staticmethod
    def _bounded(spelled: str, schema: Schema, *, sent: bool) -> str:
        if not sent:
            return spelled
        limits = [f"{word}={schema[key]}" for key, word in _BOUNDS.items() if key in schema]
        if schema.get("uniqueItems"):
            limits.append('extra_json_schema={"uniqueItems": True}')
        return f"Annotated[{spelled}, msgspec.Meta({', '.join(limits)})]" if limits else spelled

    # ---- Structs ----

    def _struct(self, schema: Schema, name: str, module: TypeModule, *, sent: bool) -> None:
        self._take(name)
        struct = Struct(name, sent)
        module.structs.append(struct)
        required = set(schema.get("required", ()))
        for key, part in _properties(schema).items():
            owner = f"{name}.{key}"
            if part.get("type") == "array":
                child = name + naming.pascal(naming.singular(key))
                spelled = self._array(part, child, module, owner, sent=sent)
            else:
                spelled = self._expression(part, name + naming.pascal(key), module, owner, sent=sent)
            default = None
            if key not in required:
                default = literal(part["default"]) if sent and "default" in part else "None"
            if default == "None" and spelled != "Any" and not spelled.endswith("| None"):
                spelled = f"{spelled} | None"
            struct.fields.append(Field(key, naming.attribute(key), spelled, default))
        struct.fields.sort(key=lambda one: one.default is not None)

    def _take(self, name: str) -> None:
        if name in self._taken:
            raise ValueError(f"two types would be called {name}")
        self._taken.add(name)

    # ---- who owns what, and what it is called ----

    def _find_owners(self, document: Mapping[str, Any]) -> dict[str, str]:
        users: dict[str, set[str]] = {name: set() for name in self._schemas}
        for operation in operations(document):
            for name in reachable(self._schemas, operation):
                users[name].add(naming.module(operation["tags"][0]))
        return {name: next(iter(tags)) if len(tags) == 1 else COMMON for name, tags in users.items()}

    def _sent_schemas(self, document: Mapping[str, Any]) -> set[str]:
        sent: set[str] = set()
        received: set[str] = set()
        for operation in operations(document):
            sent |= reachable(self._schemas, operation.get("requestBody"))
            received |= reachable(self._schemas, operation["responses"])
        return sent - received

    def _name_structs(self, document: Mapping[str, Any]) -> dict[str, str]:
        known = naming.vocabulary([*property_names(self._schemas), *document["paths"]])
        names: dict[str, str] = {}
        for name in self._schemas:
            short = name.removesuffix("Get")
            names[name] = naming.recased(name if short in self._schemas else short, known)
        return names


def _is_alias(schema: Schema) -> bool:
    return "x-common-model" in schema and schema.get("type") in ("integer", "string", "number")


def _is_struct(schema: Schema) -> bool:
    return bool(schema.get("properties")) or "oneOf" in schema


def _properties(schema: Schema) -> dict[str, Schema]:
    properties: dict[str, Schema] = {}
    properties.update(schema.get("properties", {}))
    for alternative in schema.get("oneOf", ()):
        properties.update(alternative["properties"])
    return properties
