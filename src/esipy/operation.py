"""Operations, as values: an `Operation` is one route and method of ESI with all facts known about it.

The operations of ESI's catalogue live in `esipy.ops`; this module only knows their form. It imports no
third-party package, so that building a `Call` (`esipy.call`) is cheap at start-up; a body's JSON and the types of
answers are loaded when they are first needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Generic, Literal, TypeVar

from esipy.call import Call
from esipy.core.parameters import Parameter

__all__ = ["Call", "Operation", "Parameter", "RateGroup", "as_operations", "type_of"]

T_co = TypeVar("T_co", covariant=True)

Pagination = Literal["pages", "cursor", "from_id", "last_mail_id", "from_event"]
CacheMode = Literal["ttl-based", "event-based", "not-cached"]


class RateGroup:
    """A rate-limit group: its name, tokens per window, and the window in seconds.

    Source: ESI's OpenAPI document, ``x-rate-limit``.
    """

    __slots__ = ("max_tokens", "name", "window_seconds")

    def __init__(self, name: str, max_tokens: int, window_seconds: int) -> None:
        self.name = name
        self.max_tokens = max_tokens
        self.window_seconds = window_seconds

    def _identity(self) -> tuple[str, int, int]:
        return (self.name, self.max_tokens, self.window_seconds)

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, RateGroup) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"RateGroup({self.name!r}, {self.max_tokens}, {self.window_seconds})"


class Operation(Generic[T_co]):
    """One route and method of ESI, with the facts its document states.

    Calling it builds a call that answers with version 1's data objects; the functions in `esipy.ops`
    build the same call with typed answers.

    Attributes:
        id: today's id, as ``GetMarketsRegionIdOrders``.
        name: the id in snake case, as version 1 and `esipy.ops` spell it.
        module: the module of `esipy.ops` that holds it.
        method: upper case.
        path: with ``{names}`` for the path parameters, no trailing slash.
        parameters: in the document's order, path first, body last.
        by_name: the parameters by their names.
        arrays: those parameters that are arrays.
        result: the type of the answer's data, an expression in the namespace of
            ``esipy.ops.types.<module>``; None when the answer has no body.
        statuses: the good statuses that are declared.
        scope: the OAuth scope the token must have; None for a public operation.
        roles: the corporation roles of which the character must have one; empty when none is asked.
        group: its rate-limit group; None when it counts against the error limit only.
        lifetime_seconds: how long an answer is fresh if its headers do not say; None when unknown.
        server_lifetime_seconds: how long the server keeps its own copy; None when not stated.
        cache_mode: how the server drops its own copy; None when not stated.
        pagination: how long lists are read; None when the answer is whole.
        since: the first compatibility date (``YYYY-MM-DD``) at which it exists.
        localized: the answer depends on ``Accept-Language``.
        base_url: the address of the API it belongs to; None: ESI's, which the client's settings name.
        cacheable: whether answers may be kept: every GET's, and those of a POST to which ESI gives a lifetime.
    """

    __slots__ = (
        "_result_type", "arrays", "base_url", "by_name", "cache_mode", "cacheable", "group", "id", "lifetime_seconds",
        "localized", "method", "module", "name", "pagination", "parameters", "path", "result", "roles", "scope",
        "server_lifetime_seconds", "since", "statuses",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        name: str,
        module: str,
        method: str,
        path: str,
        *,
        parameters: tuple[Parameter, ...] = (),
        result: str | None = None,
        statuses: tuple[int, ...] = (200,),
        scope: str | None = None,
        roles: tuple[str, ...] = (),
        group: RateGroup | None = None,
        lifetime_seconds: int | None = None,
        server_lifetime_seconds: int | None = None,
        cache_mode: CacheMode | None = None,
        pagination: Pagination | None = None,
        since: str = "2020-01-01",
        localized: bool = False,
        base_url: str | None = None,
    ) -> None:
        self.id = id
        self.name = name
        self.module = module
        self.method = method
        self.path = path
        self.parameters = parameters
        self.result = result
        self.statuses = statuses
        self.scope = scope
        self.roles = roles
        self.group = group
        self.lifetime_seconds = lifetime_seconds
        self.server_lifetime_seconds = server_lifetime_seconds
        self.cache_mode = cache_mode
        self.pagination = pagination
        self.since = since
        self.localized = localized
        self.base_url = base_url
        self.cacheable = method == "GET" or (method == "POST" and lifetime_seconds is not None)
        self.by_name = {parameter.name: parameter for parameter in parameters}
        self.arrays = tuple(one for one in parameters if one.kind in ("integers", "strings"))
        self._result_type: Any = None

    @property
    def url(self) -> str:
        """Version 1's form of the address: ``//esi.evetech.net/markets/{region_id}/orders``."""
        from esipy.version1.requests import base_of

        return base_of(self).partition(":")[2] + self.path

    @property
    def security(self) -> list[dict[str, list[str]]] | None:
        """What a login has to bring, as version 1's document said it; None when it is public."""
        return None if self.scope is None else [{"evesso": [self.scope]}]

    @property
    def body(self) -> Parameter | None:
        """The parameter that is the request's body; None when it has none."""
        last = self.parameters[-1] if self.parameters else None
        return last if last is not None and last.where == "body" else None

    @property
    def bulk_parameter(self) -> Parameter | None:
        """The array of a bulk operation, which may hold more items than one call takes; None for other operations.

        It is the body's array, or the one array of ids that a query must have.
        """
        for parameter in self.arrays:
            if parameter.where == "body" or (parameter.required and not parameter.choices):
                return parameter if parameter.max_items is not None else None
        return None

    @property
    def bulk_limit(self) -> int | None:
        """How many items one call of a bulk operation takes; None for other operations."""
        parameter = self.bulk_parameter
        return None if parameter is None else parameter.max_items

    def __call__(self, **arguments: Any) -> Call[Any]:
        """Build a call that answers with version 1's data objects, and is read as version 1's requests were.

        The names that version 1 had for bodies are taken, and ``datasource``, ``token``, ``language``, ``user_agent``
        and ``If_None_Match`` besides (`esipy.version1.names`).

        Raises:
            InvalidCallError: (a ValueError) an argument is unknown, missing or of the wrong type.
        """
        from esipy.version1.requests import build  # here: typed calls do without

        return build(self, arguments)

    def result_type(self) -> Any:
        """The type of the answer's data, as msgspec reads it; None when the answer has no body."""
        if self._result_type is None and self.result is not None:
            types = import_module(f"esipy.ops.types.{self.module}")
            self._result_type = eval(self.result, dict(vars(types)))  # noqa: S307 - generated, never input
        return self._result_type

    def shaped(self, data: Any) -> Any:
        """Version 1's data objects of a good answer in the form that this operation promised."""
        return data

    def struct_type(self, parameter: Parameter) -> Any:
        """The Struct of a body of kind ``object``."""
        return getattr(import_module(f"esipy.ops.types.{self.module}"), parameter.struct or "")

    def __repr__(self) -> str:
        return f"<Operation {self.name}: {self.method} {self.path}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_find, (self.name,))


def _find(name: str) -> Operation[Any]:
    """An operation of the catalogue by its exact name: how pickles come back."""
    from esipy.ops import operation

    return operation(name)


# ---- what the generated modules use ----


def as_operations(*operations: Operation[Any]) -> dict[str, Operation[Any]]:
    """A module's operations by name."""
    return {operation.name: operation for operation in operations}


def type_of(module: str, name: str) -> Any:
    """A type of ``esipy.ops.types.<module>``, for ``esipy.ops.<module>.<name>``: loaded when it is asked for."""
    if name[:1].isupper():  # what else is asked for (``__path__`` and the like) is no reason to load msgspec
        try:
            return getattr(import_module(f"esipy.ops.types.{module}"), name)
        except AttributeError:
            pass
    raise AttributeError(f"module 'esipy.ops.{module}' has no attribute {name!r}")
