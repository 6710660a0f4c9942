"""Limiters inside the game server: who is refused, and how little is told."""

from __future__ import annotations

import pytest

from esipy.sandbox import HIDDEN_LIMITS
from esipy.sandbox.esi_hidden import HiddenLimits
from esipy.sandbox.esi_limits import Limits
from tests.sandbox.sandbox_esi_caller import START, Caller, data, header

HISTORY = ("/markets/10000002/history", ("type_id", 34))
NOTIFICATIONS = "/characters/{me}/notifications"


def test_so_many_a_minute_are_let_through() -> None:
    """The minute slides; what is refused is not counted; other operations are not concerned."""
    hidden = HiddenLimits()
    hidden.set({"get_status": 2})
    asked = [0.0, 30.0, 31.0, 59.9, 60.0, 60.1, 90.0]
    assert [False, False, True, True, False, True, False] == [
        hidden.refuses("get_status", START + moment) for moment in asked
    ]
    assert not hidden.refuses("get_wars", START)
    assert [3] == [window.refusals for window in hidden]


def test_the_known_routes_can_be_taken_as_they_are() -> None:
    """The preset names operations that there are."""
    hidden = HiddenLimits()
    hidden.set(HIDDEN_LIMITS)
    assert {
        "get_characters_character_id_corporationhistory": 300,
        "get_markets_region_id_history": 300,
    } == {window.name: window.limit for window in hidden}


@pytest.mark.parametrize(("status", "text"), [(429, "too many requests"), (520, "ConStopSpamming")])
def test_T27_what_is_answered_tells_nothing(status: int, text: str) -> None:
    """No header of a rate limit, no Retry-After. Outside a group it is a bad answer like others."""
    caller = Caller(limits=Limits(hidden_limits={"get_markets_region_id_history": 1}, hidden_status=status))
    assert 200 == caller.send(*HISTORY).status
    answer = caller.send(*HISTORY)
    assert (status, text) == (answer.status, data(answer)["error"])
    told = [name for name, _ in answer.headers]
    assert [] == [name for name in told if name == "Retry-After" or name.startswith("X-Ratelimit")]
    assert "99" == header(answer, "X-ESI-Error-Limit-Remain")
    caller.clock.advance(60)
    assert 200 == caller.send(*HISTORY).status


def test_T27_in_a_group_not_even_the_group_is_told() -> None:
    """And it costs the group's bucket nothing."""
    limits = Limits(hidden_limits={"get_characters_character_id_notifications": 1})
    caller = Caller(limits=limits)
    caller.mine(NOTIFICATIONS)
    answer = caller.mine(NOTIFICATIONS)
    assert (429, []) == (answer.status, [name for name, _ in answer.headers if "Limit" in name or "Ratelimit" in name])
    assert {"get_characters_character_id_notifications": 1} == limits.refusals()
    assert [2] == list(limits.most_used().values())


def test_what_cannot_be_meant_is_refused() -> None:
    """An operation that does not exist, a limiter that lets nothing through, another status."""
    with pytest.raises(KeyError, match="get_nothing"):
        Limits(hidden_limits={"get_nothing": 1})
    with pytest.raises(ValueError, match="at least one request"):
        Limits(hidden_limits={"get_status": 0})
    with pytest.raises(ValueError, match="429 or 520"):
        Limits(hidden_status=503)
    with pytest.raises(ValueError, match="some seconds late"):
        Limits(release_late_seconds=-1)
