"""The verbs about limits, from inside and over HTTP, and what they change on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

import pytest

from esipy.sandbox import ControlClient, RunningSandbox, serve
from esipy.sandbox.characters import FIRST_CHARACTER
from esipy.sandbox.clock import Clock
from tests.sandbox.wire import Got, ask, dial

WHO = FIRST_CHARACTER
BUCKET = f"char-notification sandbox-demo:{WHO}"
NOON = 1_790_000_000.0 // 86_400 * 86_400 + 43_200


class Handle:
    """A sandbox whose clock stands at noon, its verbs from inside or outside, and a character's token."""

    def __init__(self, server: RunningSandbox, verbs: RunningSandbox | ControlClient) -> None:
        self.server = server
        self.verbs = verbs
        self.token: str = server.login(WHO)["access_token"]

    def ask(self, path: str = f"/characters/{WHO}/notifications", *, signed: bool = True) -> Got:
        headers = {"Authorization": f"Bearer {self.token}"} if signed else {}
        return ask(self.server.url, path, headers=headers)


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes when a test says so, and at no other time."""
    monkeypatch.setattr(Clock, "now", lambda clock: NOON + clock.offset_seconds)


@pytest.fixture
def server() -> Iterator[RunningSandbox]:
    with serve(token_lifetime_seconds=86_400) as running:
        yield running


@pytest.fixture(params=["inside", "over HTTP"])
def handle(server: RunningSandbox, request: pytest.FixtureRequest) -> Handle:
    return Handle(server, server if request.param == "inside" else ControlClient(server.url))


def test_limits_are_enforced_until_switched_off(handle: Handle) -> None:
    """Seven good calls of fifteen tokens, then 429; told only when switched off."""
    assert [200] * 7 + [429] == [handle.ask().status for _ in range(8)]
    assert {BUCKET: 1} == handle.verbs.refusals()
    handle.verbs.enforce_limits(False)
    assert 200 == handle.ask().status


def test_the_record_tells_what_was_counted(handle: Handle) -> None:
    """By bucket: its limit, what is and was used, by whom, and how often it was refused; and it begins anew."""
    handle.ask()
    handle.verbs.spend("char-notification", WHO, 12)
    assert 429 == handle.ask().status
    told = {"limit": 15, "window_seconds": 900, "used": 14, "most_used": 14, "own": 2, "foreign": 12, "refusals": 1}
    errors = {"used": 0, "most_used": 0, "own": 0, "foreign": 0, "refusals": 0}
    assert {
        "buckets": {BUCKET: told},
        "hidden": {},
        "errors": errors,
        "downtime_answers": 0,
        "overtaken": 0,
    } == handle.verbs.limits()
    assert {BUCKET: 14} == handle.verbs.most_used()
    handle.verbs.reset_limits(spends=False)
    assert {**told, "own": 0, "foreign": 0, "refusals": 0} == handle.verbs.limits()["buckets"][BUCKET]
    assert 429 == handle.ask().status
    handle.verbs.reset_limits()
    assert ({}, {}) == (handle.verbs.refusals(), handle.verbs.most_used())
    assert 200 == handle.ask().status


def test_others_spend_when_told(handle: Handle) -> None:
    """From a character's bucket, or from a principal's by its name; headers tell, and it comes back."""
    assert 4 == handle.verbs.spend("char-notification", WHO, 4)
    assert 2 == handle.verbs.spend("status")
    assert 6 == handle.verbs.spend("status", "sandbox-demo:address", 6)
    assert "6" == handle.ask().headers["x-ratelimit-used"]
    assert "4" == handle.ask("/status", signed=False).headers["x-ratelimit-used"]
    assert "8" == handle.ask("/status").headers["x-ratelimit-used"]
    handle.verbs.advance(900)
    assert "2" == handle.ask().headers["x-ratelimit-used"]
    with pytest.raises((KeyError, ValueError), match="no rate-limit group"):
        handle.verbs.spend("nothing")
    with pytest.raises(ValueError, match="not negative"):
        handle.verbs.spend("status", tokens=-1)


def test_others_draw_errors(handle: Handle) -> None:
    """The error limit is the address's: when others spend it, every route is 420 until the minute is over."""
    assert 60 == handle.verbs.spend_errors(60)
    assert "40" == handle.ask(f"/characters/{WHO}/orders").headers["x-esi-error-limit-remain"]
    assert 100 == handle.verbs.spend_errors(40)
    assert [420, 420, 420] == [handle.ask().status, handle.ask("/status").status, handle.ask("/nothing").status]
    assert {"errors": 3} == handle.verbs.refusals()
    handle.verbs.advance(60)
    assert 200 == handle.ask().status
    with pytest.raises(ValueError, match="not negative"):
        handle.verbs.spend_errors(-1)


