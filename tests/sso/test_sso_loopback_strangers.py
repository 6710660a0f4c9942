"""What comes to the listener and is no callback of its login: refused, and it ends nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.sso.loopback_kit import CLAIMS, Login, ask, follow, shown


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
