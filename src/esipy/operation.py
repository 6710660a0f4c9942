"""Operations and calls, as values.

An `Operation` is one route and method of ESI with all facts known about it. A `Call` is an operation with
its arguments: immutable, hashable, picklable, and sent by nobody until a client is given it. The arguments
are checked and written in their wire form once, when the call is built; nothing that is wrong is ever sent.

The operations of ESI's catalogue live in `esipy.ops`; this module only knows their form. It imports no
third-party package, so that building a call is cheap at start-up; a body's JSON and the types of answers
are loaded when they are first needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Generic, Literal, NoReturn, TypeVar

from esipy.core.wire import as_text, fill_path, join_query
from esipy.exceptions import InvalidCallError

__all__ = ["Call", "Operation", "Parameter", "RateGroup"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Kind = Literal["integer", "number", "boolean", "string", "integers", "strings", "object"]
Where = Literal["path", "query", "body"]
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

    def __repr__(self) -> str:
        return f"RateGroup({self.name!r}, {self.max_tokens}, {self.window_seconds})"


class Parameter:
    """One parameter of an operation.

    Attributes:
        name: ESI's name; a body has the name ``body``.
        where: in the path, the query, or as the body.
        kind: the JSON type; ``integers`` and ``strings`` are arrays; ``object`` is a body with fields.
        required: must be given, unless ``default`` is there.
        default: the value ESI takes when none is given; None when there is none.
        choices: known values. They are documentation: at run time any value of the kind passes.
        minimum, maximum: bounds of a number; None when there is none.
        min_length: how many characters a text has at least; None when not bounded.
        min_items, max_items: how long an array may be; None when not bounded. Checked when the call is sent.
        unique: the items of an array may not repeat. Checked when the call is sent.
        struct: for ``object``: the name of its type in the module's ``types``.
    """

    __slots__ = (
        "choices", "default", "kind", "max_items", "maximum", "min_items", "min_length", "minimum", "name",
        "required", "struct", "unique", "where",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        where: Where,
        kind: Kind,
        *,
        required: bool = False,
        default: Any = None,
        choices: tuple[str, ...] = (),
        minimum: float | None = None,
        maximum: float | None = None,
        min_length: int | None = None,
        min_items: int | None = None,
        max_items: int | None = None,
        unique: bool = False,
        struct: str | None = None,
    ) -> None:
        self.name = name
        self.where = where
        self.kind = kind
        self.required = required
        self.default = default
        self.choices = choices
        self.minimum = minimum
        self.maximum = maximum
        self.min_length = min_length
        self.min_items = min_items
        self.max_items = max_items
        self.unique = unique
        self.struct = struct

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, {self.where!r}, {self.kind!r}, required={self.required})"


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
        "_by_name", "cache_mode", "group", "id", "lifetime_seconds", "localized", "method", "module", "name",
        "pagination", "parameters", "path", "result", "roles", "scope", "server_lifetime_seconds", "since",
        "statuses",
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
        self._by_name = {parameter.name: parameter for parameter in parameters}

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
        """How many items the body's (or query's) array may hold; None when there is no such array."""
        limits = [parameter.max_items for parameter in self.parameters if parameter.max_items is not None]
        return limits[0] if limits else None

    def __call__(self, **arguments: Any) -> Call[Any]:
        """Build a call that answers with version 1's data objects.

        Raises:
            InvalidCallError: (a ValueError) an argument is unknown, missing or of the wrong type.
        """
        return Call(self, arguments, typed=False)

    def result_type(self) -> Any:
        """The type of the answer's data, as msgspec reads it; None when the answer has no body."""
        if self.result is None:
            return None
        types = import_module(f"esipy.ops.types.{self.module}")
        return eval(self.result, dict(vars(types)))  # the expression is generated, never input

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
        body: the JSON that is sent; None when there is none.
        language: ``Accept-Language`` of this call; None takes the client's setting.
        typed: True: the data are the catalogue's types; False: version 1's data objects.
    """

    __slots__ = ("_arguments", "_hash", "body", "language", "operation", "path", "query", "typed")

    operation: Operation[T_co]
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes | None
    language: str | None
    typed: bool

    def __init__(
        self,
        operation: Operation[T_co],
        arguments: Mapping[str, Any],
        *,
        typed: bool = True,
        language: str | None = None,
    ) -> None:
        path_values: dict[str, object] = {}
        query: list[tuple[str, str]] = []
        body: bytes | None = None
        kept: dict[str, Any] = {}
        known = operation._by_name
        for name in arguments:
            if name not in known:
                _refuse_unknown(operation, name)
        for name, parameter in known.items():
            given = arguments.get(name)
            if given is None:
                if not parameter.required:
                    continue
                given = parameter.default
                if given is None:
                    raise InvalidCallError(f"{operation.name}: parameter {name!r} is missing ({_wanted(parameter)})")
            value = _CHECKS[parameter.kind](operation, parameter, given)
            if not parameter.required and value == parameter.default and type(value) is type(parameter.default):
                continue  # what ESI assumes anyway: the call with and without it is one call
            kept[name] = value
            if parameter.where == "path":
                path_values[name] = value
            elif parameter.where == "body":
                body = _encode(value)
            elif isinstance(value, tuple):
                query.extend((name, as_text(item)) for item in value)
            else:
                query.append((name, as_text(value)))
        put = object.__setattr__
        put(self, "operation", operation)
        put(self, "path", fill_path(operation.path, path_values) if path_values else operation.path)
        put(self, "query", tuple(query))
        put(self, "body", body)
        put(self, "language", language)
        put(self, "typed", typed)
        put(self, "_arguments", kept)
        put(self, "_hash", None)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that are sent, by name; a copy."""
        return dict(self._arguments)

    @property
    def target(self) -> str:
        """The path with its query: what follows the base address."""
        return f"{self.path}?{join_query(self.query)}" if self.query else self.path

    def replace(self, **changed: Any) -> Call[T_co]:
        """The same call with some arguments changed; None takes an optional one away."""
        return Call(self.operation, {**self._arguments, **changed}, typed=self.typed, language=self.language)

    def in_language(self, language: str | None) -> Call[T_co]:
        """The same call, answered in this language (``en de fr ja ru zh ko es``)."""
        return Call(self.operation, self._arguments, typed=self.typed, language=language)

    def check_sendable(self) -> None:
        """Refuse an array that is longer than ESI takes.

        Raises:
            InvalidCallError: names the parameter and its limit.
        """
        for parameter in self.operation.parameters:
            limit = parameter.max_items
            if limit is not None and len(self._arguments.get(parameter.name, ())) > limit:
                raise InvalidCallError(
                    f"{self.operation.name}: {parameter.name!r} has {len(self._arguments[parameter.name])} items, "
                    f"ESI takes {limit} at once: send it in several calls"
                )

    def _identity(self) -> tuple[Any, ...]:
        return (self.operation.id, self.path, self.query, self.body, self.language, self.typed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self._identity() == other._identity()

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(self._identity()))
        return self._hash  # type: ignore[no-any-return]

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


