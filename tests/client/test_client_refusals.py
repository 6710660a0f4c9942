"""What a client refuses when it is made, and what stands for an answer that could not be had."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from esipy import AsyncEsiClient, AsyncEsiSecurity, EsiClient, EsiSecurity, ops
from esipy.exceptions import LimitedError, RateLimitedError, SettingError, SSOError
from esipy.sandbox import RunningSandbox
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport
from tests.client.colours import UA

STATUS = ops.status.get_status()
FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ({"headers": "User-Agent: x"}, "headers="),
        ({"headers": {"X-A": "\ud800"}}, "X-A"),
        ({"headers": {"X-A": "a\r\nB: c"}}, "X-A"),
        ({"headers": {"authorization": "Bearer x"}}, "security="),
        ({"security": "token"}, "security="),
        ({"security": EsiSecurity}, r"security=EsiSecurity: has to be one that was made: EsiSecurity\(\.\.\.\)"),
        ({"tokens": "logins.sqlite3"}, "tokens: has to begin with sqlite:"),
        ({"tokens": "sqlite:logins.sqlite3"}, "tokens=sqlite:logins"),
        ({"signal_api_call_stats": print}, "signal_api_call_stats="),
        ({"retry_requests": "no"}, "retry_requests="),
        ({"timeout": 1e300}, "timeout="),
        ({"max_answer_bytes": 10**30}, "max_answer_bytes="),
        ({"base_url": "http://exämple.test"}, "base_url="),
        ({"base_url": "http://h\\x"}, "base_url="),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(option: dict[str, Any], named: str) -> None:
    """At once, not at the first request."""
    with pytest.raises(SettingError, match=named):
        EsiClient(**{"headers": UA, **option})


@pytest.mark.parametrize(
    ("make", "closer"),
    [
        (lambda given: EsiClient(headers=UA, transport=given), "close"),
        (lambda given: AsyncEsiClient(headers=UA, transport=given), "aclose"),
        (lambda given: EsiSecurity("http://localhost/", "id", "secret", headers=UA, transport=given), "close"),
        (lambda given: AsyncEsiSecurity("http://localhost/", "id", "secret", headers=UA, transport=given), "aclose"),
    ],
    ids=["EsiClient", "AsyncEsiClient", "EsiSecurity", "AsyncEsiSecurity"],
)
def test_a_transport_that_cannot_send_is_refused(make: Callable[[Any], Any], closer: str) -> None:
    """At once, not at the first request: a name, nothing, a class, one of the other colour, another library's."""
    twin = AsyncScriptedTransport([]) if closer == "close" else ScriptedTransport([])
    wanted = f"has to be an object that sends, by the verbs send and {closer} (esipy.transport); this one has no"
    for given, text in (
        ("requests", f"transport=str: {wanted} send"),
        ("", f"transport=str: {wanted} send"),
        (twin, f"transport={type(twin).__name__}: {wanted} {closer}"),
        (type(twin), f"transport={type(twin).__name__}: has to be one that was made: {type(twin).__name__}(...)"),
        (
            httpx2.Client(),
            "transport=Client: is of httpx2, and sends its requests only; leave it out, or take a transport of "
            "esipy.transport",
        ),
    ):
        with pytest.raises(SettingError) as refused:
            make(given)
        assert text == str(refused.value)


def test_a_login_is_not_given_to_an_address_in_clear() -> None:
    """http is for this machine only, once there is a token to send (T45)."""
    security = EsiSecurity("http://localhost/", "id", "secret", headers=UA)
    with pytest.raises(SettingError, match="base_url"):
        EsiClient(security, headers=UA, base_url="http://esi.example.com")
    EsiClient(headers=UA, base_url="http://esi.example.com").close()


def test_a_setting_given_twice_is_the_keywords(box: RunningSandbox) -> None:
    """A header in any spelling is the setting; where both are given the keyword wins, and only one is sent."""
    with EsiClient(headers={**UA, "accept-LANGUAGE": "de"}, language="fr", base_url=box.url) as client:
        client.request(STATUS)
    assert client.settings.language == "fr"
    assert box.received()[0].headers["accept-language"] == "fr"


def test_one_limited_call_costs_no_other_answer(box: RunningSandbox) -> None:
    """``multi_request`` gives an answer for each call: what would have to wait too long is 429 with the moment."""
    box.fail("/markets/10000002/orders", 1, kind="rate-limited", seconds=600, query={"page": "2"})
    with EsiClient(headers=UA, base_url=box.url, max_wait=5) as client:
        pairs = client.multi_request([FORGE.replace(page=page) for page in (1, 2, 3)] + [STATUS], threads=1)
        assert [response.status for _, response in pairs] == [200, 429, 429, 200]
        third = pairs[2][1]
        assert isinstance(third.error, RateLimitedError)
        with pytest.raises(LimitedError) as raised:
            third.raise_for_status()
        assert raised.value.retry_at is not None
        with pytest.raises(RateLimitedError):
            client.fetch(FORGE.replace(page=4))


