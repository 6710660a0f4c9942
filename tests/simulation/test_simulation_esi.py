"""The simulated ESI: whom it lets in, and what it counts, against a count that looks at every entry of its log."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.core.wire import HttpRequest, HttpResponse
from esipy.exceptions import AnswerTimeoutError, BrokenAnswerError, ConnectError, NetworkError
from esipy.runtime.simulated import SimulatedRuntime, Working
from esipy.simulation import Seen, SimulatedEsi, token_for
from tests.simulation.simulation_kit import HERO, NOON, NOTIFICATIONS, ORDERS, WALLET, World

COSTS = {2: 2, 3: 1, 4: 5, 5: 0}


def used_before(entries: list[Seen], place: int, moment: float) -> int:
    """What is in the window of 15 minutes when an entry arrives: all that was counted before it and is not old."""
    return sum(seen.cost for seen in entries[:place] if seen.counted + 900 > moment)


calls = st.lists(
    st.tuples(st.floats(0, 300), st.sampled_from([NOTIFICATIONS, WALLET, "/status"]), st.integers(0, 1)), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(calls, st.sampled_from([0.0, 0.5]), st.sampled_from(["even", "bursts"]))
def test_who_is_let_in_and_what_is_told_is_what_the_log_says(
    calls: list[tuple[float, str, int]], share: float, manner: Any
) -> None:
    """Whatever is asked when, and whatever others spend: a 429 exactly when there is no room, the headers exactly."""
    world = World(seed=5, foreign_share=share, foreign_manner=manner, shares={404: 0.2, 502: 0.1})
    told: list[tuple[str | None, str | None]] = []
    for pause, path, who in calls:
        world.now += pause
        answer = world.mine(path, HERO + who)
        told.append((answer.headers.get("X-Ratelimit-Used"), answer.headers.get("X-Ratelimit-Remaining")))
    assert [str(seen.used) for seen in world.esi.log if seen.own] == [used for used, _ in told]
    for name, entries in world.esi.log.by_bucket().items():
        limit = {"char-notification": 15, "char-wallet": 150, "status": 600}[name.split(" ")[0]]
        for place, seen in enumerate(entries):
            before = used_before(entries, place, seen.arrived)
            if seen.own:
                assert (before + 2 > limit) == (seen.status == 429)
                assert seen.cost == (0 if seen.status == 429 else COSTS[seen.status // 100])
                assert before + seen.cost == seen.used
            else:
                assert before + seen.cost <= limit


def test_T25_principals() -> None:
    """Application and character, address, or address and application; another token of the same is the same."""
    world = World()
    for token in (token_for("app", HERO), token_for("app", HERO, 7), token_for("other", HERO)):
        world.ask(WALLET.format(me=HERO), token)
        world.ask("/status", token)
    world.ask("/status")
    assert {
        f"char-wallet app:{HERO}": 4,
        f"char-wallet other:{HERO}": 2,
        "status app:address": 4,
        "status other:address": 2,
        "status address": 2,
    } == world.esi.limits.most_used()


def test_without_a_good_token_it_is_401() -> None:
    """At an authenticated operation, and it costs the address."""
    world = World()
    assert [401, 401] == [world.ask("/characters/1/wallet", token).status for token in (None, "odd")]
    assert {"char-wallet address": 10} == world.esi.limits.most_used()


def test_T26_the_error_limit_stops_everyone() -> None:
    """A hundred bad answers at operations without a group, and at paths that do not exist; others' count too."""
    world = World()
    world.esi.limits.spend_errors(50, world.now)
    answers = [world.ask("/nothing") for _ in range(50)]
    assert "0" == answers[-1].headers["X-ESI-Error-Limit-Remain"]
    assert list(range(51, 101)) == [seen.used for seen in world.esi.log]
    assert [420, 420] == [world.mine(ORDERS).status, world.mine(WALLET).status]
    assert {"errors": 2} == world.esi.limits.refusals()
    world.now += 60
    assert [200, 200] == [world.mine(ORDERS).status, world.mine(WALLET).status]


def test_nothing_is_refused_when_not_enforced() -> None:
    """The headers tell, and that is all."""
    world = World(enforce=False)
    world.esi.limits.spend_errors(500, world.now)
    answers = [world.mine(NOTIFICATIONS) for _ in range(9)]
    assert [200] * 9 == [answer.status for answer in answers]
    assert ("18", "0") == (answers[-1].headers["X-Ratelimit-Used"], answers[-1].headers["X-Ratelimit-Remaining"])


def test_a_lost_answer_was_counted() -> None:
    """It breaks off at once, or hangs until the request's time is over; the log knows it."""
    world = World(lost_share=1.0)
    errors = Counter[type[Exception]]()
    for _ in range(40):
        with pytest.raises(NetworkError) as caught:
            world.ask("/status")
        errors[type(caught.value)] += 1
        assert caught.value.sent
    assert {BrokenAnswerError, AnswerTimeoutError} == set(errors)
    assert NOON + 60 * errors[AnswerTimeoutError] == world.now
    assert [(200, 2, True)] * 40 == [(seen.status, seen.cost, seen.lost) for seen in world.esi.log]


