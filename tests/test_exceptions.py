"""The error tree: as drawn, version 1's arguments, and errors that survive a pickle."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest

from esipy import exceptions
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    APIException,
    BadRequestError,
    BrokenAnswerError,
    ClientError,
    ConnectError,
    ErrorLimitedError,
    ForbiddenError,
    InvalidCallError,
    LoginRequiredError,
    MissingFieldError,
    NetworkError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    SettingError,
    TokenRevokedError,
    UnauthorizedError,
    UnknownOperationError,
    error_for,
)

DOCS = Path(__file__).parents[1] / "docs" / "errors.md"
URL = "https://esi.evetech.net/status"
CLASSES: dict[str, type[Exception]] = {
    name: kind
    for name, kind in vars(exceptions).items()
    if inspect.isclass(kind) and issubclass(kind, Exception) and not name.startswith("_")
}


def drawn(text: str) -> dict[str, set[str]]:
    """Each class of a drawn tree with its bases: what it hangs from, and those in parentheses."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.strip() == "Exception")
    margin = len(lines[first]) - len("Exception")
    found: dict[str, set[str]] = {}
    above = ["Exception"]
    for line in lines[first + 1 :]:
        match = re.match(r"[\s│├└─]*[├└]── (\w+) *(?:\((?:also )?([\w, ]+)\))?", line)
        if match is None:
            break
        depth = (match.start(1) - margin) // 4
        above[depth:] = [match[1]]
        parents = set() if depth == 1 and match[2] else {above[depth - 1]}
        found[match[1]] = parents | set((match[2] or "").split(", ")) - {""}
    return found


def bases(kind: type) -> set[str]:
    """The names of a class's bases; a private one counts as its own."""
    return {name for base in kind.__bases__ for name in (bases(base) if base.__name__[0] == "_" else {base.__name__})}


@pytest.mark.parametrize("text", [exceptions.__doc__ or "", pytest.param(None, id="docs/errors.md")])
def test_the_tree_is_the_classes(text: str | None) -> None:
    """Drawn in the docstring and in the documentation: every class, each under its bases."""
    assert {name: bases(kind) for name, kind in CLASSES.items()} == drawn(text or DOCS.read_text("utf-8"))


def test_every_error_is_public_and_documented() -> None:
    """In ``__all__``, and in the documentation's table of what to do."""
    assert set(CLASSES) == set(exceptions.__all__) - {"error_for"}
    told = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|[^|]*\|", DOCS.read_text("utf-8"), re.M))))
    groups = {"APIException", "NetworkError", "LimitedError", "SSOError"}
    assert set() == set(CLASSES) - told - groups


def test_version_1_arguments() -> None:
    """``APIException(url, code, response=, request_param=, response_header=)``, its attributes and its text."""
    error = APIException(URL, 404, response="{}", request_param={"page": "1"}, response_header={"Age": ["1"]})
    assert (URL, 404, 404, "{}", {"page": "1"}, {"Age": ["1"]}, "HTTP Error 404: {}", ("HTTP Error 404: {}",)) == (
        error.url, error.status_code, error.code, error.response, error.request_param, error.response_header,
        str(error), error.args,
    )  # fmt: skip
    bare = APIException(URL, 0, response=None)
    assert (b"", {}, {}) == (bare.response, bare.request_param, bare.response_header)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"error": "x"}', '{"error": "x"}'),
        ("text", "text"),
        (b"", ""),
        (b"\xff", "\ufffd"),
        ("é".encode() * 500, "é" * 500),
        ("é".encode() * 501, "é" * 500 + "..."),
        ("\U0001f680".encode() * 10**6, "\U0001f680" * 500 + "..."),
    ],
)
def test_the_text_shows_the_start_of_the_body(body: bytes | str, shown: str) -> None:
    """500 characters at most, whatever bytes came."""
    assert f"HTTP Error 502: {shown}" == str(APIException(URL, 502, response=body))


def limited() -> RateLimitedError:
    """A limit with its moment."""
    error = RateLimitedError(URL, 429, response=b"slow", response_header={"retry-after": ["5"]})
    error.retry_at = datetime(2026, 8, 4, 12, tzinfo=UTC)
    return error


def noted() -> NetworkError:
    """An error that a program added a note to."""
    error = BrokenAnswerError(URL, "reset")
    error.add_note("while docking")
    return error


ERRORS: list[Exception] = [
    APIException(URL, 404, response="{}", request_param={"page": "1"}),
    limited(),
    noted(),
    ServerError(URL, 502, response=b"<html>", message="a sentence"),
    ConnectError(URL, "refused"),
    ConnectError(URL, "cut while connecting", sent=True),
    AnswerTimeoutError(URL, "60 s passed"),
    AnswerTimeoutError(URL, "no connection in 10 s", sent=False),
    AnswerTooLargeError(URL, "more than 64 MiB"),
    LoginRequiredError("log in first"),
    TokenRevokedError(URL, 400, message="log in again"),
    InvalidCallError("a"),
    UnknownOperationError("no operation 'x'"),
    MissingFieldError("no field 'x'"),
    SettingError("timeout=-1"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_and_copying_keep_everything(error: Exception, protocol: int) -> None:
    """So that a worker process can raise them: type, text, arguments and all data."""
    for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert (type(error), str(error), repr(error), error.args) == (type(other), str(other), repr(other), other.args)
        assert vars(error) == vars(other)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES.values() if issubclass(kind, KeyError)])
def test_texts_of_key_errors_are_sentences(kind: type[Exception]) -> None:
    """Not the repr that a KeyError shows."""
    assert ("no operation 'x'", "") == (str(kind("no operation 'x'")), str(kind()))
    assert traceback.format_exception_only(kind("a b"))[-1].endswith(": a b\n")


def test_network_errors_know_whether_anything_was_sent() -> None:
    """Unless told otherwise: only a failed connection is certain that nothing was."""
    assert [False, True, True, True] == [
        kind(URL, "why").sent for kind in (ConnectError, AnswerTimeoutError, BrokenAnswerError, AnswerTooLargeError)
    ]
    error = ConnectError(URL, "refused")
    assert (0, URL, "refused", f"refused ({URL})") == (error.status_code, error.url, error.reason, str(error))


def test_a_timeout_is_a_timeout_error() -> None:
    """So that ``except TimeoutError`` works; the OSError in it knows nothing."""
    error = AnswerTimeoutError(URL, "60 s passed")
    assert isinstance(error, TimeoutError)
    assert (None, None, None) == (error.errno, error.strerror, error.filename)


@pytest.mark.parametrize("status", range(300, 600))
def test_each_status_has_its_class(status: int) -> None:
    """The table of the tree; what is not in it has its hundred's class."""
    table: dict[int, type[APIException]] = {
        400: BadRequestError, 401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError, 420: ErrorLimitedError,
        422: BadRequestError, 429: RateLimitedError,
    }  # fmt: skip
    hundred = {3: APIException, 4: ClientError, 5: ServerError}[status // 100]
    assert table.get(status, hundred) is error_for(status)
