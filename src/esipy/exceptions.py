"""Every error of this library, in one tree.

::

    Exception
    ├── APIException                 the base that programs catch (version 1's name)
    │   ├── ClientError              you: an answer of 400-499
    │   │   ├── BadRequestError        400, 422: ESI refused the arguments
    │   │   │   └── PositionRefusedError a list's position that ESI takes no more: begin anew
    │   │   ├── UnauthorizedError      401: no token, or one that ESI does not accept
    │   │   ├── ForbiddenError         403: scope, role or access is missing
    │   │   ├── NotFoundError          404
    │   │   └── LimitedError           you were too fast; ``retry_at`` says when to come back
    │   │       ├── RateLimitedError     429
    │   │       └── ErrorLimitedError    420
    │   ├── ServerError              them: an answer of 500-599; ``retry_at`` when ESI said it
    │   │   └── DowntimeError          the daily downtime: nothing was sent
    │   ├── NetworkError             the network: no usable answer came
    │   │   ├── ConnectError           no connection: nothing was sent
    │   │   ├── AnswerTimeoutError     (also TimeoutError) the time limit passed
    │   │   ├── BrokenAnswerError      reset, cut short, or not HTTP
    │   │   └── AnswerTooLargeError    more bytes than ``max_answer_bytes``
    │   ├── UndecodableAnswerError   them: a good status, but the body is not JSON
    │   ├── IncompleteSnapshotError  parts of a list could not be had; holds those that were
    │   ├── IncompleteBulkError      parts of a bulk call could not be done; holds what was answered
    │   ├── ListChangedError         a list became another while it was read, or cannot be told from another
    │   └── SSOError                 the login: the SSO, or a token
    │       ├── LoginRequiredError     (also AttributeError) no token to use
    │       ├── TokenRevokedError      the SSO said ``invalid_grant``: log in again
    │       ├── SSOUnavailableError    anything else it said: try later, the token is kept
    │       ├── TokenInvalidError      a token whose signature or claims are wrong
    │       ├── OwnerChangedError      the character was sold: the token is not used for the new owner
    │       ├── MissingScopeError      the login does not allow this call: nothing was sent
    │       ├── LoginFailedError       a login that came to nothing; ``reason`` says why
    │       └── TokenStoreError        where tokens are kept cannot be read or written: nothing is lost
    │           └── TokenKeyError        the tokens are sealed with another key, or there is none
    ├── InvalidCallError (ValueError)     you: a call that cannot be sent
    ├── UnknownOperationError (KeyError)  you: no operation of that name
    ├── MissingFieldError (KeyError, AttributeError)  you: a field that this answer does not have
    ├── DocumentError (ValueError)        you: an OpenAPI document that cannot be read
    └── SettingError (ValueError)         you: a setting that cannot be meant

No error holds a token, a secret or a code: neither in its text nor in an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = [
    "APIException",
    "AnswerTimeoutError",
    "AnswerTooLargeError",
    "BadRequestError",
    "BrokenAnswerError",
    "ClientError",
    "ConnectError",
    "DocumentError",
    "DowntimeError",
    "ErrorLimitedError",
    "ForbiddenError",
    "IncompleteBulkError",
    "IncompleteSnapshotError",
    "InvalidCallError",
    "LimitedError",
    "ListChangedError",
    "LoginFailedError",
    "LoginRequiredError",
    "MissingFieldError",
    "MissingScopeError",
    "NetworkError",
    "NotFoundError",
    "OwnerChangedError",
    "PositionRefusedError",
    "RateLimitedError",
    "SSOError",
    "SSOUnavailableError",
    "ServerError",
    "SettingError",
    "TokenInvalidError",
    "TokenKeyError",
    "TokenRevokedError",
    "TokenStoreError",
    "UnauthorizedError",
    "UndecodableAnswerError",
    "UnknownOperationError",
    "error_for",
]

_SHOWN = 500
"""How many characters of an answer an error's text shows."""


