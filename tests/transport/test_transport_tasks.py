"""asyncio transports and tasks: many at once, cancellation, loops, and a clean end."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import AnswerTimeoutError, ConnectError
from esipy.transport.curl_aio import AsyncCurlTransport
from tests.transport.rawserver import RawServer
from tests.transport.senders import Sender


async def arrived(server: RawServer, count: int = 1) -> None:
    """Until the server has read so many requests."""
    for _ in range(count):
        assert await asyncio.to_thread(server.arrived.acquire, timeout=10)


def test_tasks_send_at_once(aio: Sender, server: RawServer) -> None:
    """Fifty exchanges are open at the same time."""

    async def work() -> list[HttpResponse]:
        tasks = [asyncio.create_task(aio.transport.send(HttpRequest("GET", server.url("/held")))) for _ in range(50)]
        await arrived(server, 50)
        server.release.set()
        return await asyncio.gather(*tasks)

    assert [200] * 50 == [answer.status for answer in aio.run(work())]


def test_more_tasks_than_connections(server: RawServer, aio: Sender) -> None:
    """Two hundred tasks share a bounded number of connections, and each gets the answer to its own request."""

    async def work(transport: AsyncCurlTransport) -> list[bytes]:
        requests = [HttpRequest("POST", server.url("/echo"), (), str(n).encode()) for n in range(200)]
        answers = await asyncio.gather(*map(transport.send, requests))
        await transport.aclose()
        return [answer.body for answer in answers]

    assert [str(n).encode() for n in range(200)] == aio.run(work(aio.make(max_exchanges=10)))
    assert server.connections <= 10


def test_cancelling_ends_the_transfer(aio: Sender, server: RawServer) -> None:
    """The connection is closed, the other tasks go on, and the transport is still good."""

    async def work() -> int:
        other = asyncio.create_task(aio.transport.send(HttpRequest("GET", server.url("/held"))))
        task = asyncio.create_task(aio.transport.send(HttpRequest("GET", server.url("/hang"))))
        await arrived(server, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.gone.wait, 10)
        server.release.set()
        assert 200 == (await other).status
        return (await aio.transport.send(HttpRequest("GET", server.url("/normal")))).status

    assert 200 == aio.run(work())


def test_cancelling_before_it_began(aio: Sender, server: RawServer) -> None:
    """A task cancelled at once sends nothing and leaves nothing behind."""

    async def work() -> None:
        task = asyncio.create_task(aio.transport.send(HttpRequest("GET", server.url("/hang"))))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    aio.run(work())
    assert [] == server.seen


def test_a_time_limit_around_it(aio: Sender, server: RawServer) -> None:
    """``asyncio.timeout`` of the caller's works as with any coroutine."""

    async def work() -> None:
        async with asyncio.timeout(0.1):
            await aio.transport.send(HttpRequest("GET", server.url("/hang")))

    with pytest.raises(TimeoutError) as caught:
        aio.run(work())
    assert not isinstance(caught.value, AnswerTimeoutError)


def test_a_wait_for_a_connection_counts(aio: Sender, server: RawServer) -> None:
    """With all connections taken, the wait for one is within the time limit, and nothing was sent."""

    async def work() -> ConnectError:
        transport = aio.make(max_exchanges=1)
        first = asyncio.create_task(transport.send(HttpRequest("GET", server.url("/held"))))
        await arrived(server)
        request = HttpRequest("POST", server.url("/normal"), (), b"{}", timeout=0.2)
        with pytest.raises(ConnectError) as caught:
            await transport.send(request)
        server.release.set()
        await first
        await transport.aclose()
        return caught.value

    assert not aio.run(work()).sent
    assert ["GET"] == [seen.method for seen in server.seen]


def test_other_work_goes_on(aio: Sender, server: RawServer) -> None:
    """The loop is not blocked while an answer is waited for."""

    async def work() -> int:
        task = asyncio.create_task(aio.transport.send(HttpRequest("GET", server.url("/held"))))
        await arrived(server)  # itself other work of this loop
        server.release.set()
        return (await task).status

    assert 200 == aio.run(work())