# ---- checking arguments: one function a kind, in a table ----


def _refuse_unknown(operation: Operation[Any], name: str) -> NoReturn:
    names = list(operation._by_name)
    near = get_close_matches(name, names, 1, 0.6)
    way_out = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(names) or 'none'}"
    raise InvalidCallError(f"{operation.name}: unknown parameter {name!r}; {way_out}")


def _wanted(parameter: Parameter) -> str:
    words = {
        "integer": "an integer",
        "number": "a number",
        "boolean": "True or False",
        "string": "text",
        "integers": "a list of integers",
        "strings": "a list of texts",
        "object": "a dict or its Struct",
    }
    text = words[parameter.kind]
    return f"{text}, such as {', '.join(map(repr, parameter.choices[:3]))}" if parameter.choices else text


def _refuse(operation: Operation[Any], parameter: Parameter, value: object, where: str = "") -> NoReturn:
    shown = repr(value)
    raise InvalidCallError(
        f"{operation.name}: parameter {parameter.name!r}{where} has to be {_wanted(parameter)}, "
        f"not {type(value).__name__} {shown if len(shown) <= 80 else shown[:80] + '...'}"
    )


def _in_bounds(operation: Operation[Any], parameter: Parameter, value: float) -> None:
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        raise InvalidCallError(f"{operation.name}: parameter {parameter.name!r} has to be {bounds}, not {value}")


