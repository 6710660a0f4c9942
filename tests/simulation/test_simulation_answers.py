"""The simulated ESI: what it answers, and when: bodies, lists, the downtime, and what goes wrong by shares."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import ConnectError, NetworkError
from esipy.operation import Operation
from esipy.simulation import SandboxBodies, Seen, SimulatedEsi, token_for
from tests.simulation.simulation_kit import HERO, NOTIFICATIONS, ORDERS, WALLET, World, path_of

OPERATIONS = list(ops.operations())


def test_the_same_seed_gives_the_same_day() -> None:
    """With every kind of mishap; another seed gives another."""

    def day(seed: int) -> list[Seen]:
        world = World(
            seed=seed, shares={404: 0.02, 403: 0.01, 503: 0.02}, lost_share=0.02, lost_before_share=0.01,
            unreachable_share=0.01, foreign_share=0.3, foreign_manner="bursts", daily_downtime_seconds=600,
            processing_seconds=(0.0, 0.5), release_late_seconds=5, hidden_limits={"get_status": 3},
        )  # fmt: skip
        for number in range(2000):
            world.now += 43.2
            try:
                world.mine((NOTIFICATIONS, NOTIFICATIONS, ORDERS, "/status")[number % 4])
            except NetworkError:
                continue
        world.esi.settle()
        return list(world.esi.log)

    first = day(1)
    assert first == day(1)
    assert first != day(2)
    assert {0, 200, 403, 404, 429, 502, 503, 504} == {seen.status for seen in first}


def test_shares_of_statuses() -> None:
    """About as many as asked for; 304 only where the request is conditional."""
    world = World(enforce=False, shares={404: 0.1, 304: 0.2, 503: 0.05})
    plain = Counter(world.ask("/status").status for _ in range(2000))
    conditional = Counter(world.ask("/status", headers=(("If-None-Match", '"x"'),)).status for _ in range(2000))
    assert {200, 404, 503} == set(plain)
    assert {200, 304, 404, 503} == set(conditional)
    assert 150 < plain[404] < 250
    assert 350 < conditional[304] < 450
    assert 60 < conditional[503] < 140


def test_downtime() -> None:
    """From 11:00 UTC, or when told; nothing is counted; /status then has the moment of its end."""
    world = World(daily_downtime_seconds=900)
    assert b'"2026-08-04T11:15:00Z"' in world.ask("/status").body
    world.now += 23 * 3600
    assert world.ask("/status").status in (502, 503, 504)
    assert {} == {name: most for name, most in world.esi.limits.most_used().items() if most > 2}
    world.now += 900
    assert b'"2026-08-05T11:15:00Z"' in world.ask("/status").body
    world.esi.downtime.begin(world.now, 60)
    assert world.mine(WALLET).status in (502, 503, 504)
    assert [(200, 2), (0, 0), (200, 2), (0, 0)] == [
        (seen.status * (seen.status < 500), seen.cost) for seen in world.esi.log
    ]


def test_status_without_any_downtime_is_steady() -> None:
    """It started at the last 11:00 UTC."""
    world = World()
    bodies = set()
    for _ in range(3):
        bodies.add(world.ask("/status").body)
        world.now += 100
    assert 1 == len(bodies)
    assert b'"2026-08-04T11:00:00Z"' in bodies.pop()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_a_small_body_that_fits(operation: Operation[Any]) -> None:
    """Good status, and JSON of the operation's type, or nothing where there is nothing; lists that are walked end."""
    world = World(seed=3)
    answer = world.ask(path_of(operation.name), token_for("app", HERO), operation.method)
    assert operation.statuses[0] == answer.status
    if operation.result is None:
        assert b"" == answer.body
        return
    msgspec.json.decode(answer.body, type=operation.result_type(), strict=False)
    if operation.pagination is not None:
        data = msgspec.json.decode(answer.body)
        assert [] == data or [] in data.values()
        assert "cursor" not in data


def test_bodies_can_be_scripted() -> None:
    """Bytes are a good answer; a whole answer is taken and counted as it is; None leaves the small body."""

    def body(operation: Operation[Any], request: HttpRequest) -> bytes | HttpResponse | None:
        if operation.name == "get_status":
            return HttpResponse(404, Headers([("X-Odd", "1")]), b"{}")
        return b"[1]" if request.url.endswith("alliances") else None

    world = World(body=body, headers=[("ETag", '"e"')])
    odd = world.ask("/status")
    assert (404, "1", b"{}", "5") == (odd.status, odd.headers["X-Odd"], odd.body, odd.headers["X-Ratelimit-Used"])
    alliances, wars = world.ask("/alliances"), world.ask("/wars")
    assert (b"[1]", '"e"', b"[]") == (alliances.body, alliances.headers["ETag"], wars.body)
    assert "Cache-Control" not in wars.headers


def test_bodies_can_be_the_sandboxes() -> None:
    """Its data, lifetimes and refusals, under the simulation's limits."""
    world = World()
    world.esi = SimulatedEsi(lambda: world.now, body=SandboxBodies(lambda: world.now, seed=4))
    wallet, other = world.mine(WALLET), world.ask(WALLET.format(me=HERO + 1), token_for("app", HERO))
    assert (200, 403) == (wallet.status, other.status)
    assert float(wallet.body) > 0
    assert "max-age=" in wallet.headers["Cache-Control"]
    assert ["2"] == wallet.headers.get_all("X-Ratelimit-Used")
    assert "7" == other.headers["X-Ratelimit-Used"]
    again = world.ask(
        WALLET.format(me=HERO), token_for("app", HERO), headers=(("If-None-Match", wallet.headers["ETag"]),)
    )
    assert (304, "8") == (again.status, again.headers["X-Ratelimit-Used"])


def test_lists_of_the_sandbox_change_in_virtual_time() -> None:
    """What can be done to the sandbox's lists can be done here: a rollover after one more page, and by the clock; all
    versions are told.
    """
    world = World()
    bodies = SandboxBodies(lambda: world.now, seed=4)
    world.esi = SimulatedEsi(lambda: world.now, body=bodies)
    path = "/contracts/public/10000044"
    bodies.lists.roll(path, pages=3)
    bodies.lists.roll(path, after_requests=1, shift=1)
    stamps = [world.ask(f"{path}?page={page}").headers["Last-Modified"] for page in (1, 2)]
    assert 2 == len(set(stamps))
    world.now += 1800
    rows = [row for page in (1, 2, 3) for row in msgspec.json.decode(world.ask(f"{path}?page={page}").body)]
    *_, before, after, aged = bodies.lists.versions(path)
    assert [after[1:], aged] == [before, after]
    assert rows == bodies.lists.versions(path, ids=False)[-1]


def test_what_goes_wrong_can_change() -> None:
    """From one moment on everything is an error, then everything is well again."""
    world = World()
    world.esi.play({503: 1.0})
    assert [503, 503] == [world.ask("/status").status for _ in range(2)]
    world.esi.play(unreachable_share=1.0)
    with pytest.raises(ConnectError):
        world.ask("/status")
    world.esi.play()
    assert 200 == world.ask("/status").status


@pytest.mark.parametrize(
    "options",
    [
        {"shares": {404: 0.7, 500: 0.7}},
        {"lost_share": 1.1},
        {"shares": {404: -0.1}},
        {"lost_before_share": -0.1},
        {"lost_share": 0.6, "unreachable_share": 0.6},
    ],
)
def test_shares_are_parts_of_a_whole(options: dict[str, Any]) -> None:
    """More than all is refused, and less than nothing."""
    with pytest.raises(ValueError, match="shares have to be 0 or more"):
        World(**options)
