"""Blocking transports and threads, signals, and closing while in use."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from esipy.core.wire import HttpRequest, HttpResponse
from tests.transport.rawserver import RawServer
from tests.transport.senders import Sender


def test_threads_send_at_once(blocking: Sender, server: RawServer) -> None:
    """Twenty threads are served at the same time, each over a connection of its own, which it then keeps."""
    with ThreadPoolExecutor(20) as pool:
        held = [pool.submit(blocking.send, HttpRequest("GET", server.url("/held"))) for _ in range(20)]
        for _ in held:
            assert server.arrived.acquire(timeout=10)
        server.release.set()
        assert [200] * 20 == [answer.result(10).status for answer in held]
        bodies = [str(number).encode() for number in range(500)]
        again = pool.map(lambda body: blocking.send(HttpRequest("POST", server.url("/echo"), (), body)), bodies)
        assert bodies == [answer.body for answer in again]
    assert 20 == server.connections


def test_closing_lets_a_running_exchange_end(server: RawServer) -> None:
    """A thread that waits gets its answer; then its connection is closed too."""
    from esipy.transport.curl import CurlTransport

    transport = CurlTransport()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(transport.send, HttpRequest("GET", server.url("/held")))
        assert server.arrived.acquire(timeout=10)
        transport.close()
        server.release.set()
        answer: HttpResponse = waiting.result(10)
    assert 200 == answer.status
    assert server.gone.wait(10)


PROGRAM = """
import asyncio, sys
from esipy.core.wire import HttpRequest
from esipy.transport.{module} import {name}
hang, normal = (HttpRequest("GET", url, timeout=60.0) for url in sys.argv[1:])

def blocking():
    transport = {name}()
    try:
        transport.send(hang)
    except KeyboardInterrupt:
        print("interrupted", transport.send(normal).status)
    transport.close()

async def aio():
    transport = {name}()
    try:
        await transport.send(hang)
    except asyncio.CancelledError:
        print("interrupted", (await transport.send(normal)).status)
    await transport.aclose()

if {name!r}.startswith("Async"):
    asyncio.run(aio())
else:
    blocking()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system cannot send SIGINT to one process")
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("curl", "CurlTransport"),
        ("httpx2", "Httpx2Transport"),
        ("curl_aio", "AsyncCurlTransport"),
        ("httpx2", "AsyncHttpx2Transport"),
    ],
)
def test_ctrl_c_ends_a_wait(server: RawServer, module: str, name: str) -> None:
    """SIGINT during a wait for a hanging server is felt at once, and the transport is still good."""
    program = PROGRAM.format(module=module, name=name)
    arguments = [sys.executable, "-W", "error", "-c", program, server.url("/hang"), server.url("/normal")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert server.arrived.acquire(timeout=30)
        process.send_signal(signal.SIGINT)
        out, problems = process.communicate(timeout=20)
    assert ("interrupted 200\n", "") == (out, problems)


def test_an_interrupted_handle_serves_other_threads(server: RawServer) -> None:
    """What stops one exchange (here: a caller that no longer wants it) leaves the others alone."""
    from esipy.exceptions import BrokenAnswerError
    from esipy.transport.curl import CurlTransport

    transport = CurlTransport()
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        unwanted = pool.submit(transport.send_unless, HttpRequest("GET", server.url("/hang")), stop.is_set)
        assert server.arrived.acquire(timeout=10)
        wanted = pool.submit(transport.send, HttpRequest("GET", server.url("/held")))
        assert server.arrived.acquire(timeout=10)
        stop.set()
        with pytest.raises(BrokenAnswerError):
            unwanted.result(10)
        server.release.set()
        assert 200 == wanted.result(10).status
    transport.close()
