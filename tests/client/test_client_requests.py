"""What clients of both colours do over real HTTP, against the sandbox."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from esipy import EsiApp, EsiClient, ops
from esipy.events import Signal
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    BrokenAnswerError,
    ConnectError,
    InvalidCallError,
    LoginRequiredError,
    NotFoundError,
    ServerError,
    SettingError,
)
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from tests.client.colours import UA, Connect

STATUS = ops.status.get_status()
FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)


def test_fetch_gives_typed_rows(connect: Connect) -> None:
    """The data are the catalogue's Structs."""
    orders = connect().fetch(FORGE)
    assert len(orders) == 1000
    assert {type(order) for order in orders} == {ops.market.MarketsRegionIdOrdersItem}


def test_version_1_calls_get_data_objects(connect: Connect) -> None:
    """``app.op[...]`` answers with attributes and items."""
    response = connect().request(EsiApp().get_latest_swagger.op["get_markets_region_id_orders"](**FORGE.arguments))
    assert response.status == 200
    assert response.data[0].price == response.data[0]["price"]
    assert response.header["X-Pages"][0] == 400


def test_an_answer_is_given_whatever_its_status(connect: Connect) -> None:
    """``request`` does not raise for a 404; ``fetch`` and ``raise_on_error`` do."""
    client = connect()
    beyond = FORGE.replace(page=401)
    assert client.request(beyond).status == 404
    with pytest.raises(NotFoundError):
        client.request(beyond, raise_on_error=True)
    with pytest.raises(NotFoundError) as raised:
        client.fetch(beyond)
    assert raised.value.url.endswith("/markets/10000002/orders?order_type=all&page=401")


def test_head_gives_headers_without_a_body(connect: Connect, box: RunningSandbox) -> None:
    """The number of pages costs no page."""
    response = connect().head(FORGE)
    assert (response.status, response.pages, response.raw, response.data) == (200, 400, b"", None)
    assert [entry.method for entry in box.received()] == ["HEAD"]


def test_multi_request_keeps_the_order_of_the_calls(connect: Connect) -> None:
    """Pairs of (call, answer), in order, whatever came first."""
    calls = [FORGE.replace(page=page) for page in range(1, 31)]
    pairs = connect().multi_request(calls, threads=10)
    assert [call for call, _ in pairs] == calls
    assert len({response.data[0].order_id for _, response in pairs}) == 30


def test_multi_request_of_nothing_is_nothing(connect: Connect) -> None:
    """No calls, no answers."""
    assert connect().multi_request([]) == []


def test_a_fresh_answer_needs_no_exchange(connect: Connect, box: RunningSandbox) -> None:
    """The second call within the lifetime is a hit."""
    client = connect()
    assert [client.request(FORGE).source for _ in range(2)] == ["network", "cache"]
    assert len(box.received()) == 1


def test_an_answer_tells_how_long_it_holds(connect: Connect) -> None:
    """``expires_at`` and ``last_modified`` are aware datetimes."""
    client, now = connect(), time.time()
    client.client._engine.runtime.now = lambda: now  # however long the answer takes
    response = client.request(FORGE)
    assert response.expires_at is not None
    assert 0 <= (response.expires_at - response.last_modified).total_seconds() <= 301


def test_without_a_cache_every_call_reaches_the_network(connect: Connect, box: RunningSandbox) -> None:
    """``cache=None`` keeps nothing and revalidates nothing."""
    client = connect(cache=None)
    assert [client.request(FORGE).source for _ in range(2)] == ["network", "network"]
    assert [entry.status for entry in box.received()] == [200, 200]


def test_raw_body_only_gives_bytes(connect: Connect) -> None:
    """For the call, or for all of the client's."""
    assert connect().request(STATUS, raw_body_only=True).data is None
    response = connect(raw_body_only=True).request(STATUS)
    assert (response.data, response.raw[:1]) == (None, b"{")


def test_what_is_no_call_is_refused_with_the_way_out(connect: Connect) -> None:
    """A TypeError that says how calls are built."""
    with pytest.raises(TypeError, match="no call: build one with"):
        connect().request("get_status")


def test_a_bulk_that_is_too_long_is_not_sent(connect: Connect, box: RunningSandbox) -> None:
    """1,001 names where ESI takes 1,000: the error names parameter and limit."""
    call = ops.universe.post_universe_names(body=list(range(1001)))
    with pytest.raises(InvalidCallError, match="1000"):
        connect().request(call)
    assert box.received() == []


def test_statistics_are_told_for_each_exchange(connect: Connect, box: RunningSandbox) -> None:
    """A signal of the client's own hears url, status, time, principal, attempt; a hit makes none."""
    signal: Signal[...] = Signal()
    box.fail("/status", status=503)
    client = connect(signal_api_call_stats=signal)
    with SignalRecorder(signal) as heard:
        client.request(STATUS)
        client.request(STATUS)
    assert [(told["status_code"], told["attempt"]) for told in heard.payloads] == [(503, 1), (200, 2)]
    assert [told["message"] is None for told in heard.payloads] == [False, True]
    told = heard.payloads[1]
    assert (told["url"], told["method"], told["operation_id"], told["principal"]) == (
        f"{box.url}/status",
        "GET",
        "GetStatus",
        "ip",
    )
    assert 0 < told["elapsed_time"] < 10


