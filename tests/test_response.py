"""What a call was answered: headers in both forms, moments, pages, and the error that stands for a bad answer."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from esipy import ops
from esipy.core.answer import Answer, Source
from esipy.core.wire import Headers
from esipy.exceptions import (
    APIException,
    BrokenAnswerError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    UndecodableAnswerError,
)
from esipy.response import Response

ORDERS = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)
STATUS = ops.status.get_status()
URL = "https://esi.evetech.net" + ORDERS.target
HEADERS = [
    ("ETag", '"a"'),
    ("X-Pages", "400"),
    ("Expires", "Tue, 04 Aug 2026 12:05:00 GMT"),
    ("Last-Modified", "Tue, 04 Aug 2026 11:55:00 GMT"),
    ("X-ESI-Error-Limit-Remain", "100"),
    ("Warning", "one"),
    ("Warning", "two"),
]
NOON = datetime(2026, 8, 4, 12, tzinfo=UTC)


def response(
    status: int = 200,
    headers: list[tuple[str, str]] = HEADERS,
    body: bytes = b"[]",
    *,
    call: Any = ORDERS,
    data: Any = None,
    source: Source = "network",
    fresh_until: float | None = None,
    **more: Any,
) -> Response[Any]:
    """An answer, as the engine gives it."""
    return Response(call, Answer(status, Headers(headers), body, source, fresh_until), data, URL, **more)


def test_version_1_headers() -> None:
    """Lists, names in any case, X-Pages as integers as the catalogue says, all else as text."""
    header = response().header
    assert (400, int) == (header["X-Pages"][0], type(header["x-pages"][0]))
    assert "Tue, 04 Aug 2026 12:05:00 GMT" == header["Expires"][0]
    assert ["100"] == header.get("x-esi-error-limit-remain")
    assert ["one", "two"] == header["warning"]
    assert ("x-PAGES" in header, "Age" in header, 5 in header, header.get("Age")) == (True, False, False, None)
    assert (6, {"etag": ['"a"']}) == (len(header), {name: header[name] for name in header if name == "etag"})
    with pytest.raises(KeyError, match="Age"):
        header["Age"]


def test_an_odd_integer_stays_text() -> None:
    """Never an error of reading."""
    assert ["many"] == response(headers=[("X-Pages", "many")]).header["X-Pages"]


def test_plain_headers_and_names() -> None:
    """``headers`` gives text; the status has two names; what was asked and what came are there."""
    answer = response(body=b"[1]", data=[1], source="revalidated")
    assert ("400", 200, 200, [1], b"[1]", "revalidated", ORDERS, URL) == (
        answer.headers["X-Pages"], answer.status, answer.status_code, answer.data, answer.raw, answer.source,
        answer.call, answer.url,
    )  # fmt: skip


def test_moments_are_aware() -> None:
    """``expires_at`` and ``last_modified`` in UTC; None when there is none."""
    answer = response(fresh_until=NOON.timestamp())
    assert (NOON, NOON.replace(hour=11, minute=55)) == (answer.expires_at, answer.last_modified)
    assert (UTC, UTC) == (answer.expires_at.tzinfo, answer.last_modified.tzinfo)  # type: ignore[union-attr]
    bare = response(headers=[("Last-Modified", "yesterday")])
    assert (None, None) == (bare.expires_at, bare.last_modified)


@pytest.mark.parametrize(
    ("call", "status", "text", "pages"),
    [
        (ORDERS, 200, "400", 400),
        (ORDERS, 200, None, 1),
        (ORDERS, 200, "many", 1),
        (ORDERS, 404, None, None),
        (STATUS, 200, None, None),
        (STATUS, 200, "2", 2),
    ],
)
def test_pages(call: Any, status: int, text: str | None, pages: int | None) -> None:
    """X-Pages; a list that comes in pages and does not say has one; an error and other answers have none."""
    headers = [] if text is None else [("X-Pages", text)]
    assert pages == response(status, headers, call=call).pages


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, APIException), (403, ForbiddenError), (404, NotFoundError), (429, RateLimitedError), (502, ServerError)],
)
def test_a_bad_status_raises_its_class(status: int, kind: type[APIException]) -> None:
    """With address, status, body, query and headers; a redirect is no answer either."""
    with pytest.raises(kind) as raised:
        response(status, body=b'{"error": "no"}').raise_for_status()
    error = raised.value
    assert type(error) is kind
    assert (URL, status, b'{"error": "no"}', {"order_type": "all", "page": "1"}, 400) == (
        error.url, error.status_code, error.response, error.request_param, error.response_header["X-Pages"][0],
    )  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_good_status_raises_nothing(status: int) -> None:
    """Any of 200-299."""
    response(status, body=b"").raise_for_status()


def test_repeated_parameters_are_all_in_the_error() -> None:
    """An array repeats its name in the query: in the error it is a list."""
    call = ops.contacts.delete_characters_character_id_contacts(character_id=1, contact_ids=[2, 3])
    with pytest.raises(NotFoundError) as raised:
        response(404, call=call).raise_for_status()
    assert {"contact_ids": ["2", "3"]} == raised.value.request_param


def test_a_limit_says_when_to_come_back() -> None:
    """``retry_at`` of the answer is the error's."""
    answer = Answer(429, Headers(), b"")
    answer.retry_at = NOON.timestamp()
    given = Response(ORDERS, answer, None, URL)
    with pytest.raises(RateLimitedError) as raised:
        given.raise_for_status()
    assert NOON == raised.value.retry_at == given.retry_at
    assert response().retry_at is None


def test_T33_a_good_status_without_json_raises() -> None:
    """The text names the call and shows the start of the body only."""
    with pytest.raises(UndecodableAnswerError, match=r"get_markets_region_id_orders\(.*not JSON") as raised:
        response(body=b"<html>" + b"x" * 10_000, undecodable=True).raise_for_status()
    assert (200, 10_006) == (raised.value.status_code, len(raised.value.response))
    assert len(str(raised.value)) < 500


def test_no_answer_raises_its_own_error() -> None:
    """The very one that the transport raised."""
    error = BrokenAnswerError(URL, "reset")
    with pytest.raises(BrokenAnswerError) as raised:
        response(500, error=error).raise_for_status()
    assert error is raised.value


def test_T44_it_shows_neither_headers_nor_body() -> None:
    """They may hold what is nobody's business."""
    shown = repr(response(headers=[("Set-Cookie", "secret")], body=b"secret", data="secret"))
    assert (
        "<Response 200 from network: get_markets_region_id_orders(region_id=10000002, order_type='all', page=1)>"
        == (shown)
    )


def test_it_can_be_pickled() -> None:
    """With its call, data and headers, so that a task queue can hand it on."""
    answer = response(data=[1], fresh_until=NOON.timestamp())
    other = pickle.loads(pickle.dumps(answer))
    assert (ORDERS, [1], NOON, 400, repr(answer)) == (
        other.call, other.data, other.expires_at, other.pages, repr(other),
    )  # fmt: skip
