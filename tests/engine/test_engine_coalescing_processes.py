"""One flight among processes that share a cache: one request, a dead leader, and puts that come too late."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine import coalescing
from esipy.engine.terms import Terms
from esipy.runtime.blocking import BlockingRuntime
from esipy.sandbox import RunningSandbox, serve
from esipy.settings import Settings
from esipy.stores.beside import Beside
from tests.engine.kit import FRESH, ITEM, ORDERS, Bench, Login, answer
from tests.stores.caches import SHARED, Asker, Place, places
from tests.stores.valkey import admin, url_of

LIMIT_SECONDS = 20
PATIENCE_SECONDS = 60
"""For a machine on which programs start slowly."""

FITTINGS = ops.fittings.get_characters_character_id_fittings(character_id=91)
FITTING = ops.fittings.post_characters_character_id_fittings(
    character_id=91, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
)

PROGRAM = """
import sys
from esipy import EsiClient, ops
from esipy.engine import coalescing
from esipy.runtime.blocking import BlockingRuntime

sleep = BlockingRuntime.sleep


async def told(self, seconds):
    print("waiting", flush=True)
    await sleep(self, seconds)


BlockingRuntime.sleep = told
url, cache, lease_seconds = sys.argv[1:]
coalescing.LEASE_SECONDS = float(lease_seconds)
client = EsiClient(headers={"User-Agent": "tests/1.0 (tests@example.com)"}, base_url=url, cache=cache)
region = ops.universe.get_universe_regions_region_id(region_id=10000002)
print("ready", flush=True)
for line in sys.stdin:
    response = client.request(region if line == "region\\n" else ops.status.get_status())
    print(response.status, response.source, flush=True)
"""


class Process:
    """A program that makes a call whenever it is told to."""

    def __init__(self, box: RunningSandbox, cache: str, lease_seconds: float = 300.0) -> None:
        command = [sys.executable, "-c", PROGRAM, box.url, cache, str(lease_seconds)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def answer(self) -> str:
        """Status and source, when it has waited."""
        while (line := self.said()) == "waiting":
            pass
        return line

    def go(self, name: str = "status") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def box() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running
        running.release()


@pytest.fixture(params=SHARED)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A cache's text: a new file, or a server's database that nobody has used."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/answers.sqlite3"
    valkey = request.getfixturevalue("valkey")
    admin(valkey).flushall()
    return url_of(valkey)


def test_T12_eight_processes_that_share_a_cache_make_one_request(box: RunningSandbox, cache: str) -> None:
    """One asks ESI, the others get what it got; also where ESI gives no lifetime, for they asked before it came."""
    made = [Process(box, cache) for _ in range(8)]
    try:
        assert ["ready"] * 8 == [one.said() for one in made]
        for name, path in (("status", "/status"), ("region", "/universe/regions/10000002")):
            box.fail(path, 1, kind="hang")
            made[0].go(name)
            box.wait_received(1, path, timeout=PATIENCE_SECONDS)
            for other in made[1:]:
                other.go(name)
            for other in made[1:]:
                assert "waiting" == other.said()
            box.release()
            assert ["200 network", *["200 cache"] * 7] == [one.answer() for one in made]
            assert 1 == len(box.received(path))
    finally:
        for one in made:
            one.end()


def test_T12_a_process_that_dies_in_flight_holds_nobody_for_longer_than_its_lease(
    box: RunningSandbox, cache: str
) -> None:
    """kill -9 between the request and its answer: another asks when the lease is over, and the rest get its answer."""
    made = [Process(box, cache, lease_seconds) for lease_seconds in (0.2, 300, 300)]
    try:
        assert ["ready"] * 3 == [one.said() for one in made]
        box.fail("/status", 1, kind="hang")
        made[0].go()
        box.wait_received(1, "/status", timeout=PATIENCE_SECONDS)
        made[0].process.kill()
        for other in made[1:]:
            other.go()
        assert ["200 cache", "200 network"] == sorted(other.answer() for other in made[1:])
        assert 2 == len(box.received("/status"))
    finally:
        for one in made:
            one.end()


class Server:
    """Answers with the number of the request; the first waits until it is let go."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.arrived = threading.Event()
        self.let_go = threading.Event()

    def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        number = len(self.requests)
        if number == 1:
            self.arrived.set()
            assert self.let_go.wait(LIMIT_SECONDS)
        if request.method == "POST":
            return answer({"fitting_id": 5}, 201)
        return answer([], **{**FRESH, "etag": f'"{number}"'})

    def close(self) -> None: ...


