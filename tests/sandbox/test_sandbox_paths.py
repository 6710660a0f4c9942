"""A path that no program asks for is told to a test that plans a failure there, or looks for what came."""

from __future__ import annotations

import re

import pytest

from esipy import ops
from esipy.sandbox import RunningSandbox
from tests.sandbox.control_kit import Handle
from tests.sandbox.wire import ask


def test_a_path_that_nothing_has_is_refused_with_near_ones(handle: Handle) -> None:
    """A failure that meets nobody and a list that stays empty would make a test pass that proves nothing."""
    said = r"^the sandbox has nothing at '/statuses'; near ones are /status, /meta/status, /fw/stats$"
    with pytest.raises(ValueError, match=said):
        handle.fail("/statuses")
    with pytest.raises(ValueError, match=said):
        handle.received("/statuses")
    with pytest.raises(ValueError, match=said):
        handle.wait_received(1, "/statuses", timeout=600)
    with pytest.raises(ValueError, match=r"^the sandbox has nothing at '/typo'$"):
        handle.received("/typo", "GET")
    assert 200 == ask(handle.url, "/status").status


def test_most_at_once_refuses_as_the_others(server: RunningSandbox) -> None:
    """It would be 0, and prove nothing."""
    with pytest.raises(ValueError, match="near ones are /status"):
        server.most_at_once("/statuses")


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/markets/10000002/order", "/markets/{region_id}/orders, /markets/{region_id}/history"),
        ("/v1/market/10000002/orders/", "/markets/{region_id}/orders"),
        ("/oauth/token", "/v2/oauth/token"),
        ("/v2/oauth/tokens", "/v2/oauth/token"),
        ("/latest/swagger.jsn", "/swagger.json"),
        ("/characters/5/wallets", "/characters/{character_id}/wallet"),
    ],
)
def test_near_ones_are_those_of_the_same_form(server: RunningSandbox, path: str, near: str) -> None:
    """Ids stand where ids stand; a version and the last slash do not matter."""
    for verb in (server.fail, server.received):
        with pytest.raises(ValueError, match=r"^the sandbox has nothing at") as refused:
            verb(path)
        assert str(refused.value).startswith(f"the sandbox has nothing at {path!r}; near ones are {near}")


@pytest.mark.parametrize("path", ["/markets/*/orders", "/markets/{region_id}/orders", "/status?page=1"])
def test_what_came_is_looked_for_at_whole_paths(handle: Handle, path: str) -> None:
    """Patterns are for failures; a query is in the entry."""
    said = re.escape(f"{path!r} is no whole path without its query, such as /status or /markets/10000002/orders")
    with pytest.raises(ValueError, match=f"^{said}$"):
        handle.received(path)


@pytest.mark.parametrize("path", ["/markets/*/order", "/char*/5/wallets", "/universe/*/typo", "/statu?x=1", "/typ[eo]"])
def test_a_pattern_that_fits_no_path_is_refused(server: RunningSandbox, path: str) -> None:
    """Where an operation has a number, a word fits it not."""
    with pytest.raises(ValueError, match="the sandbox has nothing at"):
        server.fail(path)
    assert [] == server.sandbox.faults.planned


def test_every_path_of_the_sandbox_is_known(server: RunningSandbox) -> None:
    """All operations, with ids or patterns in their places, as old programs write them too; the SSO; the documents."""
    places = re.compile(r"\{\w+\}")
    for path in {operation.path for operation in ops.operations()}:
        for spelling in ("{}", "/latest{}/", "/v1{}/", "/_dev{}/"):
            server.fail(spelling.format(places.sub("*", path)))
            server.fail(spelling.format(places.sub("12?", path)))
            assert [] == server.received(spelling.format(places.sub("123", path)))
    documents = ["/meta/openapi.json", "/swagger.json", "/latest/swagger.json", "/_legacy/swagger.json"]
    sso = ["/v2/oauth/authorize", "/v2/oauth/token", "/v2/oauth/revoke", "/oauth/jwks"]
    for path in [*documents, *sso, "/.well-known/oauth-authorization-server", "/latest/route/1/2/"]:
        server.fail(path)
        assert [] == server.received(path)


@pytest.mark.parametrize(
    "path", ["*", "/*", "*/wallet", "/characters/95*/wallet", "/v*/status/", "/*/status", "/v2/oauth/*", "/statu[sz]"]
)
def test_a_pattern_that_fits_some_path_is_taken(handle: Handle, path: str) -> None:
    """``*`` is any text, also of several parts, and may stand for the version of old programs."""
    handle.fail(path, None, status=503)
    places = ("/v2/oauth/token", "/characters/9512/wallet", "/status", "/v1/status/", "/meta/status")
    assert 503 in {ask(handle.url, place).status for place in places}


def test_where_somebody_went_is_no_mistake(handle: Handle) -> None:
    """What came to a path that nothing has is found; and a test may look whether a redirect was followed."""
    assert 404 == ask(handle.url, "/typo").status
    assert ["/typo"] == [entry.path for entry in handle.received("/typo")]
    assert [] == handle.received("/typo", "POST")
    handle.fail("/status", kind="redirect", location=f"{handle.url}/elsewhere?x=1")
    assert 302 == ask(handle.url, "/status").status
    assert [] == handle.received("/elsewhere")