class APIException(Exception):
    """A request that ESI or the SSO did not answer as hoped; itself, for an answer of 300-399.

    Attributes:
        url: the address, without any token.
        status_code: the HTTP status; 0 when no answer came.
        response: the body of the answer as bytes or text; empty when there was none.
        request_param: the query of the request, or the form without its secrets.
        response_header: the headers of the answer.
    """

    def __init__(
        self,
        url: str,
        code: int,
        *,
        response: bytes | str | None = b"",
        request_param: Mapping[str, Any] | None = None,
        response_header: Mapping[str, Any] | None = None,
        message: str | None = None,
    ) -> None:
        self.url = url
        self.status_code = code
        self.response = b"" if response is None else response
        self.request_param: Mapping[str, Any] = request_param or {}
        self.response_header: Mapping[str, Any] = response_header or {}
        self.message = message
        super().__init__(str(self))

    @property
    def code(self) -> int:
        """The HTTP status, under the name of the argument."""
        return self.status_code

    def __str__(self) -> str:
        if self.message is not None:
            return self.message
        body = self.response
        # No character takes more than 4 bytes: what is not shown need not be decoded.
        text = body[: 4 * _SHOWN + 4].decode("utf-8", "replace") if isinstance(body, bytes) else body
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        return f"HTTP Error {self.status_code}: {shown}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_revive, (type(self), self.args, self.__dict__.copy()))