@pytest.mark.parametrize(
    ("option", "error", "sent"),
    [("lost_before_share", BrokenAnswerError, True), ("unreachable_share", ConnectError, False)],
)
def test_a_lost_request_costs_nothing(option: str, error: type[NetworkError], sent: bool) -> None:
    """It never came, whether something was sent or not."""
    world = World(**{option: 1.0})
    with pytest.raises(error) as caught:
        world.ask("/status")
    assert sent == caught.value.sent
    assert (0, 0) == (len(world.esi.log), world.esi.requests)


def test_working_counts_at_the_end() -> None:
    """Calls that came while others were at work are let in on what was counted by then."""
    world = World(processing_seconds=(1.0, 1.0))
    request = HttpRequest(
        "GET",
        f"https://h{NOTIFICATIONS.format(me=HERO)}",
        [("Authorization", f"Bearer {token_for('app', HERO)}")],
    )
    under_way = [world.esi(request) for _ in range(10)]
    world.now += 1
    finished = [working.finish() for working in under_way if isinstance(working, Working)]
    assert 10 == len(finished)
    assert [200] * 10 == [answer.status for answer in finished if isinstance(answer, HttpResponse)]
    assert [(NOON, NOON + 1)] * 10 == [(seen.arrived, seen.counted) for seen in world.esi.log]
    assert 20 == world.esi.limits.most_used()[f"char-notification app:{HERO}"]
    assert 429 == world.mine(NOTIFICATIONS).status


def test_T24_retry_after_is_when_the_oldest_comes_back() -> None:
    """Seven calls ten seconds apart; the eighth is told to come 900 seconds after the first."""
    world = World()
    for _ in range(7):
        world.mine(NOTIFICATIONS)
        world.now += 10
    refused = world.mine(NOTIFICATIONS)
    assert (429, "830", "14") == (
        refused.status,
        refused.headers["Retry-After"],
        refused.headers["X-Ratelimit-Used"],
    )
    world.now += 830
    assert 200 == world.mine(NOTIFICATIONS).status


@pytest.mark.parametrize("status", [429, 520])
def test_T27_hidden_limiters(status: int) -> None:
    """So many a minute for all, told by no header of a rate limit, and free."""
    world = World(hidden_limits={"get_characters_character_id_wallet": 2}, hidden_status=status)
    assert [200, 200, status] == [world.mine(WALLET, HERO + who).status for who in range(3)]
    refused = world.mine(WALLET)
    assert [] == [name for name in refused.headers if name.startswith("x-ratelimit") or name == "retry-after"]
    assert b"ConStopSpamming" in refused.body or status == 429
    assert (0, None) == (world.esi.log[-1].cost, world.esi.log[-1].used)
    assert {"get_characters_character_id_wallet": 2} == world.esi.limits.refusals()


def test_without_a_log_nothing_is_kept() -> None:
    """The ledgers count all the same."""
    world = World(keep_log=False, foreign_share=0.5)
    for _ in range(50):
        world.now += 100
        world.mine(NOTIFICATIONS)
    world.esi.settle()
    assert 0 == len(world.esi.log)
    assert world.esi.limits.report(world.now)["buckets"][f"char-notification app:{HERO}"]["foreign"] > 0


def test_the_log_is_whole_when_settled() -> None:
    """What others spent until now is in it, also in a bucket that nobody asked for since."""
    world = World(foreign_share=0.5)
    world.mine(WALLET)
    world.now += 86_400
    world.esi.settle()
    moments = [seen.counted for seen in world.esi.log if not seen.own]
    assert 84_600 < max(moments) - NOON <= 86_400
    assert all(seen.bucket == f"char-wallet app:{HERO}" for seen in world.esi.log)


def test_it_runs_in_virtual_time() -> None:
    """Two hours of fifty characters that keep to their limit draw no 429; the runtime's clock is the server's."""
    esi = SimulatedEsi(lambda: runtime.now(), seed=1)
    runtime = SimulatedRuntime(esi, request_seconds=(0.01, 0.2), answer_seconds=(0.01, 0.2), seed=1)

    async def character(number: int) -> int:
        url = f"https://h/characters/{number}/notifications"
        request = HttpRequest("GET", url, [("Authorization", f"Bearer {token_for('app', number)}")])
        return sum([(await _later(request)).status for _ in range(56)])

    async def _later(request: HttpRequest) -> HttpResponse:
        await runtime.sleep(900 / 7)
        return await runtime.send(request)

    assert [56 * 200] * 50 == runtime.run(runtime.gather(character, range(50), 50))
    assert {} == esi.limits.refusals()
    assert {14} == set(esi.limits.most_used().values())
    assert 2800 == esi.requests == len(esi.log)
