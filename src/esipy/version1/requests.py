"""Version 1's requests: calls that can also be read, and unpacked, as what pyswagger made of an operation.

``app.op["..."](...)`` gives a `Request`. It is a `Call`, a value like any other, and answers besides as the pair
``(request, response)`` did: ``op[0]`` is the request itself, ``op[1]`` what will be answered.

Rules kept here: a token given to a call leaves in its ``Authorization`` header only; it is in no URL, repr or key of
a cache (T44). What a program writes into ``_p["header"]`` is sent; the rest of ``_p`` is for reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from esipy.core.wire import Headers, as_text
from esipy.operation import Call, Operation
from esipy.version1.names import body_name, read_arguments
from esipy.version1.pairs import PendingResponse

if TYPE_CHECKING:
    from esipy.response import Response

__all__ = ["Request", "build", "request_of"]

_BEARER = "bearer "


class Request(Call[Any]):
    """A call with version 1's interface; see `Call` for today's.

    Two requests are equal when they send the same, the headers of their own included.
    """

    __slots__ = ("_own_headers", "_parts", "_pending")

    _own_headers: tuple[tuple[str, str], ...]
    _parts: dict[str, Any] | None
    _pending: PendingResponse | None

    brings_own = True

    def __init__(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        *,
        typed: bool = False,
        language: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(operation, arguments, typed=typed, language=language)
        put = object.__setattr__
        put(self, "_own_headers", headers)
        put(self, "_parts", None)
        put(self, "_pending", None)

    # ---- what the engine asks ----

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of this call only, without a bearer token."""
        return tuple((name, value) for name, value in self._all_headers() if not _is_bearer(name, value))

    @property
    def token(self) -> str | None:
        """The access token that this call brings; None: the login's is used where one is needed."""
        for name, value in self._all_headers():
            if _is_bearer(name, value):
                return value[len(_BEARER) :].strip()
        return None

    @property
    def holder(self) -> str | None:
        """Who asks with the token of this call, so that nobody else is given the answer; it holds no token."""
        token = self.token
        return None if token is None else f"token:{_digest(token)}"

    @property
    def marks(self) -> str:
        """What tells this call's answers from those of the same call without its headers; "" when nothing does."""
        marking = sorted((name.lower(), value) for name, value in self.headers if name.lower() != "user-agent")
        return _digest(repr(marking)) if marking else ""

    def _all_headers(self) -> tuple[tuple[str, str], ...]:
        if self._parts is None:
            return self._own_headers
        shown = ("Accept-Language", self._shown_language)
        pairs = ((str(name), as_text(value)) for name, value in self._parts["header"].items())
        return tuple(pair for pair in pairs if pair != shown)

    # ---- pyswagger's Request ----

    @property
    def _shown_language(self) -> str:
        """What version 1 had in ``_p["header"]`` unasked; the language itself is `language`."""
        return self.language or "en-us"

    @property
    def _p(self) -> dict[str, Any]:
        """The arguments: ``path`` and ``header`` by name, ``query`` as pairs, all as text; ``body`` as data."""
        parts = self._parts
        if parts is None:
            parts = self._made_parts()
            object.__setattr__(self, "_parts", parts)
        return parts

    def _made_parts(self) -> dict[str, Any]:
        path: dict[str, str] = {}
        body: dict[str, Any] = {}
        for name, value in self._arguments.items():
            where = self.operation.by_name[name].where
            if where == "path":
                path[name] = as_text(value)
            elif where == "body":
                data: Any = self.arguments[name]  # a copy
                body[body_name(self.operation) or name] = list(data) if isinstance(value, tuple) else data
        header = dict(self._own_headers)
        if self.operation.localized:
            header.setdefault("Accept-Language", self._shown_language)
        # What was a parameter of the query then, and is a header now, is read where it was; a token is not (T44).
        asked = (("language", self.language), ("datasource", header.get("X-Tenant")))
        query = [*self.query, *((name, value) for name, value in asked if value is not None)]
        return {"header": header, "query": query, "path": path, "body": body, "formData": [], "file": {}}

    @property
    def _security(self) -> list[dict[str, list[str]]] | None:
        """What a login has to bring, as the older document said it; None when the operation is public."""
        return self.operation.security

    @property
    def url(self) -> str:
        """The whole address without the query, filled in. (Before sending, version 1's was a template.)"""
        return base_of(self.operation) + self.path

    @property
    def method(self) -> str:
        """Lower case, as in the document."""
        return self.operation.method.lower()

    @property
    def header(self) -> Headers:
        """The headers of this call only, by names in any case."""
        return Headers(self._all_headers())

    @property
    def data(self) -> bytes | None:
        """The body that is sent."""
        return self.body

    @property
    def files(self) -> dict[str, Any]:
        """None are ever sent."""
        return {}

    @property
    def schemes(self) -> list[str]:
        """The one it is sent with."""
        return [base_of(self.operation).partition(":")[0]]

    @property
    def scheme(self) -> str:
        """The one it is sent with."""
        return self.schemes[0]

    def reset(self) -> None:
        """Nothing: a call is ready to be sent again."""

    def prepare(self, *_: Any, **__: Any) -> Self:
        """Nothing: a call is ready when it is built."""
        return self

    # ---- the pair (request, response) ----

    @property
    def _response(self) -> PendingResponse:
        pending = self._pending
        if pending is None:
            pending = PendingResponse()
            object.__setattr__(self, "_pending", pending)
        return pending

    def answered(self, response: Response[Any]) -> None:
        """Keep the answer as the second of the pair, ``op[1]``; the last one, when it is sent again."""
        self._response.answered(response)

    def __len__(self) -> int:
        return 2

    def __getitem__(self, place: int) -> Any:
        return (self, self._response)[place]

    def __iter__(self) -> Iterator[Any]:
        yield self
        yield self._response

    # ---- a value, like any call ----

    def replace(self, **changed: Any) -> Request:
        """The same call with some arguments changed, by version 1's names or today's; None takes one away."""
        given = read_arguments(self.operation, changed)
        arguments = {**self._arguments, **given.arguments}
        return self._again(arguments, given.language or self.language, _over(self._all_headers(), given.headers))

    def in_language(self, language: str | None) -> Request:
        """See `Call.in_language`."""
        return self._again(self._arguments, language, self._all_headers())

    def alone(self) -> Request:
        """The same call with a ``_p`` of its own, for a login that writes into it."""
        return self._again(self._arguments, self.language, self._all_headers())

    def _again(
        self, arguments: Mapping[str, Any], language: str | None, headers: tuple[tuple[str, str], ...]
    ) -> Request:
        return type(self)(self.operation, arguments, typed=self.typed, language=language, headers=headers)

    def _identity(self) -> tuple[Any, ...]:
        return (*super()._identity(), self._own_headers)

    def __reduce__(self) -> tuple[Any, ...]:
        given = (self.operation, self._arguments, self.typed, self.language, self._all_headers())
        return (_rebuild, (type(self), *given))