def test_how_it_is_counted_can_be_changed(handle: Handle) -> None:
    """Late, with others who spend, and with limiters inside: each alone, the rest stays."""
    handle.verbs.set_limits(release_late_seconds=60)
    handle.ask()
    handle.verbs.advance(900)
    assert "4" == handle.ask().headers["x-ratelimit-used"]
    handle.verbs.advance(60)
    assert "4" == handle.ask().headers["x-ratelimit-used"]
    handle.verbs.set_limits(hidden_limits={"get_status": 1}, hidden_status=520)
    assert [200, 520] == [handle.ask("/status").status for _ in range(2)]
    handle.verbs.set_limits(hidden_limits={})
    assert 200 == handle.ask("/status").status
    handle.verbs.set_limits(foreign_share=0.5, foreign_manner="bursts")
    for _ in range(8):
        handle.verbs.advance(900)
        handle.ask("/status")
    assert handle.verbs.limits()["buckets"]["status sandbox-demo:address"]["foreign"] > 0
    with pytest.raises(ValueError, match="429 or 520"):
        handle.verbs.set_limits(hidden_status=500)
    with pytest.raises((TypeError, ValueError), match="unexpected keyword argument 'odd'"):
        handle.verbs.set_limits(odd=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_the_game_goes_down(handle: Handle) -> None:
    """Now for a while, and daily; then /status says since when it is up."""
    assert NOON + 300 == handle.verbs.downtime(300)
    assert handle.ask().status in (502, 503, 504)
    assert 1 == handle.verbs.limits()["downtime_answers"]
    handle.verbs.advance(300)
    assert handle.ask("/status").json()["start_time"].endswith("T12:05:00Z")
    handle.verbs.daily_downtime(600)
    handle.verbs.advance(23 * 3600 - 300)
    assert handle.ask("/status", signed=False).status in (502, 503, 504)
    handle.verbs.daily_downtime(0)
    assert 200 == handle.ask("/status", signed=False).status


def test_answers_are_held_back(handle: Handle) -> None:
    """With every other answer held, the second of two calls of a bucket is answered first."""
    handle.verbs.reorder(1.0)
    target = f"GET /characters/{WHO}/notifications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {handle.token}\r\n\r\n"
    with dial(handle.server.url) as first, dial(handle.server.url) as second:
        for connection in (first, second):
            connection.sendall(target.encode())
        answers = [connection.recv(65536) for connection in (first, second)]
    assert [b"200"] * 2 == [answer.split(b" ")[1] for answer in answers]
    assert 4 == handle.verbs.limits()["buckets"][BUCKET]["used"]
    with pytest.raises(ValueError, match="between 0 and 1"):
        handle.verbs.reorder(2)


@pytest.mark.parametrize("kind", ["reset", "close", "cut"])
def test_a_lost_answer_was_counted(handle: Handle, kind: Any) -> None:
    """The request is carried out and paid for, though its answer never comes; lost before, it costs nothing."""
    handle.verbs.fail("*", kind=kind, after=True)
    with pytest.raises((OSError, HTTPException)):
        handle.ask()
    assert {BUCKET: 2} == handle.verbs.most_used()
    handle.verbs.fail("*", kind="reset")
    with pytest.raises(ConnectionError):
        handle.ask()
    assert {BUCKET: 2} == handle.verbs.most_used()


def test_every_option_can_be_given_at_the_start() -> None:
    """What the verbs change later is there from the first request."""
    options: dict[str, Any] = {
        "hidden_limits": {"get_status": 1},
        "hidden_status": 520,
        "release_late_seconds": 30.0,
        "foreign_share": 0.4,
        "foreign_manner": "bursts",
        "daily_downtime_seconds": 600,
        "reorder_share": 0.5,
        "enforce_limits": False,
    }
    with serve(**options) as server:
        assert options == ControlClient(server.url).about()["limits"]
        assert 10 == server.spend("status", tokens=10)
        server.advance(900)
        assert "12" == ask(server.url, "/status").headers["x-ratelimit-used"]
    with pytest.raises(ValueError, match="share"):
        serve(foreign_share=7)


def test_verbs_may_come_from_many_threads() -> None:
    """Nothing that is spent is lost, whoever spends at the same time."""
    with serve() as server, ThreadPoolExecutor(4) as pool:
        spent = [pool.submit(server.spend, "market-order", tokens=1) for _ in range(1000)]
        drawn = [pool.submit(server.spend_errors, 1) for _ in range(50)]
        for job in (*spent, *drawn):
            job.result()
        told = server.limits()
    assert (1000, 50) == (told["buckets"]["market-order address"]["foreign"], told["errors"]["used"])
