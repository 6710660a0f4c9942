"""Operations into the text of `esipy.ops`: one module a tag, the index, and the package that loads them lazily."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from tools.catalogue import naming
from tools.catalogue.document import Operation, Parameter, RateGroup
from tools.catalogue.layout import bracketed, header, imports, literal, paragraph
from tools.catalogue.schemas import TypeModule

T = TypeVar("T")

__all__ = ["index_module", "operations_module", "package_module", "scopes_module"]

_TYPES = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "string": "str",
    "integers": "Sequence[int]",
    "strings": "Sequence[str]",
}
_PAGING = {
    "pages": "Paged: page 1 tells the number of pages in X-Pages.",
    "cursor": "Paged by cursor: before and after.",
    "from_id": "Paged by id: from_id.",
    "last_mail_id": "Paged by id: last_mail_id.",
    "from_event": "Paged by id: from_event.",
}


def operations_module(date: str, tag: str, operations: Sequence[Operation], types: TypeModule) -> str:
    """The facts and functions of one tag."""
    parameters = _once("_P_", ((one.name, one) for operation in operations for one in operation.parameters))
    groups = _once("_G_", ((operation.group.name, operation.group) for operation in operations if operation.group))
    needed = ["Call", "Operation", "as_operations"]
    needed += ["Parameter"] * bool(parameters) + ["RateGroup"] * bool(groups) + ["type_of"] * bool(types.structs)
    checked = _checked_imports(operations, types)
    known = any(parameter.choices and parameter.kind == "string" for parameter in parameters)
    typing = ["TYPE_CHECKING"] * bool(checked) + ["Any"] + ["Literal"] * known
    lines = header(date, f"ESI's operations under the tag {tag}.")
    lines += [*imports("typing", typing), "", *imports("esipy.operation", needed)]
    if checked:
        lines += ["", "if TYPE_CHECKING:", *checked]
    if types.structs:
        lines += ["else:", "", "    def __getattr__(name: str) -> Any:"]
        lines += [f"        return type_of({literal(types.name)}, name)", ""]
    lines += ["", *(f"{name} = {_rate_group(group)}" for group, name in groups.items())]
    for parameter, name in parameters.items():
        lines += _parameter(name, parameter)
    for operation in operations:
        lines += ["", *_operation(operation, parameters, groups)]
    for operation in operations:
        lines += ["", "", *_function(operation)]
    constants = [naming.constant(operation.name) for operation in operations]
    lines += ["", "", *bracketed("OPERATIONS: dict[str, Operation[Any]] = as_operations(", constants, ")")]
    return "\n".join([*lines, ""])


def index_module(date: str, operations: Sequence[Operation]) -> str:
    """Where each operation is, without loading it."""
    lines = header(date, "Where each operation is: name -> module, id -> name.")
    lines += ["MODULES: dict[str, str] = {"]
    lines += [f"    {literal(operation.name)}: {literal(operation.module)}," for operation in operations]
    lines += ["}", "IDS: dict[str, str] = {"]
    lines += [f"    {literal(operation.id)}: {literal(operation.name)}," for operation in operations]
    return "\n".join([*lines, "}", ""])


def scopes_module(date: str, scopes: Sequence[str]) -> str:
    """Every scope as a constant."""
    names = dict(sorted((scope_constant(scope), scope) for scope in scopes))
    lines = header(date, "Every scope of ESI, by a name that can be spelled in Python.")
    lines += bracketed("__all__ = [", [literal(name) for name in (*names, "SCOPES")], "]")
    lines += ["", *(f"{name} = {literal(scope)}" for name, scope in names.items()), ""]
    lines += bracketed("SCOPES: tuple[str, ...] = (", list(names), ")")
    return "\n".join([*lines, ""])


def scope_constant(scope: str) -> str:
    """``esi-wallet.read_character_wallet.v1`` -> ``ESI_WALLET_READ_CHARACTER_WALLET_V1``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", scope).upper()


def package_module(date: str, modules: Sequence[str]) -> str:
    """``ops/__init__.py``: loads a tag's module when it is first asked for."""
    listed = "\n".join(bracketed("_MODULES = (", [literal(module) for module in modules], ")"))
    checked = "\n".join(imports("esipy.ops", modules, exported=True, indent=4))
    return _PACKAGE.format(date=date, modules=listed, imports=checked, head="\n".join(header(date, _PACKAGE_DOC)))


_PACKAGE_DOC = """ESI's operations, one module a tag: ``ops.market.get_markets_region_id_orders(...)`` builds a call.

Nothing is loaded before it is asked for (PEP 562): one call loads one module.
"""

_PACKAGE = """{head}
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from esipy.operation import Operation
{imports}

COMPATIBILITY_DATE: str = "{date}"

{modules}


def operation(name: str) -> Operation[Any]:
    \"\"\"The operation of this name (``get_status``) or id (``GetStatus``), spelled exactly.

    Raises:
        KeyError: there is none.
    \"\"\"
    from esipy.ops._index import IDS, MODULES

    name = IDS.get(name, name)
    found: Operation[Any] = import_module(f"esipy.ops.{{MODULES[name]}}").OPERATIONS[name]
    return found


def names() -> tuple[str, ...]:
    \"\"\"The names of all operations, in the document's order; no operation is loaded.\"\"\"
    from esipy.ops._index import MODULES

    return tuple(MODULES)


def operations() -> Iterator[Operation[Any]]:
    \"\"\"All operations, in the order of `names`; loads every module.\"\"\"
    return map(operation, names())


def __dir__() -> list[str]:
    return sorted({{*globals(), *_MODULES}})


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"esipy.ops.{{name}}")
        raise AttributeError(f"module 'esipy.ops' has no attribute {{name!r}}")
"""