def test_closing_ends_what_runs(aio: Sender, server: RawServer) -> None:
    """``aclose`` ends the transfers, those that wait for their turn too, with an error: nobody cancelled the tasks."""

    async def work() -> None:
        transport = aio.make(max_exchanges=1)
        tasks = [asyncio.create_task(transport.send(HttpRequest("GET", server.url("/hang")))) for _ in range(2)]
        await arrived(server)
        await transport.aclose()
        for task in tasks:
            with pytest.raises(RuntimeError, match=r"^the client (was|is) closed"):
                await task
        assert [0, 0] == [task.cancelling() for task in tasks]
        assert await asyncio.to_thread(server.gone.wait, 10)

    aio.run(work())
    assert 1 == len(server.seen)


def test_cancelling_what_was_closed(aio: Sender, server: RawServer) -> None:
    """A task that is cancelled in the very turn of the loop in which its transport is closed hears of that."""

    async def work() -> None:
        transport = aio.make()
        task = asyncio.create_task(transport.send(HttpRequest("GET", server.url("/hang"))))
        await arrived(server)
        task.cancel()
        await transport.aclose()
        with pytest.raises(asyncio.CancelledError):
            await task

    aio.run(work())


LEFT = """
import asyncio, sys
from esipy.core.wire import HttpRequest
from esipy.runtime.aio import AioRuntime
from esipy.transport.curl_aio import AsyncCurlTransport

runtime = AioRuntime(AsyncCurlTransport())
loop = asyncio.new_event_loop()

async def begin():
    await asyncio.wait_for(runtime.finish(runtime.send(HttpRequest("GET", sys.argv[1]))), 0.2)

try:
    loop.run_until_complete(begin())
except TimeoutError:
    print("left")
"""


def test_a_loop_left_in_the_midst_of_a_transfer(server: RawServer) -> None:
    """The program ends all the same, however much asyncio complains of the task: it does not crash."""
    arguments = [sys.executable, "-c", LEFT, server.url("/hang")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert (0, "left\n") == (done.returncode, done.stdout)
    assert "pycurl" not in done.stderr


def test_one_loop_after_another(server: RawServer) -> None:
    """A transport that was not closed goes on in the next loop, and nothing complains about the first."""
    transport = AsyncCurlTransport()

    async def send() -> int:
        return (await transport.send(HttpRequest("GET", server.url("/normal")))).status

    assert [200, 200] == [asyncio.run(send()), asyncio.run(send())]
    gc.collect()
    assert 2 == server.connections
    asyncio.run(transport.aclose())


def test_a_second_loop_beside_the_first(aio: Sender, server: RawServer) -> None:
    """While the first loop lives another one is refused, with a way out."""
    aio.send(HttpRequest("GET", server.url("/normal")))
    with pytest.raises(RuntimeError, match="another event loop, which is not closed: make one in each loop"):
        asyncio.run(aio.transport.send(HttpRequest("GET", server.url("/normal"))))


def test_nothing_is_left_in_the_loop(aio: Sender, server: RawServer) -> None:
    """After closing the loop has neither timers nor sockets to watch: its end is silent."""

    async def work() -> None:
        before = len(asyncio.all_tasks())
        await asyncio.gather(*(aio.transport.send(HttpRequest("GET", server.url("/normal"))) for _ in range(20)))
        await aio.transport.aclose()
        assert before == len(asyncio.all_tasks())

    aio.run(work())
    loop = aio.runner.get_loop()  # type: ignore[union-attr]
    loop.call_soon(loop.stop)
    loop.run_forever()  # what aclose left for the next turn of the loop is done now
    assert [] == [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]


def test_a_transport_never_closed(server: RawServer) -> None:
    """Forgetting to close is no crash and no noise."""

    async def work() -> int:
        return (await AsyncCurlTransport().send(HttpRequest("GET", server.url("/normal")))).status

    assert 200 == asyncio.run(work())
    gc.collect()
