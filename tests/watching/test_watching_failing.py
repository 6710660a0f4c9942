"""What goes wrong with watches, on virtual time: dead logins, an ESI that is down, limits, receivers and keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from esipy import ops
from esipy.events import RATE_LIMIT_WAIT, WATCH_FAILED
from esipy.exceptions import ForbiddenError, TokenRevokedError
from esipy.lists.positions import MemoryPositions
from esipy.runtime.simulated import SimulatedRuntime
from esipy.testing import SignalRecorder
from esipy.watching.watcher import Watcher
from tests.engine.kit import WALLET, Login, answer
from tests.watching.watch_kit import alliance, day, project, projects_of
from tests.watching.watch_server import ALLIANCE, HISTORY, Server, post_of, summary


class DeadLogin(Login):
    """One whose token cannot be refreshed, while it is dead."""

    dead = True
    tried = 0

    async def token(self, runtime: Any, *, not_this: str | None = None) -> str:
        if self.dead:
            self.tried += 1
            raise TokenRevokedError("https://login.example", 400, message="invalid_grant")
        return await super().token(runtime, not_this=not_this)


def test_a_dead_login_holds_back_all_its_calls_and_no_others() -> None:
    """One of them tries now and then; it is told; when the character is back, all go on."""
    paths = ["/characters/91/wallet", "/characters/91/online", "/characters/91/ship"]
    server = Server({ALLIANCE.path: alliance(99, 0), paths[0]: 1.0})
    server.data[paths[1]] = {"online": True}
    server.data[paths[2]] = {"ship_item_id": 1, "ship_name": "Ibis", "ship_type_id": 2}
    login = DeadLogin()
    post = post_of(server, login=login)
    mine = [
        WALLET,
        ops.location.get_characters_character_id_online(character_id=91),
        ops.location.get_characters_character_id_ship(character_id=91),
    ]
    with SignalRecorder(WATCH_FAILED) as failed:
        for call in (*mine, ALLIANCE):
            post.on_change(call).add_receiver(post.hear)
        post.run(3600)
    assert set() == {path for _, path in server.arrivals} - {ALLIANCE.path}
    assert len(server.times(ALLIANCE.path)) > 30
    assert 3 <= login.tried < 15
    assert {True} == set(failed.values("lasting"))
    assert all("token" not in f"{payload}" for payload in failed.payloads)

    login.dead = False
    post.run(1000)
    assert [] == post.told
    assert set(paths) <= {path for _, path in server.arrivals}
    server.data[paths[0]] = 2.5
    post.run(200)
    assert [(1.0, 2.5)] == [(told["before"], told["after"]) for _, told in post.told]


def test_an_iterator_raises_what_does_not_pass_and_goes_on_when_asked_again() -> None:
    """A refusal is the loop's to handle; the other calls, and this one later, are watched on."""
    server = Server({ALLIANCE.path: alliance(99, 0), HISTORY.path: 403})
    post = post_of(server)
    watcher = Watcher(post.engine, [post.watched(HISTORY), post.watched(ALLIANCE)])

    async def story() -> tuple[Any, Any]:
        with pytest.raises(ForbiddenError):
            await watcher.next()
        server.data |= {ALLIANCE.path: alliance(99, 7), HISTORY.path: [day(1, 0)]}
        first = await watcher.next()
        asked = post.runtime.spawn(watcher.next())
        await post.runtime.sleep(200)
        server.data[HISTORY.path] = [day(1, 3)]
        return first, await post.runtime.join(asked)

    first, second = post.runtime.run(story())
    assert (ALLIANCE, HISTORY) == (first.call, second.call)
    assert 1 == len(second.modified)
    assert server.times(HISTORY.path)[1] - server.times(HISTORY.path)[0] > 20  # put off


