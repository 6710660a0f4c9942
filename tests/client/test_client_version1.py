"""What version 1's programs pass to a client, and what it does here."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from esipy import EsiApp, EsiClient, ops
from esipy.cache import DictCache
from esipy.sandbox import RunningSandbox
from esipy.stores.memory import MemoryCache
from tests.client.colours import UA

STATUS = ops.status.get_status()


def client_of(box: RunningSandbox, **options: Any) -> EsiClient:
    return EsiClient(**{"headers": UA, "base_url": box.url, **options})


@pytest.mark.parametrize("name", ["app", "esi_datasource", "header"])
def test_unknown_keywords_warn_and_are_ignored(box: RunningSandbox, name: str) -> None:
    """Version 1 took any keyword; the warning names it."""
    with pytest.warns(UserWarning, match=f"EsiClient ignores {name}="):
        client_of(box, **{name: "x"}).close()


def test_a_keyword_that_is_nearly_one_is_told_which() -> None:
    """A typing error is not lost."""
    with pytest.warns(UserWarning, match=r"ignores timout=; did you mean timeout=\?"):
        EsiClient(headers=UA, timout=5).close()


def test_a_transport_adapter_gives_its_pool_size_only(box: RunningSandbox) -> None:
    """Of requests' HTTPAdapter the number of idle connections is kept; it warns of the rest."""

    class HTTPAdapter:  # as requests' one, which programs pass
        _pool_maxsize = 2

    with pytest.warns(UserWarning, match="transport_adapter= has no effect, except its pool size"):
        client = client_of(box, transport_adapter=HTTPAdapter(), cache=None)
    with client:
        client.multi_request([STATUS] * 20, threads=8)
        assert len(client._transport._idle) <= 2  # type: ignore[attr-defined]


def test_verbs_take_their_old_keywords(box: RunningSandbox) -> None:
    """``reqs_and_resps=``, ``req_and_resp=`` and an empty ``opt=`` mean what they meant; ``thread=`` warns."""
    with client_of(box) as client:
        assert client.request(req_and_resp=STATUS, opt={}).status == 200
        assert client.head(STATUS, opt={}).status == 200
        with pytest.warns(UserWarning, match=r"ignores thread=; did you mean threads=\?"):
            pairs = client.multi_request(reqs_and_resps=[STATUS, STATUS], opt={}, thread=3)  # type: ignore[call-arg]
        assert [response.status for _, response in pairs] == [200, 200]
        with pytest.warns(UserWarning, match="ignores opt="):
            client.request(STATUS, opt={"url_netloc": "localhost"})
        with pytest.raises(TypeError, match="needs a call"):
            client.request()


def test_a_client_has_its_cache_and_its_login_as_attributes(box: RunningSandbox) -> None:
    """``client.cache`` is what was given, or its own; ``client.security`` and the other arguments too."""
    cache = DictCache()
    with client_of(box, cache=cache) as client:
        assert client.cache == cache
        assert isinstance(client.cache, DictCache)
        client.cache.set("mine", 1)
        assert (cache.get("mine"), client.cache.get("mine")) == (1, 1)
        client.cache.invalidate("mine")
        assert cache.get("mine") is None
        assert (client.security, client.raw_body_only) == (None, False)
    with client_of(box) as client:
        assert isinstance(client.cache, MemoryCache)
    with client_of(box, cache=None) as client:
        assert client.cache.stats() == (0, 0, 0, 0, 0, None, None)


def test_no_etag_body_gives_the_304_itself(box: RunningSandbox) -> None:
    """Version 1's option: who has the body already is told that it still holds."""
    call = ops.universe.get_universe_regions_region_id(region_id=10000002)
    with client_of(box, no_etag_body=True) as client:
        first, second = client.request(call), client.request(call)
    assert (first.status, second.status, second.raw, second.data) == (200, 304, b"", None)


def test_retry_requests_true_logs_as_version_1(box: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Five tries, each failure a line of ``esipy.client`` with number, address, status and body."""
    box.fail("/status", 2, status=500, body='{"error": "no"}')
    with client_of(box, retry_requests=True) as client:
        assert client.request(STATUS).status == 200
    lines = [record.getMessage() for record in caplog.records if record.name == "esipy.client"]
    assert [line.partition(" ")[0] for line in lines] == ["[failure", "[failure"]
    assert lines[1].startswith(f"[failure #2] {box.url}/status 500: ")


def test_a_warning_header_is_a_warning_and_a_log_line(box: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    """ESI announces ends of routes so: nobody has to read logs to see it once."""
    caplog.set_level(logging.WARNING, "esipy.client")
    box.fail("/status", status=200, headers={"Warning": "299 - This route is deprecated"}, body="{}")
    with client_of(box) as client, pytest.warns(UserWarning, match="This route is deprecated"):
        client.request(EsiApp().op["get_status"]())
    assert [record.getMessage() for record in caplog.records] == [f"[{box.url}/status] 299 - This route is deprecated"]


def test_a_connection_error_has_version_1s_body(box: RunningSandbox) -> None:
    """Status 500 and JSON with ``error``, readable from ``data`` and from ``raw``."""
    box.fail("/status", None, kind="reset")
    with client_of(box, retry_requests=False) as client:
        response = client.request(STATUS)
    assert response.status == 500
    assert "error" in response.data
    assert b'"error"' in response.raw


def test_a_security_may_be_any_callable_that_edits_the_request(box: RunningSandbox) -> None:
    """It reads ``_security`` and writes into ``_p["header"]``; the call itself stays as it was."""
    login = box.login()
    seen: list[Any] = []

    class Security:
        def __call__(self, request: Any) -> Any:
            seen.append(request._security)
            if request._security:
                request._p["header"]["Authorization"] = f"Bearer {login['access_token']}"
            return request

    wallet = EsiApp().op["get_characters_character_id_wallet"](character_id=2112000001)
    with client_of(box, security=Security()) as client:
        responses = [client.request(wallet), client.request(wallet), client.request(STATUS)]
    assert [response.status for response in responses] == [200, 200, 200]
    assert [response.source for response in responses] == ["network", "cache", "network"]
    assert seen == [[{"evesso": ["esi-wallet.read_character_wallet.v1"]}]] * 2 + [None]
    assert "Authorization" not in wallet._p["header"]  # type: ignore[attr-defined]
    assert login["access_token"] not in repr([responses, wallet])