def _rebuild(
    kind: type[Request],
    operation: Operation[Any],
    arguments: dict[str, Any],
    typed: bool,
    language: str | None,
    headers: tuple[tuple[str, str], ...],
) -> Request:
    return kind(operation, arguments, typed=typed, language=language, headers=headers)


def build(operation: Operation[Any], given: Mapping[str, Any]) -> Request:
    """What calling an operation gives.

    Raises:
        InvalidCallError: an argument is unknown, missing or of the wrong type.
    """
    arguments, language, headers = read_arguments(operation, given)
    return Request(operation, arguments, language=language, headers=headers)


def request_of(call: Call[Any]) -> Request:
    """A call as a request of its own, for a login of version 1's kind that edits it; the call itself stays as it is."""
    if isinstance(call, Request):
        return call.alone()
    return Request(call.operation, call.arguments, typed=call.typed, language=call.language)


def base_of(operation: Operation[Any]) -> str:
    """The address before an operation's path."""
    if operation.base_url is not None:
        return operation.base_url
    from esipy.settings import Settings  # here: reading the environment takes a while, and few ask

    return Settings.from_environment().base_url


def _is_bearer(name: str, value: str) -> bool:
    return name.lower() == "authorization" and value[: len(_BEARER)].lower() == _BEARER


def _digest(text: str) -> str:
    from hashlib import sha256  # here: few calls have headers of their own, and a start should not pay for it

    return sha256(text.encode()).hexdigest()[:32]


def _over(old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    named = {name.lower() for name, _ in new}
    return (*(pair for pair in old if pair[0].lower() not in named), *new)