def test_a_304_is_an_exchange_too(connect: Connect) -> None:
    """Where nothing says how long it holds, each call revalidates: the signal tells 304, the data are the kept ones."""
    signal: Signal[...] = Signal()
    client = connect(signal_api_call_stats=signal)
    call = ops.universe.get_universe_regions_region_id(region_id=10000002)
    with SignalRecorder(signal) as heard:
        responses = [client.request(call) for _ in range(2)]
    assert [response.source for response in responses] == ["network", "revalidated"]
    assert responses[0].data == responses[1].data
    assert [(told["status_code"], told["message"]) for told in heard.payloads] == [(200, None), (304, "")]


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("cut", {}, BrokenAnswerError),
        ("reset", {}, BrokenAnswerError),
        ("html", {"status": 502}, ServerError),
        ("hang", {"timeout": 0.5}, AnswerTimeoutError),
        ("oversize", {}, AnswerTooLargeError),
    ],
)
def test_T34_T35_T36_what_breaks_is_an_error_of_its_class(
    connect: Connect, box: RunningSandbox, kind: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    """Cut, reset, HTML, hanging or oversized: ``fetch`` raises the class, ``request`` says 500 or the status."""
    options = dict(options)  # those of the other colour stay as they are
    client = connect(retry_requests=False, timeout=options.pop("timeout", 30), max_answer_bytes=100_000)
    box.fail("/status", None, kind=kind, **options)
    with pytest.raises(error):
        client.fetch(STATUS)
    response = client.request(STATUS)
    assert response.status in (500, 502)
    assert response.data.error


def test_T45_no_redirect_is_followed(connect: Connect, box: RunningSandbox) -> None:
    """A 302 to another host is an answer of its own: no token goes there."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.2)
        address = f"http://127.0.0.1:{other.getsockname()[1]}/stolen"
        client = connect(login=True, retry_requests=False)
        path = f"/characters/{client.security.character_id}/wallet"
        box.fail(path, kind="redirect", location=address)
        call = ops.wallet.get_characters_character_id_wallet(character_id=client.security.character_id)
        assert client.request(call).status == 302
        with pytest.raises(TimeoutError):
            other.accept()


def test_a_connection_that_is_refused_is_told_as_500(connect: Connect) -> None:
    """As version 1: an answer of status 500 with the error's text; the error itself stands beside it."""
    signal: Signal[...] = Signal()
    with socket.socket() as taken, SignalRecorder(signal) as heard:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = connect(base_url=address, retry_requests=False, signal_api_call_stats=signal)
        response = client.request(STATUS)
    assert (response.status, response.source) == (500, "nowhere")
    assert isinstance(response.error, ConnectError)
    assert response.data.error == str(response.error)
    assert [(told["status_code"], told["message"]) for told in heard.payloads] == [(500, str(response.error))]


def test_a_call_by_a_login_that_never_logged_in(connect: Connect) -> None:
    """Nothing is sent."""
    client = connect(login=True)
    client.security.refresh_token = client.security.access_token = client.security.token_expiry = None
    with pytest.raises(LoginRequiredError):
        client.fetch(ops.wallet.get_characters_character_id_wallet(character_id=2112000001))


def test_the_settings_of_headers_are_settings(connect: Connect, box: RunningSandbox) -> None:
    """Language, date and tenant given as headers are sent as such; the User-Agent ends with the library's name."""
    client = connect(headers={**UA, "Accept-Language": "de", "X-Mine": "1"})
    client.request(STATUS)
    headers = box.received()[0].headers
    assert client.client.settings.language == headers["accept-language"] == "de"
    assert headers["user-agent"] == f"{UA['User-Agent']} EsiPy/2.0"
    assert (headers["x-mine"], headers["x-compatibility-date"]) == ("1", "2026-08-04")


def test_a_missing_user_agent_warns_with_an_example(connect: Connect) -> None:
    """The warning shows what a good one looks like."""
    with pytest.warns(UserWarning, match=r"MyApp/1\.0 \(me@example\.com"):
        connect(headers={})


def test_variables_of_the_environment_are_settings(box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """ESI_BASE_URL leads every client to the sandbox; a variable that cannot be meant is refused by its name."""
    monkeypatch.setenv("ESI_BASE_URL", box.url)
    monkeypatch.setenv("ESI_USER_AGENT", "esipy-tests/1.0 (tests@example.com)")
    with EsiClient() as client:
        assert client.fetch(STATUS).players > 0
    monkeypatch.setenv("ESI_TIMEOUT", "-1")
    with pytest.raises(SettingError, match="ESI_TIMEOUT"):
        EsiClient()


def test_a_cache_that_is_none_of_ours_is_refused(connect: Connect) -> None:
    """The error says what it takes."""
    with pytest.raises(SettingError, match="cache="):
        connect(cache={})


def test_closing_twice_is_no_error(connect: Connect) -> None:
    """A client may be closed by hand and by its with-block; what is sent afterwards is a clear error."""
    client = connect(cache=None)
    client.request(STATUS)
    for _ in range(2):
        client.do(client.client.close())
    with pytest.raises(RuntimeError, match=r"^the client is closed: make a new one$"):
        client.request(STATUS)