def test_one_login_that_fails_costs_no_other_answer(box: RunningSandbox) -> None:
    """``multi_request`` stands 401 for it, with the error; a single ``request`` raises it, as version 1 did."""
    security = EsiSecurity(box.redirect_uri, box.client_id, box.secret_key, headers=UA, sso_url=box.sso_url)
    security.update_token({**box.login(), "expires_in": -1})
    box.fail("/v2/oauth/token", None, status=500)
    wallet = ops.wallet.get_characters_character_id_wallet(character_id=2112000001)
    with EsiClient(security, headers=UA, base_url=box.url) as client:
        pairs = client.multi_request([STATUS, wallet])
        assert [response.status for _, response in pairs] == [200, 401]
        assert isinstance(pairs[1][1].error, SSOError)
        with pytest.raises(SSOError):
            client.request(wallet)


def test_a_warning_header_costs_no_answer_under_strict_warnings(box: RunningSandbox) -> None:
    """With ``-W error`` the answer is given all the same: what was done is done."""
    box.fail("/status", status=200, headers={"Warning": "299 - deprecated"}, body="{}")
    with EsiClient(headers=UA, base_url=box.url) as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert client.request(STATUS).status == 200


@pytest.mark.parametrize("value", ["9" * 5000, "-1", "many"])
def test_odd_headers_are_no_tracebacks(box: RunningSandbox, value: str) -> None:
    """``X-Pages`` that is no count is text, and no number of pages; a date beyond calendars is none."""
    headers = {"X-Pages": value, "Last-Modified": "Fri, 31 Dec 9999 23:59:59 -2359"}
    box.fail("/markets/10000002/orders", status=200, headers=headers, body="[]")
    with EsiClient(headers=UA, base_url=box.url) as client:
        response = client.request(FORGE)
    assert (response.pages, response.header["X-Pages"], response.last_modified) == (1, [value], None)


VERBS = ("fetch", "request", "head", "snapshot", "bulk", "cursor", "walk", "watch", "on_change", "rows", "pages")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("get_status", "str is no call: build one with esipy.ops or app.op['operation_id'](...)"),
        (ops.status.get_status, "get_status is no call: it gives one when it is called, as get_status(...)"),
        (STATUS.operation, "get_status is no call: it gives one when it is called, as get_status(...)"),
        ([STATUS, FORGE], "these are 2 calls: send them with multi_request(calls)"),
    ],
)
def test_what_is_no_call_is_refused_in_words_by_every_verb(verb: str, given: Any, said: str) -> None:
    """A name, a function that was not called, several calls at once: none of them is half a call; nothing is sent."""
    with EsiClient(headers=UA, base_url="http://127.0.0.1:1") as client, pytest.raises(TypeError) as refused:
        getattr(client, verb)(given)
    assert said == str(refused.value)


@pytest.mark.parametrize("who", ["Kaito Pryce", None, True, 2112000001.0, EsiSecurity])
def test_who_is_no_character_is_refused_at_once(who: Any) -> None:
    """A name, nothing, a class: the text says where ids are to be had."""
    said = r"has to be a character's id, as client\.characters\(\) lists them"
    with EsiClient(headers=UA, client_id="app", tokens="memory") as client, pytest.raises(SettingError, match=said):
        client.as_character(who)


def test_an_id_may_be_of_another_kind_of_integer() -> None:
    """What a table of numbers holds is no int of Python's, but stands for one."""

    class Int64:
        def __index__(self) -> int:
            return 2112000001

    with EsiClient(headers=UA, client_id="app", tokens="memory") as client:
        assert "<stored login of character 2112000001 to application app>" == repr(
            client.as_character(Int64()).security  # type: ignore[arg-type]
        )


def test_one_call_is_no_list_of_calls() -> None:
    """It would be read as a list of nothing that can be sent."""
    with EsiClient(headers=UA) as client:
        with pytest.raises(TypeError, match=r"send one by request\(call\)"):
            client.multi_request(STATUS)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"plan\(\) takes a list of calls: plan\(\[call\]\)"):
            client.plan(STATUS)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_not_sent_to_another_process(way: Any) -> None:
    """Its connections cannot be: the text says what to do, where a pool's own would name a handle of curl's."""
    with EsiClient(headers=UA) as client, pytest.raises(TypeError, match="EsiClient cannot be pickled or copied"):
        way(client)
