"""The listener for a login's callback, over real HTTP: how one ends the login, and where it listens."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from urllib.parse import urlsplit

import pytest

from esipy.exceptions import LoginFailedError, SSOUnavailableError
from esipy.sso.arrivals import Arrival, await_login
from esipy.sso.loopback import Loopback
from tests.ports import free_port
from tests.sso.loopback_kit import CLAIMS, NAVIGATION, WALLET, Login, ask, follow, shown


def test_a_callback_ends_the_login(login: Callable[..., Login]) -> None:
    """Who waits gets what came of it, and the browser a page that says who is logged in and what it may."""
    begun = login()
    page = follow(f"{begun.uri}?code=c&state=right")
    assert CLAIMS == begun.claims.result(30)
    assert ["code=c&state=right"] == begun.finished
    assert 200 == page.status
    assert "Logged in as Ana <b>" in shown(page)
    assert WALLET in shown(page)
    assert "You can close this page." in shown(page)


def test_no_code_stays_in_the_address_bar(login: Callable[..., Login]) -> None:
    """The page stands at an address without a query, and nothing of the callback is in it or in what led there."""
    begun = login()
    sent_on = ask(f"{begun.uri}?code=c0de&state=right", headers=NAVIGATION)
    assert (303, "/callback/done") == (sent_on.status, sent_on.headers["location"])
    page = ask(begun.uri + "/done")
    assert "c0de" not in page.text + sent_on.text + str(sent_on.headers) + str(page.headers)


def test_pages_load_and_keep_nothing(login: Callable[..., Login]) -> None:
    """No script, no address of anyone else; not stored, no referrer, not to be framed; its style is the one allowed."""
    begun = login()
    wrong = follow(f"{begun.uri}?code=c&state=wrong")
    for page in (wrong, follow(f"{begun.uri}?code=c&state=right")):
        for word in ("<script", "<link rel=stylesheet", "src=", "url(", "http:", "https:", "onload", "<b>"):
            assert word not in page.text
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert ("no-store", "no-referrer", "nosniff") == (
            page.headers["cache-control"],
            page.headers["referrer-policy"],
            page.headers["x-content-type-options"],
        )
        assert "server" not in page.headers


def test_a_denied_login_ends_it(login: Callable[..., Login]) -> None:
    """The error reaches who waits, and the page says it."""
    begun = login(LoginFailedError("denied", "denied"))
    page = follow(f"{begun.uri}?error=access_denied&state=right")
    with pytest.raises(LoginFailedError, match="denied"):
        begun.claims.result(30)
    assert "The login was denied" in shown(page)


def test_what_fails_afterwards_is_on_the_page(login: Callable[..., Login]) -> None:
    """A user who approved sees that it came to nothing, and why."""
    begun = login(SSOUnavailableError("", 0, message="the SSO answered 503 <i>; try later"))
    page = follow(f"{begun.uri}?code=c&state=right")
    with pytest.raises(SSOUnavailableError):
        begun.claims.result(30)
    assert 502 == page.status
    assert "The SSO answered 503 <i>; try later." in shown(page)
    assert "Logged in" not in shown(page)


def test_only_one_callback_counts(login: Callable[..., Login]) -> None:
    """A page that is loaded again while the login is being finished sees how it ended; the code is used once."""
    begun = login()
    begun.may_finish.clear()
    with ThreadPoolExecutor(1) as browser:
        first = browser.submit(follow, f"{begun.uri}?code=c&state=right")
        assert begun.finishing.wait(30)
        # The second is there for certain, because a third that came after it has been answered.
        with socket.create_connection(("127.0.0.1", urlsplit(begun.uri).port), timeout=30) as second:
            host = urlsplit(begun.uri).netloc
            second.sendall(f"GET /callback?code=c&state=right HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            arrived(begun)
            begun.may_finish.set()
            answer = b"".join(iter(lambda: second.recv(65536), b""))
        page = first.result(30)
    assert b"303" in answer[:20]
    assert b"/callback/done" in answer
    assert 200 == page.status
    assert ["code=c&state=right"] == begun.finished
    assert CLAIMS == begun.claims.result(30)


def arrived(begun: Login) -> None:
    """Wait until a callback stands in the queue; it stays there."""
    arrival = begun.arrivals.get(timeout=30)
    begun.arrivals.put(arrival)


def test_when_it_is_closed_nobody_listens(login: Callable[..., Login]) -> None:
    """The port is free again, and a second close is no error."""
    begun = login(port=free_port())
    follow(f"{begun.uri}?code=c&state=right")
    begun.claims.result(30)
    with pytest.raises(ConnectionRefusedError):
        ask(begun.uri)
    begun.loopback.close()


def test_it_listens_on_this_machine_alone(login: Callable[..., Login]) -> None:
    """On 127.0.0.1, and on no other address of the machine."""
    begun = login()
    port = urlsplit(begun.uri).port
    assert port is not None
    for address in ("127.0.0.2", "127.1.2.3"):
        with pytest.raises(OSError, match=r"refused|assign"):
            socket.create_connection((address, port), timeout=30)


def test_a_port_that_is_taken_is_an_error(login: Callable[..., Login]) -> None:
    """It is never shared: two programs at one port would mean that the other may get the callback."""
    taken = urlsplit(login().uri).port
    assert taken is not None
    with pytest.raises(OSError, match=r"in use|permitted|access"):
        Loopback(SimpleQueue(), port=taken)


def test_the_callback_has_the_name_that_is_registered(login: Callable[..., Login]) -> None:
    """``localhost`` is this machine too, and another path is the callback's then."""
    begun = login(host="localhost", path="/eve/back")
    assert begun.uri.startswith("http://localhost:")
    assert 404 == ask(begun.uri.replace("/eve/back", "/callback")).status
    assert 200 == follow(f"{begun.uri}?code=c&state=right").status
    assert CLAIMS == begun.claims.result(30)


def test_nobody_comes_back() -> None:
    """The wait ends, and the error says what else could be wrong."""
    arrivals: SimpleQueue[Arrival] = SimpleQueue()
    with Loopback(arrivals, port=0), pytest.raises(LoginFailedError, match=r"within 0\.01 s; if its page") as caught:
        await_login(arrivals, lambda query: CLAIMS, lambda: True, 0.01, lambda error: None)
    assert "timeout" == caught.value.reason
