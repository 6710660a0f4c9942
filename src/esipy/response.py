"""`Response`: what a call was answered, typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from esipy.core.answer import Answer, Source
from esipy.core.forbidden import forbidden_of
from esipy.core.freshness import age_of, http_date
from esipy.core.moments import as_datetime, not_before
from esipy.core.wire import Headers
from esipy.exceptions import APIException, ForbiddenError, LimitedError, ServerError, UndecodableAnswerError, error_for
from esipy.operation import Call

__all__ = ["Response", "ResponseHeader"]

T_co = TypeVar("T_co", covariant=True)

_INTEGERS = frozenset({"x-pages"})
"""Headers that the catalogue declares as integers."""


def _is_count(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS


_MOST_DIGITS = 18
"""A longer number is no count of anything."""


class ResponseHeader(Mapping[str, list[Any]]):
    """Version 1's headers: names in any case, each a list; ``header["X-Pages"][0]`` is an int."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> list[Any]:
        values = self._headers.get_all(name)
        if not values:
            raise KeyError(name)
        if name.lower() in _INTEGERS:
            return [int(value) if _is_count(value) else value for value in values]
        return values

    def __contains__(self, name: object) -> bool:
        return name in self._headers

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __repr__(self) -> str:
        return f"ResponseHeader({dict(self)!r})"


class Response(Generic[T_co]):
    """The answer of one call.

    Attributes:
        call: what was asked.
        url: the whole address; it holds no token.
        status: the HTTP status; with `error` set where no answer came: 500; or what ESI would have answered to a call
            that was not sent: 429 or 420, 401 or 403, 503.
        data: the typed data (version 1's data objects for calls from ``app.op``); for a status >= 400 the error's
            body, ``data.error`` its text; None when the answer has no body, or with ``raw_body_only``.
        raw: the body as bytes, decompressed.
        source: ``network``; ``cache``: it was kept and is fresh; ``revalidated``: it was kept and still holds;
            ``stale``: it was kept, and ESI does not answer now; or ``nowhere``: no answer came, `error` says why.
        error: the exception in place of an answer that did not come; None otherwise.
    """

    __slots__ = (
        "_fresh_until", "_given_at", "_retry_at", "_undecodable", "call", "data", "error", "headers", "raw",
        "source", "status", "url",
    )  # fmt: skip

    data: T_co

    def __init__(
        self,
        call: Call[T_co],
        answer: Answer,
        data: Any,
        url: str,
        *,
        undecodable: bool = False,
        error: APIException | None = None,
    ) -> None:
        self.call = call
        self.url = url
        self.status: int = answer.status
        self.headers: Headers = answer.headers
        self.raw: bytes = answer.body
        self.source: Source = answer.source
        self.data = data
        self.error = error
        self._fresh_until = answer.fresh_until
        self._given_at = answer.given_at
        self._retry_at = answer.retry_at
        self._undecodable = undecodable

    @property
    def status_code(self) -> int:
        """The HTTP status, under its longer name."""
        return self.status

    @property
    def header(self) -> ResponseHeader:
        """The headers as version 1 gave them: lists, with integers where the catalogue says so."""
        return ResponseHeader(self.headers)

    @property
    def expires_at(self) -> datetime | None:
        """When it ceases to be fresh, by this machine's clock (aware, UTC); None when it may not be kept."""
        return as_datetime(self._fresh_until)

    @property
    def age_seconds(self) -> float:
        """How old it was when it was given: seconds since ESI made it, or last confirmed that it holds."""
        given_at = (self._fresh_until or 0.0) if self._given_at is None else self._given_at
        return age_of(self.headers, self.call.operation.lifetime_seconds, self._fresh_until, given_at)

    @property
    def retry_at(self) -> datetime | None:
        """When to come back (aware, UTC), where a limit or ESI names a moment, whether or not the call was sent; else
        None."""
        if isinstance(self.error, LimitedError | ServerError):
            return self.error.retry_at
        return None if self._retry_at is None else not_before(self._retry_at)

    @property
    def last_modified(self) -> datetime | None:
        """``Last-Modified`` (aware, UTC); None when the answer has none."""
        return as_datetime(http_date(self.headers.get("last-modified")))

    @property
    def pages(self) -> int | None:
        """How many pages the list has: ``X-Pages``, or 1 when a list that comes in pages does not say.

        None when the operation's answers do not come in pages, and for an error.
        """
        told = self.header.get("x-pages", [None])[0]
        if isinstance(told, int):
            return told
        return 1 if self.call.operation.pagination == "pages" and self._is_good else None

    def raise_for_status(self) -> None:
        """Raise what stands for a bad answer: a status outside 200-299, a body that is not JSON, or none at all.

        ESI's operations redirect nowhere, so a 3xx is no answer either.

        Raises:
            APIException: of the class that `esipy.exceptions` draws for it.
        """
        if self.error is not None:
            raise self.error
        if not self._is_good:
            error = error_for(self.status)(self.url, self.status, **self._seen)
            if isinstance(error, LimitedError | ServerError):
                error.retry_at = self.retry_at
            elif isinstance(error, ForbiddenError):
                operation = self.call.operation
                error.reason, error.advice = forbidden_of(self.raw, operation.scope, operation.roles)
                error.scope, error.roles = operation.scope, operation.roles
            raise error
        if self._undecodable:
            what = "not JSON" if self.raw else "empty"
            raise UndecodableAnswerError(
                self.url,
                self.status,
                message=f"{self.call!r}: status {self.status}, but the body is {what}: {self.raw[:200]!r}",
                **self._seen,
            )

    @property
    def _is_good(self) -> bool:
        return 200 <= self.status <= 299

    @property
    def _seen(self) -> dict[str, Any]:
        query: dict[str, list[str]] = {}
        for name, value in self.call.query:  # an array repeats its name
            query.setdefault(name, []).append(value)
        shown = {name: values[0] if len(values) == 1 else values for name, values in query.items()}
        return {"response": self.raw, "request_param": shown, "response_header": self.header}

    def __repr__(self) -> str:
        # Neither headers nor body: they may hold what is nobody's business.
        return f"<Response {self.status} from {self.source}: {self.call!r}>"
