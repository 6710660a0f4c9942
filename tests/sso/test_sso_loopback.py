"""The listener for a login's callback: real HTTP, as browsers and as others speak it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from queue import SimpleQueue
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from esipy.core.claims import Claims
from esipy.exceptions import LoginFailedError, SSOUnavailableError
from esipy.sso.arrivals import Arrival, await_login
from esipy.sso.loopback import Loopback

WALLET = "esi-wallet.read_character_wallet.v1"
CLAIMS = Claims(2112000001, "Ana <b>", "hash=", frozenset({WALLET}), 1e9, "app")
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str


def ask(address: str, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None) -> Got:
    """One request to where an address leads, by 127.0.0.1 whatever its name; redirects are not followed."""
    parts = urlsplit(address)
    connection = HTTPConnection("127.0.0.1", parts.port, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, {"Host": parts.netloc, **(headers or {})})
        answer: HTTPResponse = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, names, answer.read().decode())
    finally:
        connection.close()


def follow(address: str) -> Got:
    """The page that a browser ends at: it was sent on exactly once."""
    sent_on = ask(address, headers=NAVIGATION)
    assert 303 == sent_on.status
    parts = urlsplit(address)
    return ask(f"{parts.scheme}://{parts.netloc}{sent_on.headers['location']}", headers=NAVIGATION)


class Login:
    """A login that waits in a thread of its own for the query ``state=right``.

    Attributes:
        uri: the callback's address.
        refused: what was refused meanwhile.
    """

    def __init__(self, waiting: ThreadPoolExecutor, end: Exception | None = None, **options: Any) -> None:
        self.arrivals: SimpleQueue[Arrival] = SimpleQueue()
        self.loopback = Loopback(self.arrivals, port=0, **options)
        self.uri = self.loopback.redirect_uri
        self.refused: list[LoginFailedError] = []
        self.finished: list[str] = []
        self.finishing = Event()
        self.may_finish = Event()
        self.may_finish.set()
        self._is_open = True
        self._end = end
        self.claims: Future[Claims] = waiting.submit(self._wait)

    def _wait(self) -> Claims:
        with self.loopback:
            return await_login(self.arrivals, self._finish, lambda: self._is_open, 60, self.refused.append)

    def _finish(self, query: str) -> Claims:
        self.finished.append(query)
        if "state=right" not in query:
            raise LoginFailedError("another login's", "state")
        self._is_open = False
        self.finishing.set()
        assert self.may_finish.wait(30)
        if self._end is not None:
            raise self._end
        return CLAIMS

    def end(self) -> None:
        """Whatever a test left: let it end."""
        self.may_finish.set()
        self.arrivals.put(Arrival("state=right", lambda page: None))


@pytest.fixture
def login() -> Iterator[Callable[..., Login]]:
    begun: list[Login] = []

    def begin(end: Exception | None = None, **options: Any) -> Login:
        begun.append(Login(waiting, end, **options))
        return begun[-1]

    with ThreadPoolExecutor(4) as waiting:
        yield begin
        for each in begun:
            each.end()


def shown(page: Got) -> str:
    """The text of a page, as a user reads it."""
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.text)).split())


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


def test_a_callback_of_another_login_ends_nothing(login: Callable[..., Login]) -> None:
    """It gets a page that says so, who waits is told, and the right one is still taken."""
    begun = login()
    page = follow(f"{begun.uri}?code=stolen&state=wrong")
    assert 400 == page.status
    assert "Not the login that esipy waits for" in shown(page)
    assert not begun.claims.done()
    assert 200 == follow(f"{begun.uri}?code=c&state=right").status
    assert CLAIMS == begun.claims.result(30)
    assert ["state"] == [error.reason for error in begun.refused]


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_refused(login: Callable[..., Login], method: str) -> None:
    """A callback is a GET; everything else is 405, and ends nothing."""
    begun = login()
    got = ask(f"{begun.uri}?code=c&state=right", method)
    assert (405, "GET") == (got.status, got.headers["allow"])
    assert [] == begun.finished


@pytest.mark.parametrize("path", ["/", "/callback/", "/Callback", "/callback/done", "/favicon.ico", "/callback%2f"])
def test_other_paths_are_not_there(login: Callable[..., Login], path: str) -> None:
    """Only the callback's own path is; a page of a login that is not over is not there either."""
    begun = login()
    assert 404 == ask(begun.uri.replace("/callback", f"{path}?code=c&state=right")).status
    assert [] == begun.finished


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "localhost:{port}", "127.0.0.1:{port}.evil.example", ""]
)
def test_a_name_of_someone_else_is_refused(login: Callable[..., Login], host: str) -> None:
    """DNS rebinding: a page whose own name leads to 127.0.0.1 gets nothing."""
    begun = login()
    host = host.replace("{port}", str(urlsplit(begun.uri).port))
    assert 400 == ask(f"{begun.uri}?code=c&state=right", headers={"Host": host}).status
    assert [] == begun.finished


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
def test_what_some_page_sends_is_refused(login: Callable[..., Login], headers: dict[str, str]) -> None:
    """Scripts, images and frames of a page are no user who was sent here: they end nothing and learn nothing."""
    begun = login()
    got = ask(f"{begun.uri}?error=access_denied&state=right", headers=headers)
    assert 403 == got.status
    assert "access-control-allow-origin" not in got.headers
    assert [] == begun.finished


def raw(port: int, request: bytes) -> bytes:
    """What comes back for bytes of our own, until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /callback?state=right HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /callback?state=right HTTP/1.1\r\nHost: %s\r\nHost: %s\r\n\r\n", b"400"),
        (b"GET http://127.0.0.1/callback?state=right HTTP/1.1\r\nHost: %s\r\n\r\n", b"404"),
        (b"GET /callback?state=right HTTP/9.9\r\nHost: %s\r\n\r\n", b"505"),
        (b"GET /callback?state=right HTTP/1.1 more\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET /callback HTTP/1.1\r\nHost: %s\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_what_is_no_request_of_a_browser_is_refused(
    login: Callable[..., Login], capfd: pytest.CaptureFixture[str], request_line: bytes, status: bytes
) -> None:
    """It is answered with a status, nothing of it is written anywhere, and the login goes on."""
    begun = login()
    parts = urlsplit(begun.uri)
    assert parts.port is not None
    answer = raw(parts.port, request_line.replace(b"%s", parts.netloc.encode()))
    assert status in answer[:40]
    assert b"right" not in answer
    assert 200 == follow(f"{begun.uri}?code=c&state=right").status
    assert ["code=c&state=right"] == begun.finished
    assert CLAIMS == begun.claims.result(30)
    assert ("", "") == capfd.readouterr()


def test_connections_that_say_nothing_hold_up_nobody(login: Callable[..., Login]) -> None:
    """Browsers open them in reserve."""
    begun = login()
    port = urlsplit(begun.uri).port
    assert port is not None
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
    try:
        assert 200 == follow(f"{begun.uri}?code=c&state=right").status
        assert CLAIMS == begun.claims.result(30)
    finally:
        for each in silent:
            each.close()


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
    begun = login()
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
