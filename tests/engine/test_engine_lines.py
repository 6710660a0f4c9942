"""Who waits for a bucket: the order, and what those who are before a newcomer ask for."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from esipy.engine.lines import Lines, Place

BUCKET = "char-wallet app:91"
LAST = (True, True, 1.0)


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
        assert (2 * number, number) == lines.ahead_of(BUCKET, None, LAST)
        places.append(Counted(2, batch=number % 3 == 0))
        lines.join(BUCKET, None, places[-1])
    random.Random(1).shuffle(places)
    for place in places:
        lines.leave(BUCKET, None, place)
    assert 20_000 == Counted.looks
    assert not lines


@given(
    st.lists(
        st.tuples(
            st.sampled_from("jjjx"), st.integers(1, 5), st.integers(0, 50),
            st.tuples(st.booleans(), st.booleans(), st.sampled_from([0.0, 0.02, 0.5])),
        ),
        max_size=60,
    )
)  # fmt: skip
def test_what_is_before_a_newcomer_is_what_those_ask_for_who_stand_there(
    happening: list[tuple[str, int, int, tuple[bool, bool, float]]],
) -> None:
    """Whoever comes and leaves: before a newcomer are those of a rank that is not behind its own."""
    lines, standing = Lines(), list[Place]()
    for what, tokens, number, (batch, spread, share) in happening:
        if what != "x":
            standing.append(Place(tokens, batch=batch, spread=spread, share=share))
            lines.join(BUCKET, None, standing[-1])
        elif standing:
            lines.leave(BUCKET, None, standing.pop(number % len(standing)))
        before = [place.tokens for place in standing if place.rank <= (batch, spread, share)]
        assert (sum(before), len(before)) == lines.ahead_of(BUCKET, None, (batch, spread, share))
        order = sorted(standing, key=lambda place: place.rank)
        assert [sum(one.tokens for one in order[:at]) for at in range(len(order))] == [
            lines.before(BUCKET, None, place) for place in order
        ]


def test_who_steps_aside_holds_up_nobody_and_keeps_its_place() -> None:
    """As a call whose signal is heard by somebody who calls ESI for it."""
    lines = Lines()
    places = [Place(2, batch=False) for _ in range(3)]
    for place in places:
        line = lines.join(BUCKET, None, place)
    assert line.first is places[0]
    lines.step_aside(line, places[0], True)
    assert line.first is places[1]
    assert places[1].turn.done()
    lines.step_aside(line, places[0], False)
    assert line.first is places[0]
    assert 3 == lines.waiting(BUCKET)


def test_when_a_line_waits_for_time_those_are_woken_who_have_to_know() -> None:
    """Who was not told, and who has no patience for it; nobody twice without cause."""
    lines = Lines()
    patience = [1000.0, 10.0, 1000.0, 50.0]
    places = [Place(2, batch=False, patient_until=until) for until in patience]
    for place in places:
        line = lines.join(BUCKET, None, place)
    woken: list[list[int]] = []
    for until in (None, 20.0, 30.0, 40.0, 60.0):
        turns = [lines.turn(place) for place in places]
        lines.hold(line, until)
        woken.append([number for number, turn in enumerate(turns) if turn.done()])
    assert [[], [1, 2, 3], [], [], [1, 3]] == woken
    assert [(0, 0), (2, 1), (4, 2), (6, 3)] == [(place.ahead, place.number) for place in places]
