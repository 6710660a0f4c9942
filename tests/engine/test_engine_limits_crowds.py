"""Thousands wait in one line: what is learned meanwhile costs each of them little, and nobody loses his place."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.lines import Lines
from esipy.engine.queues import Line, Place
from tests.engine.kit import answer
from tests.engine.limits_kit import HERO, PATIENT, Town, notifications

CROWD = 200


class Counted(Place):
    """A place that counts how often anyone's order is looked at."""

    __slots__ = ()
    looks = 0

    @property
    def order(self) -> tuple[bool, float]:
        Counted.looks += 1
        return super().order


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The buckets whose lines calls step into, from now on."""
    found: list[str] = []
    join = Lines.join

    def counting(self: Lines, bucket: str, who: Any, place: Place) -> Line:
        found.append(bucket)
        return join(self, bucket, who, place)

    monkeypatch.setattr(Lines, "join", counting)
    return found


def crowd_of(town: Town, call: Any, left: list[int], **terms: Any) -> list[Any]:
    """Calls that note their number when they are answered."""

    async def one(number: int) -> None:
        await town.call(call, HERO, **terms)
        left.append(number)

    return [town.runtime.spawn(one(number)) for number in range(CROWD)]


def test_those_who_come_to_another_line_in_their_order_do_not_look_at_everyone_there() -> None:
    """A thousand move: each compares itself with a few, wherever interactive and batch calls are already."""
    line = Line()
    Counted.looks = 0
    for number in range(1000):
        line.add(Counted(2, (number % 2 == 1, False, 0.0), came=float(number)), newest=False)
    assert Counted.looks < 10 * 1000
    assert list(range(0, 1000, 2)) + list(range(1, 1000, 2)) == [place.came for place in line]
    assert [*range(0, 1000, 2), *range(2, 2000, 4)] == [place.ahead for place in line]


def test_a_crowd_keeps_its_line_when_the_bucket_gets_another_size(joined: list[str]) -> None:
    """The headers tell of a larger limit: nobody steps out to come back, and they leave in order, by the new size."""
    town = Town(settings=PATIENT, latency=(0.05, 0.05))
    left: list[int] = []
    size = 15

    def told(_: HttpRequest) -> HttpResponse:
        used = min(2 * len(arrived), size)
        arrived.append(town.passed)
        return answer(
            [],
            x_ratelimit_group="char-notification",
            x_ratelimit_limit=f"{size}/15m",
            x_ratelimit_remaining=str(size - used),
        )

    arrived: list[float] = []
    town.instead = told

    async def story() -> None:
        nonlocal size
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        crowd = crowd_of(town, notifications(), left)
        await town.runtime.sleep(10.0)
        joined.clear()
        size = 1000
        await town.call(notifications(), HERO, policy="off")
        await town.all(crowd)

    town.run(story())
    assert [] == joined
    assert list(range(CROWD)) == left
    assert town.passed < 60.0


def test_a_crowd_keeps_its_line_when_the_route_is_newly_known_to_be_limited(joined: list[str]) -> None:
    """Each waits for the route when its turn has come, and for nothing twice before."""
    town = Town(settings=PATIENT, latency=(0.05, 0.05))
    left: list[int] = []

    async def story() -> None:
        await town.all([town.begin(notifications(), HERO) for _ in range(7)])
        crowd = crowd_of(town, notifications(), left, max_wait=1e8)
        await town.runtime.sleep(10.0)
        joined.clear()
        town.instead = lambda _: answer({}, 429)
        refused = await town.call(notifications(), HERO, policy="off")
        town.instead = lambda _: None
        assert 429 == refused.status
        await town.runtime.sleep(10.0)
        assert [] == joined
        for flight in crowd[3:]:
            town.runtime.cancel(flight)
        await town.all(crowd[:3])

    town.run(story())
    assert [0, 1, 2] == left
    ledger = town.bench(HERO).engine.ledger
    assert not ledger.lines
    assert ops.character.get_characters_character_id_notifications(character_id=HERO).operation.id in ledger.routes