def test_T52_a_receiver_that_raises_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; later receivers are told, the change is told once, and the watch goes on."""
    server = Server({ALLIANCE.path: alliance(99, 0)})
    post = post_of(server)

    def raises(**_: Any) -> None:
        raise RuntimeError("a receiver's own mistake")

    for receiver in (raises, post.hear):
        post.on_change(ALLIANCE).add_receiver(receiver)
    post.run(50)
    for form in (1, 2):
        server.data[ALLIANCE.path] = alliance(99, form)
        post.run(200)
    assert ["T1", "T2"] == [told["after"].ticker for _, told in post.told]
    assert 2 == caplog.text.count("a receiver's own mistake\n")


def test_an_esi_that_is_down_is_asked_less_and_less_and_its_return_is_told() -> None:
    """What is kept stands in and is no news; the change that came meanwhile is told once."""
    server = Server({ALLIANCE.path: alliance(99, 0)}, max_age=60)
    post = post_of(server)
    post.on_change(ALLIANCE).add_receiver(post.hear)
    post.run(30)
    server.data[ALLIANCE.path] = 503
    post.run(4000)
    times = server.times(ALLIANCE.path)
    pauses = [after - before for before, after in pairwise(times[1:])]
    assert pauses == sorted(pauses[:5]) + pauses[5:]
    assert max(pauses) > 600
    assert 6 <= len(times) <= 12
    server.data[ALLIANCE.path] = alliance(99, 1)
    post.run(1000)
    assert [(0, 0, 1)] == summary(post)


def test_a_full_bucket_puts_looks_off_and_holds_up_nobody() -> None:
    """Seven good calls in a window is all that notifications have: no wait in line, no 429, and no failure told."""
    calls = [ops.character.get_characters_character_id_notifications(character_id=91)]
    calls += [call.in_language(language) for call in calls for language in ("de", "fr", "ja", "ru", "zh", "ko", "es")]
    server = Server({calls[0].path: []}, max_age=120)
    post = post_of(server, login=Login())
    with SignalRecorder(RATE_LIMIT_WAIT) as waits:
        for call in calls:
            post.on_change(call).add_receiver(post.hear)
        post.run(3 * 900)
    assert [] == [one["wait_seconds"] for one in waits.payloads if one["wait_seconds"] > 1]
    for start in range(0, 1800, 60):
        moments = [moment - 1785844800.0 for moment in server.times(calls[0].path)]
        assert sum(start <= moment < start + 900 for moment in moments) <= 14


def test_a_position_that_esi_does_not_take_any_more_is_begun_anew() -> None:
    """The list is read whole, and compared with what was seen: then it is told, too, what is gone."""
    projects = projects_of(5)
    records = [project("a", 0), project("b", 0)]
    refuses = [False]

    def page(query: str) -> Any:
        if "after=" in query:
            return 400 if refuses[0] and "after=7" in query else {"projects": []}
        after = "8" if refuses[0] else "7"
        return {"projects": [] if "before=" in query else records, "cursor": {"before": "1", "after": after}}

    server = Server({projects.path: page}, max_age=None)
    store = MemoryPositions()
    post = post_of(server, login=Login())
    post.on_change(projects, store=store).add_receiver(post.hear)
    post.run(130)
    records[:] = [project("b", 4), project("c", 0)]
    refuses[0] = True
    post.run(100)
    assert [(1, 1, 1)] == summary(post)


def test_a_key_that_raises_stops_neither_its_watch_nor_others() -> None:
    """It is told as a failure, and the call is looked at again."""
    server = Server({HISTORY.path: [day(1, 0)], ALLIANCE.path: alliance(99, 0)})
    post = post_of(server)

    def key(row: Any) -> Any:
        raise ZeroDivisionError("a key's own mistake")

    with SignalRecorder(WATCH_FAILED) as failed:
        post.on_change(HISTORY, key=key).add_receiver(post.hear)
        post.on_change(ALLIANCE).add_receiver(post.hear)
        post.run(350)
        server.data[HISTORY.path] = [day(1, 2)]
        server.data[ALLIANCE.path] = alliance(99, 1)
        post.run(150)
    assert "a key's own mistake" in failed.values("message")
    assert len(server.times(HISTORY.path)) >= 4
    assert (0, 0, 1) in summary(post)


def test_failures_are_errors_of_esi_and_of_nobody_else() -> None:
    """Each error that a look raises is told with its status, how often, and when it will be looked again."""
    server = Server({ALLIANCE.path: 404})
    post = post_of(server)
    with SignalRecorder(WATCH_FAILED) as failed:
        post.on_change(ALLIANCE).add_receiver(post.hear)
        post.run(50)
    assert [(404, 1, True), (404, 2, True)] == [
        (one["status_code"], one["failures"], one["lasting"]) for one in failed.payloads
    ]
    assert server.arrivals[1][0] == pytest.approx(failed.payloads[0]["retry_at"].timestamp(), abs=0.1)
    assert "GetAlliancesAllianceId" == failed.payloads[0]["operation_id"]


def test_in_the_daily_downtime_nothing_is_sent_and_its_end_is_no_storm() -> None:
    """But for the one question whether it is over; a change that came with it is told once, soon after."""
    eleven = 1785841200.0
    server = Server({}, max_age=30)
    is_down = [False]
    before = {"players": 1, "server_version": "1", "start_time": "2026-08-03T11:05:00Z"}
    after = before | {"start_time": "2026-08-04T11:19:00Z"}
    state = [answer(alliance(99, 0), Cache_Control="max-age=30")]
    server.data["/status"] = lambda _: 503 if is_down[0] else answer(before if server.now() < eleven else after)
    server.data[ALLIANCE.path] = lambda _: 503 if is_down[0] else state[0]
    post = post_of(server, runtime=SimulatedRuntime(server, start=eleven - 300))
    post.on_change(ALLIANCE).add_receiver(post.hear)
    post.run(300)
    is_down[0] = True
    post.run(1200)
    state[0], is_down[0] = answer(alliance(99, 1), Cache_Control="max-age=30"), False
    post.run(300)
    assert [] == [moment for moment in server.times(ALLIANCE.path) if eleven + 5 < moment < eleven + 1200]
    assert len(server.times("/status")) > 15
    assert [(0, 0, 1)] == summary(post)
    assert 1200 < post.told[0][0] - eleven < 1200 + 30 + 75
