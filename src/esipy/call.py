"""`Call`: an operation with its arguments, as a value: immutable, hashable, picklable, sent by nobody until a client
is given it. The arguments are checked and written in their wire form once, when the call is built; nothing that is
wrong is ever sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

from esipy.core.arguments import check, check_size, encode, refuse_unknown
from esipy.core.wire import as_text, fill_path, join_query
from esipy.exceptions import InvalidCallError
from esipy.settings import LANGUAGES

if TYPE_CHECKING:
    from esipy.operation import Operation

__all__ = ["Call"]

T_co = TypeVar("T_co", covariant=True)


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

    brings_own: ClassVar[bool] = False
    """Whether it may have `headers` or a `token` of its own: version 1's calls may. Else nobody need ask for them."""

    def __init__(
        self,
        operation: Operation[T_co],
        arguments: Mapping[str, Any],
        *,
        typed: bool = True,
        language: str | None = None,
    ) -> None:
        if language is not None:
            _check_language(operation, language)
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
        """The same call, answered in this language (``en de fr ja ru zh ko es``); None: in the client's.

        Raises:
            InvalidCallError: ESI does not speak it.
        """
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
        language = "" if self.language is None else f".in_language({self.language!r})"
        return f"{self.operation.name}({shown}){language}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.operation, self._arguments, self.typed, self.language))


def _check_language(operation: Operation[Any], language: Any) -> None:
    if operation.base_url is None:
        if language not in LANGUAGES:
            raise InvalidCallError(f"{operation.name}: language={language!r}: has to be one of {' '.join(LANGUAGES)}")
    elif not (language.isascii() and language.replace("-", "").isalnum()):  # another API may speak any
        raise InvalidCallError(f"{operation.name}: {language!r} is no language, such as 'en' or 'de'")


def _rebuild(operation: Operation[Any], arguments: dict[str, Any], typed: bool, language: str | None) -> Call[Any]:
    return Call(operation, arguments, typed=typed, language=language)
