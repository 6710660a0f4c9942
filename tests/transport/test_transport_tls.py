"""TLS: what is trusted, HTTP/2 where the server speaks it, and what a child of fork leaves alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esipy.core.wire import HttpRequest
from esipy.exceptions import ConnectError, SettingError
from esipy.transport.curl import CurlTransport
from esipy.transport.curl_aio import AsyncCurlTransport
from tests.forks import needs_fork
from tests.transport.certificates import Certificates
from tests.transport.rawserver import RawServer
from tests.transport.senders import Sender


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """A CA that no machine trusts."""
    return Certificates(tmp_path)


def trusting(sender: Sender, ca: Path) -> Sender:
    """The same transport with this CA."""
    return Sender(lambda: sender.make(ca_file=str(ca)), sender.runner and sender.runner.get_loop().__class__)


def test_a_server_is_trusted_by_the_file_given(sender: Sender, certificates: Certificates) -> None:
    """``ca_file`` is trusted in place of the system's certificates."""
    with RawServer(certificates.context()) as server:
        client = trusting(sender, certificates.ca)
        assert 200 == client.send(HttpRequest("GET", server.url("/normal"))).status
        client.end()


def test_an_unknown_authority_is_refused(sender: Sender, certificates: Certificates) -> None:
    """Without ``ca_file`` the server's certificate is worth nothing: no byte of the request leaves."""
    with RawServer(certificates.context()) as server:
        with pytest.raises(ConnectError) as caught:
            sender.send(HttpRequest("POST", server.url("/normal"), (), b"{}"))
        assert (False, []) == (caught.value.sent, server.seen)


def test_a_certificate_for_another_host_is_refused(sender: Sender, tmp_path: Path) -> None:
    """The right authority, the wrong address."""
    other = Certificates(tmp_path, "127.0.0.2")
    with RawServer(other.context()) as server:
        client = trusting(sender, other.ca)
        with pytest.raises(ConnectError) as caught:
            client.send(HttpRequest("POST", server.url("/normal"), (), b"{}"))
        assert (False, []) == (caught.value.sent, server.seen)
        client.end()


def test_a_ca_file_that_is_not_there_is_named(sender: Sender) -> None:
    """A wrong setting is refused at once."""
    with pytest.raises(SettingError, match=r"absent\.pem"):
        sender.make(ca_file="/nowhere/absent.pem")


def test_ssl_cert_file_of_the_environment_is_read(
    sender: Sender, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SSL_CERT_FILE`` names the certificates, as for OpenSSL itself."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    with RawServer(certificates.context()) as server:
        client = Sender(sender.make, sender.runner and sender.runner.get_loop().__class__)
        assert 200 == client.send(HttpRequest("GET", server.url("/normal"))).status
        client.end()


FORK = """
import os, sys
from esipy.core.wire import HttpRequest
from esipy.transport.{module} import {name}
transport = {name}(ca_file=sys.argv[2])
send = lambda: transport.send(HttpRequest("GET", sys.argv[1]))
assert send().status == 200
child = os.fork()
if child == 0:
    assert send().status == 200
    transport.close()
    sys.exit(7)  # not os._exit: every destructor of the child runs
assert os.waitpid(child, 0)[1] == 7 << 8
assert send().status == 200
transport.close()
"""

FORK_AIO = """
import asyncio, os, sys
from esipy.core.wire import HttpRequest
from esipy.transport.{module} import {name}
transport = {name}(ca_file=sys.argv[2])
send = lambda: transport.send(HttpRequest("GET", sys.argv[1]))
with asyncio.Runner() as runner:
    assert runner.run(send()).status == 200
    child = os.fork()
    if child == 0:
        with asyncio.Runner() as own:
            assert own.run(send()).status == 200
            own.run(transport.aclose())
        os._exit(7)  # the inherited loop itself is asyncio's, and not to be closed here
    assert os.waitpid(child, 0)[1] == 7 << 8
    assert runner.run(send()).status == 200
    runner.run(transport.aclose())
"""


@needs_fork
@pytest.mark.parametrize(
    ("script", "module", "name"),
    [
        (FORK, "curl", "CurlTransport"),
        (FORK, "httpx2", "Httpx2Transport"),
        (FORK_AIO, "curl_aio", "AsyncCurlTransport"),
        (FORK_AIO, "httpx2", "AsyncHttpx2Transport"),
    ],
)
def test_a_child_leaves_the_parents_connection_alone(
    certificates: Certificates, script: str, module: str, name: str
) -> None:
    """The child has a connection of its own, and even its orderly end says no goodbye on the parent's."""
    with RawServer(certificates.context()) as server:
        program = script.format(module=module, name=name)
        arguments = [sys.executable, "-W", "error", "-c", program, server.url("/normal"), str(certificates.ca)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)
        assert (0, "") == (done.returncode, done.stderr)
        assert [1, 2, 1] == [seen.connection for seen in server.seen]


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen {address} ssl http2;
    ssl_certificate {certificates.certificate}; ssl_certificate_key {certificates.key};
    location / {{ default_type text/plain; return 200 "$server_protocol $connection"; }}
  }}
}}
"""


@pytest.fixture
def http2(tmp_path: Path, certificates: Certificates) -> Iterator[str]:
    """The URL of an nginx that speaks HTTP/2."""
    if NGINX is None:
        pytest.skip("nginx is not installed: no server here speaks HTTP/2")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        text = CONFIGURATION.format(folder=tmp_path, address=address, certificates=certificates)
        (tmp_path / "nginx.conf").write_text(text)
        # The listening socket is ours and handed down: connections wait in it until nginx is ready.
        nginx = subprocess.Popen(
            [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        )
        yield f"https://{address}/"
        nginx.terminate()
        nginx.wait(10)


def test_http2_is_spoken(http2: str, certificates: Certificates) -> None:
    """curl agrees on HTTP/2 in the TLS handshake; status, headers and repeated use are as ever."""
    transport = CurlTransport(ca_file=str(certificates.ca))
    first, second = (transport.send(HttpRequest("GET", http2)) for _ in range(2))
    assert b"HTTP/2.0" == first.body.split()[0]
    assert (200, first.body, "text/plain") == (second.status, second.body, second.headers["Content-Type"])
    transport.close()


def test_http2_shares_one_connection(http2: str, certificates: Certificates) -> None:
    """A hundred exchanges at once, from a cold start, travel on a single connection."""

    async def work() -> set[bytes]:
        transport = AsyncCurlTransport(ca_file=str(certificates.ca))
        answers = await asyncio.gather(*(transport.send(HttpRequest("GET", http2)) for _ in range(100)))
        await transport.aclose()
        return {answer.body for answer in answers}

    (only,) = asyncio.run(work())
    assert b"HTTP/2.0" == only.split()[0]


def test_http2_takes_a_write(http2: str, certificates: Certificates) -> None:
    """POST, PUT and DELETE work over HTTP/2 as well."""
    transport = CurlTransport(ca_file=str(certificates.ca))
    for method, body in (("POST", b"[1]"), ("PUT", b"{}"), ("DELETE", None)):
        assert 200 == transport.send(HttpRequest(method, http2, (), body)).status
    transport.close()
