"""ESI's operations as version 1's programs read them: the same operation, with the parameters it had then.

Calling one builds a call of today's operation; only what is read of it is as it was.
"""

from __future__ import annotations

from typing import Any

from esipy.core.parameters import Parameter
from esipy.operation import Call, Operation
from esipy.version1.names import body_name
from esipy.version1.requests import build

__all__ = ["OldOperation", "old_operation"]

_TAKEN = tuple(name for name in Operation.__slots__ if name != "parameters")


class OldOperation(Operation[Any]):
    """An operation of ESI, read as version 1 read it.

    Attributes:
        today: the operation as it is; its calls are calls of it.
        parameters: with the body's old name, and with what was a parameter beside ESI's own: ``datasource``,
            ``If-None-Match``, ``token``, ``language``.
    """

    __slots__ = ("today",)

    def __init__(self, today: Operation[Any]) -> None:
        for name in _TAKEN:
            setattr(self, name, getattr(today, name))
        self.parameters = _parameters(today)
        self.today = today

    @property
    def body(self) -> Parameter | None:
        """The parameter that is the request's body, under today's name; None when it has none."""
        return self.today.body

    @property
    def operationId(self) -> str:
        """The id, as version 1 spelled it."""
        return self.name

    @property
    def tags(self) -> tuple[str, ...]:
        """The module of `esipy.ops` that holds it."""
        return (self.module,)

    def __call__(self, **arguments: Any) -> Call[Any]:
        """Build a call; see `Operation.__call__`."""
        return build(self.today, arguments)

    def __eq__(self, other: object) -> bool:
        return self.today is other.today if isinstance(other, OldOperation) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.today)

    def __reduce__(self) -> tuple[Any, ...]:
        return (OldOperation, (self.today,))


def _parameters(today: Operation[Any]) -> tuple[Parameter, ...]:
    found = [_renamed(one, body_name(today) or one.name) if one.where == "body" else one for one in today.parameters]
    found.append(Parameter("datasource", "query", "string"))
    if today.method == "GET":
        found.append(Parameter("If-None-Match", "header", "string"))
    if today.scope is not None:
        found.append(Parameter("token", "query", "string"))
    if today.localized:
        found.append(Parameter("language", "query", "string"))
        found.append(Parameter("Accept-Language", "header", "string"))
    return tuple(found)


def _renamed(body: Parameter, name: str) -> Parameter:
    return Parameter(
        name, body.where, body.kind, required=body.required, min_items=body.min_items, max_items=body.max_items,
        unique=body.unique, struct=body.struct,
    )  # fmt: skip


_made: dict[str, OldOperation] = {}


def old_operation(today: Operation[Any]) -> OldOperation:
    """The one view of an operation; making it twice in two threads does no harm."""
    known = _made.get(today.name)
    if known is None:
        known = _made[today.name] = OldOperation(today)
    return known