def _revive(kind: type[APIException], args: tuple[Any, ...], state: dict[str, Any]) -> APIException:
    """Rebuild an error from a pickle: its arguments are keywords, which Exception forgets."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ClientError(APIException):
    """ESI answered 400-499: the request has to change."""


class BadRequestError(ClientError):
    """400 or 422: an argument was refused."""


class PositionRefusedError(BadRequestError):
    """ESI does not take the position up to which a list was read: read it from the beginning, with ``initial()``."""


class UnauthorizedError(ClientError):
    """401: the token is missing, expired or not accepted."""


class ForbiddenError(ClientError):
    """403: scope, role or access is missing; the text ends with what to do.

    Attributes:
        reason: ``scope``, ``role`` (in game), ``access`` (it is not this character's), as ESI's words and the catalogue
            tell; "" where no operation is known.
        scope: what the operation needs; None when none.
        roles: in game, one of which it needs; empty when none.
        advice: what to do, as a sentence.
    """

    reason: str = ""
    scope: str | None = None
    roles: tuple[str, ...] = ()
    advice: str = ""

    def __str__(self) -> str:
        return f"{super().__str__()} ({self.advice})" if self.advice else super().__str__()


class NotFoundError(ClientError):
    """404: there is no such thing."""


class LimitedError(ClientError):
    """A limit was reached.

    Attributes:
        retry_at: when to come back (aware, UTC); None when unknown.
    """

    retry_at: datetime | None = None


class RateLimitedError(LimitedError):
    """429: the bucket of this operation and principal is empty."""


class ErrorLimitedError(LimitedError):
    """420: too many errors; ESI answers nothing until the window ends."""


class ServerError(APIException):
    """ESI answered 500-599: not your fault, try again later.

    Attributes:
        retry_at: when to come back (aware, UTC); None when ESI did not say.
    """

    retry_at: datetime | None = None


class DowntimeError(ServerError):
    """ESI is in its daily downtime, and the call was not to wait for its end: nothing was sent.

    Attributes:
        retry_at: when it will next be looked whether ESI is up (aware, UTC).
    """


class NetworkError(APIException):
    """No usable answer came.

    Attributes:
        sent: False when it is certain that no byte of the request left; only then may a
            request that changes something be repeated.
    """

    sent: bool

    def __init__(self, url: str, reason: str, *, sent: bool = True) -> None:
        super().__init__(url, 0, message=f"{reason} ({url})")
        self.sent = sent
        self.reason = reason


class ConnectError(NetworkError):
    """No connection could be made: nothing was sent."""

    def __init__(self, url: str, reason: str, *, sent: bool = False) -> None:
        super().__init__(url, reason, sent=sent)


class AnswerTimeoutError(NetworkError, TimeoutError):
    """The time limit passed before the whole answer was there."""


class BrokenAnswerError(NetworkError):
    """The connection broke, the body was cut short, or what came was not HTTP."""


class AnswerTooLargeError(NetworkError):
    """The answer is larger than ``max_answer_bytes``; it was not read to its end."""


class UndecodableAnswerError(APIException):
    """The status was good, but the body is not JSON."""


class ListChangedError(APIException):
    """A list became another while it was read, or its pages do not say of which list they are."""

    def __init__(self, url: str, message: str) -> None:
        super().__init__(url, 0, message=message)


class IncompleteSnapshotError(APIException):
    """Not all pages of a list could be had as one version of it.

    Attributes:
        snapshot: what was got (`esipy.lists.snapshot.Snapshot`): the good pages, all of one version.
        causes: by page number, why it is missing: the page's own error, or a `ListChangedError`.
    """

    def __init__(self, url: str, message: str, *, snapshot: Any, causes: Mapping[int, Exception]) -> None:
        super().__init__(url, 0, message=message)
        self.snapshot = snapshot
        self.causes = causes


class IncompleteBulkError(APIException):
    """Not all parts of a bulk call were answered.

    Attributes:
        bulk: what was answered (`esipy.lists.bulk.Bulk`).
        causes: by item that was asked, the error of the part that it was in.
    """

    def __init__(self, url: str, message: str, *, bulk: Any, causes: Mapping[Any, Exception]) -> None:
        super().__init__(url, 0, message=message)
        self.bulk = bulk
        self.causes = causes


class SSOError(APIException):
    """The login failed, or a token cannot be used."""


class LoginRequiredError(SSOError, AttributeError):
    """There is no token to use: log in first. (Also an AttributeError, as in version 1.)"""

    def __init__(self, message: str) -> None:
        super().__init__("", 0, message=message)


class TokenRevokedError(SSOError):
    """The SSO answered ``invalid_grant``: the refresh token is dead, the character logs in again."""


class SSOUnavailableError(SSOError):
    """The SSO refused for another reason than ``invalid_grant``, or did not answer.

    The refresh token is kept: try again later.

    Attributes:
        retry_at: until when nobody of this process asks it again (aware, UTC); None when nothing stops it.
    """

    retry_at: datetime | None = None


class TokenInvalidError(SSOError):
    """A token's signature, issuer, audience or time is wrong. It was not taken into use."""


class OwnerChangedError(SSOError):
    """The character belongs to another account than the one that logged in: its new owner has to log in (T47)."""


class MissingScopeError(SSOError):
    """The login does not allow this call, or there is none; nothing was sent.

    Attributes:
        scope: the one that is missing.
        status_code: what ESI would have answered: 403, or 401 where nobody is logged in.
    """

    def __init__(self, url: str, code: int, *, message: str, scope: str) -> None:
        super().__init__(url, code, message=message)
        self.scope = scope


class LoginFailedError(SSOError):
    """A login that came to nothing. Nothing that was there before has changed.

    Attributes:
        reason: ``denied``: the user said no; ``state``: the callback belongs to no login that was begun here, or to one
            that is over; ``callback``: it holds no code, or cannot be read; ``refused``: the SSO says no, or does not
            take the code; ``timeout``: nobody came back in time.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__("", 0, message=message)
        self.reason = reason


class TokenStoreError(SSOError):
    """Tokens cannot be read from or written to where they are kept; the text says why. Nothing is lost."""

    def __init__(self, message: str) -> None:
        super().__init__("", 0, message=message)


class TokenKeyError(TokenStoreError):
    """Tokens were sealed with a key that is not at hand. They stay as they are."""


class InvalidCallError(ValueError):
    """A call that cannot be sent: a parameter is unknown, missing or of the wrong type."""


class _KeyError(KeyError):
    """A KeyError whose text is a sentence: KeyError itself shows its argument's repr."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UnknownOperationError(_KeyError):
    """No operation has this name; the text lists near ones."""


class MissingFieldError(_KeyError, AttributeError):
    """A version 1 data object has no such field; the text lists those it has."""


class DocumentError(ValueError):
    """An OpenAPI or Swagger document that cannot be read; the text names the place in it as a JSON pointer."""


class SettingError(ValueError):
    """A setting or environment variable that cannot be meant; the text names it."""


_BY_STATUS: dict[int, type[APIException]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    420: ErrorLimitedError,
    422: BadRequestError,
    429: RateLimitedError,
}


def error_for(status: int) -> type[APIException]:
    """The class of error that an answer with this status (outside 200-299) raises."""
    if status < 400:
        return APIException  # ESI's operations redirect nowhere
    return _BY_STATUS.get(status) or (ServerError if status >= 500 else ClientError)
