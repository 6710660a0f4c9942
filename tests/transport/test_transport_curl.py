"""What only the transports over curl do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from esipy.core.wire import HttpRequest
from esipy.exceptions import AnswerTimeoutError, BrokenAnswerError, ConnectError, NetworkError
from esipy.transport.curl import CurlTransport
from esipy.transport.curl_aio import AsyncCurlTransport
from tests.transport.certificates import Certificates
from tests.transport.rawserver import RawServer


def test_after_a_connection_that_died_the_next_one_is_fresh(server: RawServer) -> None:
    """However often it happens, each request leaves once, and the next one comes through."""
    transport = CurlTransport()
    for _ in range(3):
        assert 200 == transport.send(HttpRequest("GET", server.url("/dies"))).status
        with pytest.raises(BrokenAnswerError):
            transport.send(HttpRequest("GET", server.url("/dies")))
    assert [1, 1, 3, 3, 5, 5] == [seen.connection for seen in server.seen]  # curl opens one, and may not use it
    transport.close()


def test_an_idle_handle_keeps_no_answer(server: RawServer) -> None:
    """A large answer lives as long as the caller keeps it, not as long as the handle."""
    transport = CurlTransport()
    answer = transport.send(HttpRequest("POST", server.url("/echo"), (), bytes(1_000_000)))
    before = sys.getrefcount(answer.body)
    held = [item for handle in transport._idle for item in (*handle._body, *handle._head)]
    assert ([], 2) == (held, before)  # the answer's own reference, and getrefcount's
    transport.close()


def test_T36_a_shared_wait_ends_in_time(tmp_path: Path) -> None:
    """Over TLS requests wait for the first connection, which they may share. If it turns out to be HTTP/1.1 and its
    server silent, each still ends at its own time limit, and those that wait have sent nothing."""
    certificates = Certificates(tmp_path)

    async def work(url: str) -> list[object]:
        transport = AsyncCurlTransport(ca_file=str(certificates.ca))
        requests = [HttpRequest("GET", url, timeout=0.3) for _ in range(3)]
        errors = await asyncio.gather(*map(transport.send, requests), return_exceptions=True)
        await transport.aclose()
        return [*errors]

    with RawServer(certificates.context()) as server:
        errors = asyncio.run(asyncio.wait_for(work(server.url("/hang")), 10))
    assert all(isinstance(error, AnswerTimeoutError | ConnectError) for error in errors)
    assert len(server.seen) == sum(error.sent for error in errors if isinstance(error, NetworkError))


def test_many_hosts_share_the_bound(server: RawServer, elsewhere: RawServer) -> None:
    """The bound holds over all hosts, and a waiting exchange begins as soon as another one ends."""

    async def work() -> list[int]:
        transport = AsyncCurlTransport(max_exchanges=3)
        urls = [host.url("/normal") for host in (server, elsewhere)] * 20
        answers = await asyncio.gather(*(transport.send(HttpRequest("GET", url)) for url in urls))
        await transport.aclose()
        return [answer.status for answer in answers]

    assert [200] * 40 == asyncio.run(work())
    assert server.connections <= 3
    assert elsewhere.connections <= 3


def test_a_changing_limit_waits_on_nothing(server: RawServer) -> None:
    """Short limits after long ones move curl's timer forward: the short one is kept."""

    async def work() -> list[type[object]]:
        transport = AsyncCurlTransport()
        long = asyncio.create_task(transport.send(HttpRequest("GET", server.url("/hang"), timeout=60.0)))
        assert await asyncio.to_thread(server.arrived.acquire, timeout=10)
        short = [HttpRequest("GET", server.url("/hang"), timeout=limit) for limit in (0.9, 0.3, 0.6)]
        errors = await asyncio.gather(*map(transport.send, short), return_exceptions=True)
        long.cancel()
        await asyncio.gather(long, return_exceptions=True)
        await transport.aclose()
        return [type(error) for error in errors]

    assert [AnswerTimeoutError] * 3 == asyncio.run(asyncio.wait_for(work(), 20))


def test_the_interpreter_ends_quietly(server: RawServer) -> None:
    """A program that closes nothing ends without a word and without a crash, in both colours."""
    program = """
import asyncio, sys
from esipy.core.wire import HttpRequest
from esipy.transport import default_async_transport, default_transport
request = HttpRequest("GET", sys.argv[1])
blocking, aio = default_transport(), default_async_transport()
assert blocking.send(request).status == 200
assert asyncio.run(aio.send(request)).status == 200
"""
    arguments = [sys.executable, "-W", "error", "-X", "dev", "-c", program, server.url("/normal")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("missing", [("pycurl",), ("pycurl", "httpx2")])
def test_without_a_wheel_of_pycurl(server: RawServer, missing: tuple[str, ...]) -> None:
    """httpx2 stands in for curl; without either the error says what to install."""
    program = f"""
import sys
sys.modules.update(dict.fromkeys({missing!r}))
from esipy.transport import default_async_transport, default_transport
for make in (default_transport, default_async_transport):
    try:
        print(type(make()).__name__)
    except ImportError as error:
        print("EsiPy[httpx2]" in str(error))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    wanted = ["True", "True"] if "httpx2" in missing else ["Httpx2Transport", "AsyncHttpx2Transport"]
    assert wanted == done.stdout.split()