def _integer(operation: Operation[Any], parameter: Parameter, value: Any) -> int:
    if type(value) is not int:
        # Programs of version 1 pass ids as text, and numpy's integers answer __index__.
        if isinstance(value, str) and value.strip().lstrip("-").isascii() and value.strip().lstrip("-").isdigit():
            value = int(value)
        elif isinstance(value, bool) or not hasattr(value, "__index__"):
            _refuse(operation, parameter, value)
        else:
            value = value.__index__()
    if parameter.minimum is not None or parameter.maximum is not None:
        _in_bounds(operation, parameter, value)
    return value  # type: ignore[no-any-return]


def _number(operation: Operation[Any], parameter: Parameter, value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        _refuse(operation, parameter, value)
    number = value if type(value) is int else float(value)
    if number != number or number in (float("inf"), float("-inf")):
        _refuse(operation, parameter, value)
    _in_bounds(operation, parameter, number)
    return number


def _boolean(operation: Operation[Any], parameter: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    _refuse(operation, parameter, value)


def _string(operation: Operation[Any], parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        _refuse(operation, parameter, value)
    if parameter.where == "path" and value in ("", ".", ".."):
        raise InvalidCallError(f"{operation.name}: parameter {parameter.name!r} cannot be {value!r} in a path")
    return str(value)


def _items(operation: Operation[Any], parameter: Parameter, value: Any) -> Iterator[tuple[int, Any]]:
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        _refuse(operation, parameter, value)
    return enumerate(value)


def _integers(operation: Operation[Any], parameter: Parameter, value: Any) -> tuple[int, ...]:
    checked: list[int] = []
    for place, item in _items(operation, parameter, value):
        try:
            checked.append(_integer(operation, parameter, item))
        except InvalidCallError:
            _refuse(operation, parameter, item, f" at [{place}]")
    return tuple(checked)


def _strings(operation: Operation[Any], parameter: Parameter, value: Any) -> tuple[str, ...]:
    checked: list[str] = []
    for place, item in _items(operation, parameter, value):
        if not isinstance(item, str):
            _refuse(operation, parameter, item, f" at [{place}]")
        checked.append(item)
    return tuple(checked)


def _object(operation: Operation[Any], parameter: Parameter, value: Any) -> Any:
    """A body with fields, as plain data: from its Struct, or from a dict that fits it."""
    import msgspec

    struct = operation.struct_type(parameter)
    data = msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value
    if not isinstance(data, Mapping):
        _refuse(operation, parameter, value)
    fields = struct.__struct_encode_fields__
    for name in data:
        if name not in fields:
            near = get_close_matches(str(name), fields, 1, 0.6)
            way_out = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(fields)}"
            raise InvalidCallError(f"{operation.name}: unknown field {name!r} in {parameter.name!r}; {way_out}")
    given = {name: field for name, field in data.items() if field is not None}
    try:
        msgspec.convert(given, struct)
    except msgspec.ValidationError as error:
        raise InvalidCallError(f"{operation.name}: {parameter.name!r}: {error}") from None
    return given


def _encode(value: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(value)


_CHECKS: dict[Kind, Any] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "integers": _integers,
    "strings": _strings,
    "object": _object,
}


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
