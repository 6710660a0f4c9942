"""Rate limits and the error limit: told always, and enforced unless switched off."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from esipy import ops
from esipy.sandbox.esi_limits import Limits
from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

NOTIFICATIONS = "/characters/{me}/notifications"  # the smallest group: 15 tokens in 15 minutes


def told(caller: Caller, path: str = NOTIFICATIONS, **options: Any) -> tuple[str | None, str | None]:
    answer = caller.mine(path, **options)
    return header(answer, "X-Ratelimit-Used"), header(answer, "X-Ratelimit-Remaining")


def test_a_group_tells_what_is_spent(caller: Caller) -> None:
    """Group and limit are the catalogue's; a 200 costs 2, a 304 costs 1, a 4xx costs 5."""
    answer = caller.mine(NOTIFICATIONS)
    assert ("char-notification", "15/15m") == (header(answer, "X-Ratelimit-Group"), header(answer, "X-Ratelimit-Limit"))
    assert ("2", "13") == (header(answer, "X-Ratelimit-Used"), header(answer, "X-Ratelimit-Remaining"))
    tag = {"if-none-match": header(answer, "ETag") or ""}
    assert ("3", "12") == told(caller, headers=tag)
    assert "8" == header(caller.mine(NOTIFICATIONS, ("wrong", 1)), "X-Ratelimit-Used")


def test_spent_tokens_come_back_a_window_later(caller: Caller) -> None:
    """The window slides: each spend comes back on its own."""
    caller.mine(NOTIFICATIONS)
    caller.clock.advance(600)
    assert ("4", "11") == told(caller)
    caller.clock.advance(300)
    assert ("4", "11") == told(caller)
    caller.clock.advance(901)
    assert ("2", "13") == told(caller)


def test_T26_characters_have_buckets_of_their_own(caller: Caller) -> None:
    """What one character spends another has left; so has another application."""
    told(caller)
    assert ("2", "13") == told(caller, place=1)
    path = NOTIFICATIONS.format(me=caller.character().character_id)
    assert "2" == header(caller.send(path, identity=caller.identity(client="other")), "X-Ratelimit-Used")


def test_a_public_route_counts_the_address_and_the_application(caller: Caller) -> None:
    """Without a token the address is counted, with one the address and application, whichever character it is of."""
    path = "/markets/10000002/orders"

    def used(**options: Any) -> str | None:
        return header(caller.send(path, **options), "X-Ratelimit-Used")

    assert ["2", "4"] == [used(), used()]
    assert ["2", "4"] == [used(identity=caller.identity(0)), used(identity=caller.identity(1))]
    assert "2" == used(identity=caller.identity(0, client="other"))


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from([200, 204, 304, 404, 429, 502])), max_size=40))
def test_what_is_used_is_what_was_spent_within_the_window(calls: list[tuple[int, int]]) -> None:
    """Whatever is answered and whenever: the header tells the costs of the last 900 seconds, the newest included."""
    operation = ops.operation("get_status")
    group = operation.group
    assert group is not None
    costs = {200: 2, 204: 2, 304: 1, 404: 5, 429: 0, 502: 0}
    limits, now, spent = Limits(), START, list[tuple[float, int]]()
    for pause, status in calls:
        now += pause
        spent.append((now, costs[status]))
        told = dict(limits.charge(operation, None, status, now))
        assert (
            str(sum(cost for moment, cost in spent if moment > now - group.window_seconds)) == told["X-Ratelimit-Used"]
        )


def test_without_enforcement_nothing_is_refused() -> None:
    """The headers go down to nothing, and calls go on."""
    caller = Caller(enforce_limits=False)
    for _ in range(20):
        answer = caller.mine(NOTIFICATIONS)
    assert (200, "0", "40") == (
        answer.status,
        header(answer, "X-Ratelimit-Remaining"),
        header(answer, "X-Ratelimit-Used"),
    )


def test_enforced_an_empty_bucket_is_429_until_the_oldest_spend_is_back() -> None:
    """Seven good calls; the eighth is told when to come back, costs nothing, and is good then."""
    caller = Caller()
    for _ in range(7):
        assert 200 == caller.mine(NOTIFICATIONS).status
        caller.clock.advance(10)
    answer = caller.mine(NOTIFICATIONS)
    assert (429, "830", "14") == (
        answer.status,
        header(answer, "Retry-After"),
        header(answer, "X-Ratelimit-Used"),
    )
    caller.clock.advance(829)
    assert 429 == caller.mine(NOTIFICATIONS).status
    caller.clock.advance(1)
    assert 200 == caller.mine(NOTIFICATIONS).status


def test_other_routes_tell_the_error_limit(caller: Caller) -> None:
    """A route without a group counts bad answers in a fixed minute, which ends for all at once."""
    path = "/characters/{me}/orders"
    good = caller.mine(path)
    reset = 60 - int(START) % 60
    assert ("100", str(reset)) == (header(good, "X-ESI-Error-Limit-Remain"), header(good, "X-ESI-Error-Limit-Reset"))
    assert None is header(good, "X-Ratelimit-Group")
    assert "99" == header(caller.send("/nothing"), "X-ESI-Error-Limit-Remain")
    assert "98" == header(caller.send(path.format(me=1)), "X-ESI-Error-Limit-Remain")
    caller.clock.advance(reset)
    assert "100" == header(caller.mine(path), "X-ESI-Error-Limit-Remain")


def test_enforced_the_error_limit_is_420_for_every_route() -> None:
    """After 100 bad answers everyone is refused until the minute is over, on grouped routes too."""
    caller = Caller()
    for _ in range(100):
        assert 404 == caller.send("/nothing").status
    answers = [caller.send("/status"), caller.mine("/characters/{me}/orders"), caller.mine(NOTIFICATIONS)]
    assert [420, 420, 420] == [answer.status for answer in answers]
    assert "error" in data(answers[0])
    for answer in answers:
        assert ["0"] == [value for name, value in answer.headers if name == "X-ESI-Error-Limit-Remain"]
    caller.clock.advance(60 - int(START) % 60)
    assert 200 == caller.send("/status").status


def test_limits_can_be_reset(caller: Caller) -> None:
    """A test that begins anew forgets what was spent."""
    told(caller)
    caller.api.limits.reset()
    assert ("2", "13") == told(caller)
