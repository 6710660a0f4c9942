"""Who waits for a bucket: the order, and what those who are before a newcomer ask for."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from esipy.engine.lines import Lines, Place

BUCKET = "char-wallet app:91"


class Counted(Place):
    """A place that counts how often any of them is looked at."""

    looks = 0

    @property
    def tokens(self) -> int:  # type: ignore[override]
        type(self).looks += 1
        return 2

    @tokens.setter
    def tokens(self, _: int) -> None: ...


def test_ten_thousand_may_join_without_counting_each_other() -> None:
    """Each is told what is before it; that looks at no place but its own, when it comes and when it leaves."""
    lines, places = Lines(), list[Counted]()
    Counted.looks = 0
    for number in range(10_000):
        assert 2 * number == lines.ahead_of(BUCKET, None, batch=True)
        places.append(Counted(2, batch=number % 3 == 0))
        lines.join(BUCKET, None, places[-1])
    random.Random(1).shuffle(places)
    for place in places:
        lines.leave(BUCKET, None, place)
    assert 20_000 == Counted.looks
    assert not lines


@given(st.lists(st.tuples(st.sampled_from("iibbx"), st.integers(1, 5), st.integers(0, 50)), max_size=60))
def test_what_is_before_a_newcomer_is_what_those_ask_for_who_stand_there(happening: list[tuple[str, int, int]]) -> None:
    """Whoever comes and leaves: interactive calls have interactive ones before them, batch calls have all."""
    lines, standing = Lines(), list[Place]()
    for what, tokens, number in happening:
        if what != "x":
            standing.append(Place(tokens, batch=what == "b"))
            lines.join(BUCKET, None, standing[-1])
        elif standing:
            lines.leave(BUCKET, None, standing.pop(number % len(standing)))
        interactive = sum(place.tokens for place in standing if not place.batch)
        everyone = sum(place.tokens for place in standing)
        found: list[Any] = [lines.ahead_of(BUCKET, None, batch=batch) for batch in (False, True)]
        assert [interactive, everyone] == found
        order = sorted(standing, key=lambda place: place.batch)
        assert [sum(one.tokens for one in order[:at]) for at in range(len(order))] == [
            lines.before(BUCKET, None, place) for place in order
        ]
