"""What is learned of limits while calls wait counts for those, too: no storm of refusals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.events import LIMIT_CHANGED
from esipy.exceptions import APIException
from esipy.testing import SignalRecorder
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications, wallet

WINDOW = 900.0


def type_of(number: int) -> Any:
    """A call without a group."""
    return ops.universe.get_universe_types_type_id(type_id=number + 1)


class Bucket:
    """An ESI that counts all in one group, which the catalogue does not name.

    Attributes:
        answered: how often with which status.
        since: the moment from which on it does; before, answers are good and say nothing.
    """

    def __init__(self, town: Town, group: str, tokens: int, since: float = 0.0) -> None:
        self.town, self.group, self.tokens, self.since = town, group, tokens, since
        self.spent: list[float] = []
        self.answered: Counter[int] = Counter()

    def __call__(self, _: HttpRequest) -> HttpResponse:
        now = self.town.runtime.now()
        if self.town.passed < self.since:
            return HttpResponse(200, Headers(), b"1.5")
        used = 2 * sum(moment > now - WINDOW for moment in self.spent)
        good = used + 2 <= self.tokens
        if good:
            self.spent.append(now)
            used += 2
        status = 200 if good else 429
        self.answered[status] += 1
        told = {
            "X-Ratelimit-Group": self.group,
            "X-Ratelimit-Limit": f"{self.tokens}/15m",
            "X-Ratelimit-Remaining": str(self.tokens - used),
            "X-Ratelimit-Used": str(used),
            **({} if good else {"Retry-After": "900"}),
        }
        return HttpResponse(status, Headers(told.items()), b"1.5")


def test_a_group_that_the_catalogue_does_not_name_is_kept_by_who_waits() -> None:
    """400 calls of a route that is said to have no group: 50 are under way when an answer names one of 100 tokens."""
    town = Town(settings=PATIENT)
    esi = town.instead = Bucket(town, "universe", 100)

    async def story() -> None:
        await town.all([town.begin(type_of(number)) for number in range(400)])

    town.run(story())
    assert {200: 400} == esi.answered


def test_who_does_not_wait_for_a_group_that_was_learned_is_not_sent() -> None:
    """With five seconds of patience: those under way are answered, all others fail."""
    town = Town(settings={"max_wait": 5})
    esi = town.instead = Bucket(town, "universe", 100)
    failed: list[APIException] = []

    async def one(number: int) -> None:
        try:
            await town.call(type_of(number))
        except APIException as error:
            failed.append(error)

    async def story() -> None:
        await town.all([town.runtime.spawn(one(number)) for number in range(400)])

    town.run(story())
    assert {200: 50} == esi.answered
    assert [429] * 350 == [error.status_code for error in failed]


@pytest.mark.parametrize(("before", "count", "most_refused"), [(0.0, 60, 22), (600.0, 175, 1)])
def test_a_route_that_moves_to_a_smaller_group_takes_those_along_who_wait(
    before: float, count: int, most_refused: int
) -> None:
    """Of the 30 that were under way at once 8 fit into it; when it moves later, one finds out."""
    town = Town(settings=PATIENT)
    esi = town.instead = Bucket(town, "other", 16, before)

    async def story() -> None:
        await town.all([town.begin(wallet(), HERO) for _ in range(count)])

    town.run(story())
    assert most_refused >= esi.answered[429]


@pytest.mark.parametrize("status", [429, 520])
@pytest.mark.parametrize("count", [60, 400])
def test_T27_who_waits_for_its_bucket_waits_for_a_route_that_refuses_too(status: int, count: int) -> None:
    """A limiter without headers lets 30 a minute pass: 90 are under way at its first refusal, at the most."""
    town = Town(settings=PATIENT, hidden_limits={"get_universe_types_type_id": 30}, hidden_status=status)

    async def story() -> None:
        await town.all([town.begin(type_of(number)) for number in range(count)])

    town.run(story())
    at_once = [moment for moment in town.arrivals(status) if moment < 2.0]
    assert min(90, count - 30) >= len(at_once)
    assert count // 10 >= len(town.arrivals(status)) - len(at_once)


def test_T27_a_refusal_that_names_no_bucket_rests_its_route() -> None:
    """Whatever ``Retry-After`` says: twenty characters whose every call is refused send few, and ever fewer."""
    town = Town(settings=PATIENT, retry=None)
    sent: list[float] = []

    def refuse(_: HttpRequest) -> HttpResponse:
        sent.append(town.passed)
        return HttpResponse(429, Headers([("Retry-After", "1")]), b"")

    town.instead = refuse

    async def one(character_id: int) -> None:
        while town.passed < 300:
            await town.call(wallet(character_id), character_id)

    async def story() -> None:
        for character_id in range(HERO, HERO + 20):
            town.runtime.spawn(one(character_id))
        await town.runtime.sleep(300.0)

    town.run(story())
    assert len([moment for moment in sent if moment > 1]) < 40


def test_a_size_that_is_taken_back_is_believed_by_who_waited_meanwhile() -> None:
    """The answer to the first tells of 30 tokens, that to who waited for it of the catalogue's 15 again."""
    town = Town(settings=PATIENT)
    sizes = [30, 15]

    def serve(_: HttpRequest) -> HttpResponse:
        told = {
            "X-Ratelimit-Group": "char-notification",
            "X-Ratelimit-Limit": f"{sizes.pop(0)}/15m",
            "X-Ratelimit-Remaining": "10",
        }
        return HttpResponse(200, Headers(told.items()), b"[]")

    town.instead = serve

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(2)])

    with SignalRecorder(LIMIT_CHANGED) as told:
        town.run(story())
    assert [30, 15] == told.values("max_tokens")
