"""What every transport promises (`esipy.transport.base`): requests leave and answers come as they are."""

from __future__ import annotations

import pytest

from esipy.core.wire import HttpRequest
from esipy.exceptions import InvalidCallError
from tests.transport.contract_kit import HEADERS, get
from tests.transport.rawserver import RawServer
from tests.transport.senders import Sender


def test_an_answer_comes_whole(sender: Sender, server: RawServer) -> None:
    """Status, headers in any case, and body are the server's."""
    answer = sender.send(get(server, "/normal"))
    assert (200, b'{"players": 30000}') == (answer.status, answer.body)
    assert "application/json" == answer.headers["CONTENT-TYPE"]


def test_a_connection_is_used_again(sender: Sender, server: RawServer) -> None:
    """Requests one after the other share one connection."""
    for _ in range(5):
        sender.send(get(server, "/normal"))
    assert [1] * 5 == [seen.connection for seen in server.seen]


def test_only_what_was_asked_is_sent(sender: Sender, server: RawServer) -> None:
    """A transport adds the host and the codings it can read, and no other header; a body brings its length."""
    sender.send(get(server, "/normal"))
    sender.send(get(server, "/echo", "POST", b"[1]"))
    plain, posted = server.seen
    assert {"host", "user-agent", "accept", "accept-encoding"} == plain.names()
    assert {"host", "user-agent", "accept", "accept-encoding", "content-length"} == posted.names()
    assert HEADERS[0][1] == plain.header("User-Agent")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_body_is_sent_as_it_is(sender: Sender, server: RawServer, method: str) -> None:
    """Bytes arrive unchanged with every method, large ones too."""
    body = bytes(range(256)) * 8000
    assert body == sender.send(get(server, "/echo", method, body)).body
    assert [method] == [seen.method for seen in server.seen]


def test_methods_follow_each_other(sender: Sender, server: RawServer) -> None:
    """Nothing of one request is left in the next one on the same connection."""
    wanted = [
        ("GET", b""),
        ("POST", b"[1]"),
        ("GET", b""),
        ("HEAD", b""),
        ("DELETE", b""),
        ("PUT", b"{}"),
        ("POST", b""),
    ]
    for method, body in [*wanted, ("GET", b"")]:
        sender.send(get(server, "/normal", method, body or (b"" if method == "POST" else None)))
    assert [*wanted, ("GET", b"")] == [(seen.method, seen.body) for seen in server.seen]


def test_headers_follow_each_other(sender: Sender, server: RawServer) -> None:
    """A header of one request (a token, say) is not sent with the next, and an empty value is a value."""
    sender.send(HttpRequest("GET", server.url("/normal"), (*HEADERS, ("Authorization", "Bearer secret"))))
    sender.send(HttpRequest("GET", server.url("/normal"), (*HEADERS, ("X-Empty", ""))))
    assert ["Bearer secret", None] == [seen.header("Authorization") for seen in server.seen]
    assert "" == server.seen[1].header("X-Empty")


def test_a_changed_list_of_headers_is_seen(sender: Sender, server: RawServer) -> None:
    """A list that the caller changes between two requests is read anew."""
    headers = [("X-Count", "1")]
    sender.send(HttpRequest("GET", server.url("/normal"), headers))
    headers[0] = ("X-Count", "2")
    sender.send(HttpRequest("GET", server.url("/normal"), headers))
    assert ["1", "2"] == [seen.header("X-Count") for seen in server.seen]


def test_a_line_break_in_a_header_is_refused(sender: Sender, server: RawServer) -> None:
    """A value cannot smuggle in a second header, and the error does not show it (T44); nothing is sent."""
    with pytest.raises(InvalidCallError, match="'X-Bad'") as caught:
        sender.send(HttpRequest("GET", server.url("/normal"), (("X-Bad", "secret\r\nX-Other: 1"),)))
    assert "secret" not in str(caught.value)
    assert [] == server.seen


def test_an_escaped_path_is_sent_as_written(sender: Sender, server: RawServer) -> None:
    """Neither dots nor escapes of a path are normalised."""
    path = "/target/%2E%2E/a%2Fb?name=x%20y&ids=1&ids=2"
    sender.send(get(server, path))
    assert path == server.seen[0].target


def test_a_chunked_body_is_put_together(sender: Sender, server: RawServer) -> None:
    """The chunks' framing is not part of the body."""
    assert b"[1,2]" == sender.send(get(server, "/chunked")).body


def test_trailers_do_not_disturb(sender: Sender, server: RawServer) -> None:
    """What comes after a chunked body is no header of the answer (RFC 9110 section 6.5)."""
    answer = sender.send(get(server, "/trailers"))
    assert (b"[]", "1") == (answer.body, answer.headers["x-early"])
    assert "x-late" not in answer.headers


