"""The scripted transports, as tests of users' own use them."""

from __future__ import annotations

import asyncio

import pytest

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import ConnectError
from esipy.transport.scripted import AsyncScriptedTransport, ScriptedTransport, answer

REQUEST = HttpRequest("GET", "https://esi.evetech.net/status")


def test_answers_come_in_order() -> None:
    """A list is played once, in order; errors in it are raised; every request is kept."""
    transport = ScriptedTransport([answer(503), ConnectError(REQUEST.url, "refused"), answer(200, {"players": 1})])
    assert 503 == transport.send(REQUEST).status
    with pytest.raises(ConnectError):
        transport.send(REQUEST)
    last = transport.send(REQUEST)
    assert (b'{"players": 1}', "application/json") == (last.body, last.headers["content-type"])
    assert [REQUEST] * 3 == transport.requests


def test_a_script_that_has_ended_names_the_request() -> None:
    """One request too many is a failure of the test that says which."""
    with pytest.raises(AssertionError, match=r"GET https://esi\.evetech\.net/status"):
        ScriptedTransport([]).send(REQUEST)


def test_a_function_decides() -> None:
    """The script may be a function of the request."""
    transport = ScriptedTransport(lambda request: answer(200, request.url.encode()))
    assert REQUEST.url.encode() == transport.send(REQUEST).body


def test_closing_is_final() -> None:
    """As with a real transport."""
    transport = ScriptedTransport([answer()])
    transport.close()
    assert transport.closed
    with pytest.raises(RuntimeError, match="closed"):
        transport.send(REQUEST)


def test_the_asyncio_twin() -> None:
    """Lists, functions and coroutine functions; errors are raised; closing is final."""

    async def later(request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        return answer(200, [1])

    async def work() -> None:
        listed = AsyncScriptedTransport([answer(204), ConnectError(REQUEST.url, "refused")])
        assert 204 == (await listed.send(REQUEST)).status
        with pytest.raises(ConnectError):
            await listed.send(REQUEST)
        assert b"[1]" == (await AsyncScriptedTransport(later).send(REQUEST)).body
        assert 304 == (await AsyncScriptedTransport(lambda _: answer(304)).send(REQUEST)).status
        await listed.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            await listed.send(REQUEST)

    asyncio.run(work())
