"""Blocking transports and threads, signals, and closing while in use."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pytest

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.transport.curl_signals import RaisedWithin
from tests.interrupts import interrupted_everywhere
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


def sleeps(pid: int) -> bool:
    """Whether a process waits in the kernel, where that can be seen."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    except FileNotFoundError:
        return True


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
        while not sleeps(process.pid):  # Python notices a signal that comes just before it waits only afterwards
            pass
        process.send_signal(signal.SIGINT)
        out, problems = process.communicate(timeout=20)
    assert ("interrupted 200\n", "") == (out, problems)


class OutOfTime(Exception):
    """What a program's own handler raises, as Celery's does at a soft time limit."""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGUSR1")
@pytest.mark.parametrize("path", ["/hang", "/hang-in-body", "/drip"])
def test_what_a_signals_handler_raises_comes_out(
    blocking: Sender, server: RawServer, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is no error of the network, which would be tried again; nothing is printed; the transport is still good."""

    struck = threading.Event()

    def raise_it(*_: object) -> None:
        if not struck.is_set():
            struck.set()
            raise OutOfTime

    def send_signal() -> None:
        assert server.arrived.acquire(timeout=10)
        while not struck.wait(0.2):  # one that comes just before the main thread begins to wait is not felt
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    hook, before = sys.excepthook, signal.signal(signal.SIGUSR1, raise_it)
    try:
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send_signal)
            with pytest.raises(OutOfTime) as caught:
                blocking.send(HttpRequest("GET", server.url(path), timeout=20.0))
            sending.result(10)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (hook, None) == (sys.excepthook, caught.value.__context__)
    assert 200 == blocking.send(HttpRequest("GET", server.url("/normal"))).status
    assert ("", "") == capfd.readouterr()
    assert 2 == len(server.seen)


def test_what_other_threads_raise_is_still_told() -> None:
    """Only what strikes in the thread of the exchange, while it lasts, is kept from ``sys.excepthook``."""
    told: list[BaseException] = []
    mine, theirs, late = ValueError("mine"), ValueError("theirs"), ValueError("late")

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        told.append(error)

    before, sys.excepthook = sys.excepthook, tell
    try:
        raised = RaisedWithin()
        raised.keep(ValueError, mine, None)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(raised.keep, ValueError, theirs, None).result(10)
        raised.is_over = True
        raised.keep(ValueError, late, None)
    finally:
        sys.excepthook = before
    assert (mine, [theirs, late]) == (raised.error, told)


def test_after_ctrl_c_at_any_moment_the_next_request_is_as_it_was_meant(server: RawServer) -> None:
    """Neither the method nor the body of the one that was interrupted, and the hook for errors is the program's."""
    from esipy.transport.curl import CurlTransport

    transport = CurlTransport()
    hook = sys.excepthook
    write = HttpRequest("POST", server.url("/echo"), (("X-Part", "write"),), b"[1]", timeout=60.0)
    read = HttpRequest("GET", server.url("/echo"), (("X-Part", "read"),), timeout=60.0)
    moments = 0
    transport.send(read)
    for moment in interrupted_everywhere(lambda: transport.send(write)):
        assert sys.excepthook == hook, moment
        assert b"" == transport.send(read).body
        # What was interrupted may come to the server later than this.
        seen = [one for one in list(server.seen) if (one.method, one.header("x-part")) != ("POST", "write")]
        assert moment + 2 == len(seen), moment
        assert ("GET", "read", b"") == (seen[-1].method, seen[-1].header("x-part"), seen[-1].body)
        moments = moment + 1
    assert moments > 20
    transport.close()


def test_an_interrupted_handle_serves_other_threads(server: RawServer) -> None:
    """What stops one exchange (here: a caller that no longer wants it) leaves the others alone."""
    from esipy.exceptions import BrokenAnswerError
    from esipy.transport.curl import CurlTransport

    transport = CurlTransport()
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        unwanted = pool.submit(transport.send_unless, HttpRequest("GET", server.url("/hang")), lambda *_: stop.is_set())
        assert server.arrived.acquire(timeout=10)
        wanted = pool.submit(transport.send, HttpRequest("GET", server.url("/held")))
        assert server.arrived.acquire(timeout=10)
        stop.set()
        with pytest.raises(BrokenAnswerError):
            unwanted.result(10)
        server.release.set()
        assert 200 == wanted.result(10).status
    transport.close()