def _once(prefix: str, named: Iterable[tuple[str, T]]) -> dict[T, str]:
    """Equal values once, each with a constant's name."""
    names: dict[T, str] = {}
    for word, value in named:
        name = prefix + re.sub(r"\W", "_", word).upper()
        if value not in names:
            taken = sum(1 for other in names.values() if re.fullmatch(rf"{name}(_\d+)?", other))
            names[value] = f"{name}_{taken + 1}" if taken else name
    return names


def _checked_imports(operations: Sequence[Operation], types: TypeModule) -> list[str]:
    """What only the checker needs: collections for signatures, and the tag's types, for users too."""
    kinds = {parameter.kind for operation in operations for parameter in operation.parameters}
    abstract = ["Mapping"] * ("object" in kinds) + ["Sequence"] * bool(kinds & {"integers", "strings"})
    words = {word for operation in operations for word in re.findall(r"\w+", operation.result or "")}
    blocks = [
        imports("collections.abc", abstract, indent=4) if abstract else [],
        imports("esipy.ops.types.common", words & types.uses, indent=4) if words & types.uses else [],
        imports(f"esipy.ops.types.{types.name}", [struct.name for struct in types.structs], exported=True, indent=4)
        if types.structs
        else [],
    ]
    return [line for block in blocks for line in block]


def _rate_group(group: RateGroup) -> str:
    return f"RateGroup({literal(group.name)}, {group.max_tokens}, {group.window_seconds})"


def _parameter(name: str, parameter: Parameter) -> list[str]:
    parts = [literal(parameter.name), literal(parameter.where), literal(parameter.kind)]
    parts += ["required=True"] * parameter.required
    for fact in ("default", "minimum", "maximum", "min_length", "min_items", "max_items", "struct"):
        value = getattr(parameter, fact)
        if value is not None:
            parts.append(f"{fact}={literal(value)}")
    parts += ["unique=True"] * parameter.unique
    if parameter.choices:
        parts.append(f"choices={literal(parameter.choices)}")
    return bracketed(f"{name} = Parameter(", parts, ")")


def _operation(operation: Operation, parameters: dict[Parameter, str], groups: dict[RateGroup, str]) -> list[str]:
    parts = [literal(part) for part in (operation.id, operation.name, operation.module)]
    parts += [literal(operation.method), literal(operation.path)]
    own = [parameters[parameter] for parameter in operation.parameters]
    if own:
        parts.append(f"parameters=({', '.join(own)}{',' * (len(own) == 1)})")
    if operation.result:
        parts.append(f"result={literal(operation.result)}")
    if operation.statuses != (200,):
        parts.append(f"statuses={operation.statuses}")
    if operation.scope:
        parts.append(f"scope={literal(operation.scope)}")
    if operation.roles:
        parts.append(f"roles={literal(operation.roles)}")
    if operation.group:
        parts.append(f"group={groups[operation.group]}")
    for fact in ("lifetime_seconds", "server_lifetime_seconds", "cache_mode", "pagination"):
        value = getattr(operation, fact)
        if value is not None:
            parts.append(f"{fact}={literal(value)}")
    if operation.since != _FIRST_DATE:
        parts.append(f"since={literal(operation.since)}")
    parts += ["localized=True"] * operation.localized
    typed = f"{naming.constant(operation.name)}: Operation[{operation.result or 'None'}] = Operation("
    return bracketed(typed, parts, ")")


_FIRST_DATE = "2020-01-01"


def _function(operation: Operation) -> list[str]:
    own = [naming.attribute(parameter.name) for parameter in operation.parameters]
    typed = [_typed(parameter) for parameter in operation.parameters]
    lines = bracketed(
        f"def {operation.name}(", [*["*"] * bool(own), *typed], f") -> Call[{operation.result or 'None'}]:"
    )
    lines += [f'    """{operation.method} {operation.path}', "", *_facts(operation), '    """']
    given = [f"{literal(parameter.name)}: {name}" for parameter, name in zip(operation.parameters, own, strict=True)]
    return lines + bracketed(f"return Call({naming.constant(operation.name)}, {{", given, "})", 4)


def _typed(parameter: Parameter) -> str:
    if parameter.kind == "object":
        spelled = f"{parameter.struct} | Mapping[str, Any]"
    elif parameter.kind == "string" and parameter.choices:
        spelled = f"Literal[{', '.join(map(literal, parameter.choices))}] | str"
    else:
        spelled = _TYPES[parameter.kind]
    name = naming.attribute(parameter.name)
    if parameter.default is not None:
        return f"{name}: {spelled} = {literal(parameter.default)}"
    return f"{name}: {spelled}" if parameter.required else f"{name}: {spelled} | None = None"


def _facts(operation: Operation) -> list[str]:
    """The docstring's body, in our own words."""
    facts = [f"Scope: {operation.scope}." if operation.scope else "Public."]
    if operation.roles:
        facts.append(f"Role, one of: {', '.join(operation.roles)}.")
    group = operation.group
    if group:
        facts.append(f"Rate group: {group.name}, {group.max_tokens} tokens in {group.window_seconds} s.")
    else:
        facts.append("Under the error limit.")
    if operation.lifetime_seconds is not None:
        facts.append(f"Fresh for {operation.lifetime_seconds} s.")
    if operation.pagination:
        facts.append(_PAGING[operation.pagination])
    facts += [
        f"At most {parameter.max_items} items in {parameter.name}."
        for parameter in operation.parameters
        if parameter.max_items is not None
    ]
    if operation.since != _FIRST_DATE:
        facts.append(f"Since {operation.since}.")
    return paragraph(" ".join(facts), 4)