class Town:
    """Processes at one cache and one server, each on a thread of its own."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.server = Server()
        self.pool = ThreadPoolExecutor(4)

    def bench(self) -> Bench:
        """One more process."""
        process: Asker = self.place.process()
        runtime = BlockingRuntime(self.server)
        runtime.now = lambda: self.place.now
        return Bench("blocking", self.server.send, runtime=runtime, cache=Beside(process.shared, runtime),
                     signer=Login())  # fmt: skip

    def begin(self, bench: Bench, call: Any) -> Future[Any]:
        """Make a call, which the server holds back."""
        flight = self.pool.submit(bench.perform, call)
        assert self.server.arrived.wait(LIMIT_SECONDS)
        return flight


@pytest.fixture(params=SHARED)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    for place in places(request.param, tmp_path, request):
        made = Town(place)
        yield made
        made.server.let_go.set()
        made.pool.shutdown()


def etag(response: Any) -> tuple[str, str]:
    return response.source, response.headers["etag"]


def test_a_late_holders_put_is_fenced_off(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease ended, another fetched and kept a newer answer: the older one is given to who asked, and not kept."""
    late, other = town.bench(), town.bench()
    monkeypatch.setattr(coalescing, "LEASE_SECONDS", 0.05)
    flight = town.begin(late, ORDERS)
    town.place.now += 1.0
    monkeypatch.setattr(coalescing, "LEASE_SECONDS", 30.0)
    assert etag(other.perform(ORDERS)) == ("network", '"2"')
    town.server.let_go.set()
    assert etag(flight.result(LIMIT_SECONDS)) == ("network", '"1"')
    assert etag(late.perform(ORDERS)) == ("cache", '"2"')


def test_T02_a_read_that_a_write_of_another_process_overtook_is_not_kept(town: Town) -> None:
    """It may be from before the write: who asks next asks ESI."""
    reader, writer = town.bench(), town.bench()
    flight = town.begin(reader, FITTINGS)
    assert writer.perform(FITTING).status == 201
    town.server.let_go.set()
    assert etag(flight.result(LIMIT_SECONDS)) == ("network", '"1"')
    assert etag(reader.perform(FITTINGS)) == ("network", '"3"')
    assert etag(writer.perform(FITTINGS)) == ("cache", '"3"')


def test_who_has_no_time_goes_by_itself_and_keeps_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that never waits for limits waits a moment for another process; what that one gets is kept."""
    monkeypatch.setattr(coalescing, "LEAST_PATIENCE_SECONDS", 0.0)
    leader, hasty = town.bench(), town.bench()
    flight = town.begin(leader, ORDERS)
    response = hasty.perform(ORDERS, terms=Terms.of(Settings(), policy="fail"))
    assert etag(response) == ("network", '"2"')
    town.server.let_go.set()
    flight.result(LIMIT_SECONDS)
    assert etag(hasty.perform(ORDERS)) == ("cache", '"1"')


def test_an_answer_that_is_not_kept_ends_the_claim(town: Town) -> None:
    """The next process need not wait for the lease: an error, and ``no-store``."""
    one, other = town.bench(), town.bench()
    town.server.let_go.set()
    for outcome in (answer({"error": "x"}, 404), answer([], cache_control="no-store")):
        town.server.send = lambda _, outcome=outcome: outcome  # type: ignore[method-assign]
        assert [outcome.status] * 2 == [bench.perform(ORDERS).status for bench in (one, other)]
