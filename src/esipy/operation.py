"""Operations and calls, as values.

An `Operation` is one route and method of ESI with all facts known about it. A `Call` is an operation with
its arguments: immutable, hashable, picklable, and sent by nobody until a client is given it. The arguments
are checked and written in their wire form once, when the call is built; nothing that is wrong is ever sent.

The operations of ESI's catalogue live in `esipy.ops`; this module only knows their form. It imports no
third-party package, so that building a call is cheap at start-up; a body's JSON and the types of answers
are loaded when they are first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Generic, Literal, NoReturn, TypeVar

from esipy.core.parameters import Parameter, check, check_size, encode, refuse_unknown
from esipy.core.wire import as_text, fill_path, join_query
from esipy.exceptions import InvalidCallError

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
    """

    __slots__ = (
        "_result_type", "arrays", "by_name", "cache_mode", "group", "id", "lifetime_seconds",
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
        self.by_name = {parameter.name: parameter for parameter in parameters}
        self.arrays = tuple(one for one in parameters if one.kind in ("integers", "strings"))
        self._result_type: Any = None

    @property
    def base_url(self) -> str | None:
        """The address of the API it belongs to; None: ESI's, which the client's settings name."""
        return None

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
    def cacheable(self) -> bool:
        """Whether answers may be kept: every GET, and the POST to which ESI gives a lifetime."""
        return self.method == "GET" or (self.method == "POST" and self.lifetime_seconds is not None)

    @property
    def body(self) -> Parameter | None:
        """The parameter that is the request's body; None when it has none."""
        last = self.parameters[-1] if self.parameters else None
        return last if last is not None and last.where == "body" else None

    @property
    def bulk_limit(self) -> int | None:
        """How many items fit into one call of a bulk operation; None when it is none.

        It is the limit of the body's array, or of the one array of ids that a query must have.
        """
        for parameter in self.arrays:
            if parameter.where == "body" or (parameter.required and not parameter.choices):
                return parameter.max_items
        return None

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


class Call(Generic[T_co]):
    """An operation with its arguments: a value. Build it with `esipy.ops` or ``app.op[...]``.

    Two calls are equal when they send the same thing and answer in the same form.

    Attributes:
        operation: what is called.
        path: the path, filled in and escaped.
        query: (name, value) pairs as text, in the document's order; an array repeats its name.
        target: the path with its query: what follows the base address.
        body: the JSON that is sent; None when there is none.
        language: ``Accept-Language`` of this call; None takes the client's setting.
        typed: True: the data are the catalogue's types; False: version 1's data objects.
    """

    __slots__ = ("_arguments", "_hash", "body", "language", "operation", "path", "query", "target", "typed")

    operation: Operation[T_co]
    path: str
    query: tuple[tuple[str, str], ...]
    target: str
    body: bytes | None
    language: str | None
    typed: bool
    _arguments: dict[str, Any]
    _hash: int | None

    def __init__(
        self,
        operation: Operation[T_co],
        arguments: Mapping[str, Any],
        *,
        typed: bool = True,
        language: str | None = None,
    ) -> None:
        if language is not None and not (language.isascii() and language.replace("-", "").isalnum()):
            raise InvalidCallError(f"{operation.name}: {language!r} is no language, such as 'en' or 'de'")
        path_values: dict[str, object] = {}
        query: list[tuple[str, str]] = []
        body: bytes | None = None
        kept: dict[str, Any] = {}
        known = operation.by_name
        for name in arguments:
            if name not in known:
                refuse_unknown(f"{operation.name}: unknown parameter", name, known)
        for name, parameter in known.items():
            given = arguments.get(name)
            if given is None:
                if not parameter.required:
                    continue
                given = parameter.default
                if given is None:
                    raise InvalidCallError(f"{operation.name}: parameter {name!r} is missing ({parameter.wanted})")
            value = check(operation.name, parameter, given, operation.struct_type)
            if not parameter.required and (value == parameter.default or value == ()):
                continue  # what ESI assumes anyway: the call with and without it is one call
            kept[name] = value
            if parameter.where == "path":
                path_values[name] = value
            elif parameter.where == "body":
                body = encode(operation.name, value)
            elif isinstance(value, tuple):
                items: tuple[Any, ...] = value  # pyright: ignore[reportUnknownVariableType]
                query.extend((name, as_text(item)) for item in items)
            else:
                query.append((name, as_text(value)))
        put = object.__setattr__
        put(self, "operation", operation)
        path = fill_path(operation.path, path_values) if path_values else operation.path
        put(self, "path", path)
        put(self, "query", tuple(query))
        put(self, "target", f"{path}?{join_query(query)}" if query else path)
        put(self, "body", body)
        put(self, "language", language)
        put(self, "typed", typed)
        put(self, "_arguments", kept)
        put(self, "_hash", None)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """(name, value) pairs that are sent with this call only: version 1's calls may have some."""
        return ()

    @property
    def token(self) -> str | None:
        """An access token in place of the login's: version 1's calls may bring one."""
        return None

    @property
    def holder(self) -> str | None:
        """Who asks with `token`, in a text that does not hold it; None without one."""
        return None

    @property
    def marks(self) -> str:
        """What `headers` change in the answer, for the keys of caches; "" when nothing."""
        return ""

    def answered(self, response: Any) -> None:
        """Told by a client when the call was answered: version 1's calls keep what they were answered."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that are sent, by name, as plain data; a copy, arrays as tuples."""
        from copy import deepcopy  # here: a first call does not pay for it

        return deepcopy(self._arguments)

    def replace(self, **changed: Any) -> Call[T_co]:
        """The same call with some arguments changed; None takes an optional one away."""
        return Call(self.operation, {**self._arguments, **changed}, typed=self.typed, language=self.language)

    def in_language(self, language: str | None) -> Call[T_co]:
        """The same call, answered in this language (``en de fr ja ru zh ko es``)."""
        return Call(self.operation, self._arguments, typed=self.typed, language=language)

    def check_sendable(self) -> None:
        """Refuse an array that ESI would refuse whole: too long, too short, or an item twice.

        Raises:
            InvalidCallError: names the parameter and its limit.
        """
        for parameter in self.operation.arrays:
            items = self._arguments.get(parameter.name)
            if items is not None:
                check_size(self.operation.name, parameter, items)

    def _identity(self) -> tuple[Any, ...]:
        return (self.operation.id, self.path, self.query, self.body, self.language, self.typed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Call):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        known = self._hash
        if known is None:
            known = hash(self._identity())
            object.__setattr__(self, "_hash", known)
        return known

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a call is a value: use call.replace({name}=...) to get another")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a call is a value: nothing of it can be deleted")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{self.operation.name}({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.operation, self._arguments, self.typed, self.language))


def _rebuild(operation: Operation[Any], arguments: dict[str, Any], typed: bool, language: str | None) -> Call[Any]:
    return Call(operation, arguments, typed=typed, language=language)


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