def test_a_compressed_body_is_decoded(sender: Sender, server: RawServer) -> None:
    """gzip is asked for, and decoded."""
    assert b"[1,2,3]" == sender.send(get(server, "/gzip")).body
    assert "gzip" in (server.seen[0].header("Accept-Encoding") or "")


def test_a_body_until_close_is_whole(sender: Sender, server: RawServer) -> None:
    """Without a length the end of the connection is the end of the body."""
    assert b"[1]" == sender.send(get(server, "/until-close")).body


def test_interim_answers_are_passed_over(sender: Sender, server: RawServer) -> None:
    """100 and 103 are not the answer, and their headers are not its headers."""
    answer = sender.send(get(server, "/continue"))
    assert (200, False) == (answer.status, "x-early" in answer.headers)


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/no-content", "GET", 204), ("/not-modified", "GET", 304), ("/head", "HEAD", 200)]
)
def test_answers_without_a_body_end_at_once(
    sender: Sender, server: RawServer, path: str, method: str, status: int
) -> None:
    """204, 304 and HEAD have no body whatever their Content-Length says; the connection stays good."""
    answer = sender.send(get(server, path, method))
    assert (status, b"") == (answer.status, answer.body)
    assert 200 == sender.send(get(server, "/normal")).status
    assert 1 == server.connections


def test_headers_may_repeat(sender: Sender, server: RawServer) -> None:
    """Every value is kept in order, in Latin-1, empty ones too."""
    headers = sender.send(get(server, "/repeated")).headers
    assert ["a", "b"] == headers.get_all("X-Note")
    assert ("\xe9", "") == (headers["x-latin"], headers["x-empty"])


def test_large_headers_come_through(sender: Sender, server: RawServer) -> None:
    """40 KB of headers are no trouble."""
    assert 1000 == len(sender.send(get(server, "/big-headers")).headers["x-big-39"])


def test_cookies_are_not_kept(sender: Sender, server: RawServer) -> None:
    """A cookie that the server sets is never sent back."""
    sender.send(get(server, "/cookie"))
    sender.send(get(server, "/normal"))
    assert [None, None] == [seen.header("Cookie") for seen in server.seen]


def test_T45_a_redirect_is_not_followed(sender: Sender, server: RawServer, elsewhere: RawServer) -> None:
    """The 302 itself is the answer: the other host hears nothing, neither a request nor a token."""
    server.elsewhere = elsewhere.url("/normal")
    headers = (("Authorization", "Bearer secret"),)
    answer = sender.send(HttpRequest("GET", server.url("/redirect"), headers))
    assert (302, elsewhere.url("/normal")) == (answer.status, answer.headers["Location"])
    assert (0, []) == (elsewhere.connections, elsewhere.seen)


@pytest.mark.parametrize(("path", "status"), [("/html", 502), ("/empty", 503)])
def test_T33_any_body_is_an_answer(sender: Sender, server: RawServer, path: str, status: int) -> None:
    """HTML and empty bodies come as they are, with their status: what they mean is not the transport's affair."""
    assert status == sender.send(get(server, path)).status


def test_a_server_may_close_after_each_answer(sender: Sender, server: RawServer) -> None:
    """``Connection: close`` is obeyed: a new connection for each."""
    for _ in range(3):
        assert 200 == sender.send(get(server, "/close")).status
    assert 3 == server.connections


def test_the_environments_proxy_is_used(server: RawServer, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other hosts are reached through ``http_proxy``; the loopback never is."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", server.url(""))
    again = Sender(sender.make, sender.runner and sender.runner.get_loop().__class__)
    try:
        assert 200 == again.send(HttpRequest("GET", "http://esi.invalid/normal", HEADERS)).status
        with RawServer() as direct:
            assert 200 == again.send(get(direct, "/normal")).status
            assert 1 == len(direct.seen)
    finally:
        again.end()
    assert ["http://esi.invalid/normal"] == [seen.target for seen in server.seen]


def test_closing_is_final(sender: Sender, server: RawServer) -> None:
    """Closing twice is no error; sending afterwards is; the connections are gone."""
    sender.send(get(server, "/normal"))
    server.gone.clear()
    sender.close()
    assert server.gone.wait(10)
    sender.close()
    with pytest.raises(RuntimeError, match="closed"):
        sender.send(get(server, "/normal"))


def test_closing_an_unused_transport(sender: Sender) -> None:
    """There is nothing to close, and no error; it is closed all the same."""
    sender.close()
    with pytest.raises(RuntimeError, match="closed"):
        sender.send(HttpRequest("GET", "http://127.0.0.1:9/"))
