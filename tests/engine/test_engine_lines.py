"""Who waits for a bucket: the order, and what those who are before a newcomer ask for."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from esipy.engine.lines import Lines
from esipy.engine.queues import Place
from esipy.engine.terms import Rank

BUCKET = "char-wallet app:91"
LAST: Rank = (True, True, 1.0)
FIRST: Rank = (False, False, 0.0)
PACED: Rank = (False, True, 0.0)


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
        places.append(Counted(2, (number % 3 == 0, False, 0.0)))
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
    """Whoever comes and leaves: before a newcomer are all of no lesser priority; who came first goes first."""
    lines, standing = Lines(), list[Place]()
    for what, tokens, number, (batch, spread, share) in happening:
        if what != "x":
            standing.append(Place(tokens, (batch, spread, share)))
            line = lines.join(BUCKET, None, standing[-1])
        elif standing:
            lines.leave(BUCKET, None, standing.pop(number % len(standing)))
        before = [place.tokens for place in standing if place.rank[0] <= batch]
        assert (sum(before), len(before)) == lines.ahead_of(BUCKET, None, (batch, spread, share))
        order = sorted(standing, key=lambda place: place.order)
        assert [(sum(one.tokens for one in order[:at]), at) for at in range(len(order))] == [
            line.before(place) for place in order
        ]
        assert not order or line.first is order[0]


def test_when_the_first_of_a_queue_that_rests_steps_aside_the_next_one_looks_for_the_end_of_the_rest() -> None:
    """It slept until it would be woken: nobody else would see that the moment has come while the other is away."""
    lines = Lines()
    first, second, _ = places = [Place(2, PACED) for _ in range(3)]
    for place in places:
        line = lines.join(BUCKET, None, place)
        place.told = True
    lines.hold(line, first, 100.0, 10.0, rests=True)
    turns = [lines.turn(place) for place in places]
    lines.step_aside(line, first, True)
    assert [False, True, False] == [turn.done() for turn in turns]
    assert [None, 100.0, None] == [lines.rests_until(line, place) for place in places]
    assert not lines.is_first(line, second, 99.0)
    assert lines.is_first(line, second, 100.0)
    lines.step_aside(line, first, False)
    assert not lines.is_first(line, second, 100.0)
    assert lines.is_first(line, first, 100.0)


def test_who_looks_again_and_again_leaves_nothing_behind() -> None:
    """Each time it waits for something new: what waited for the one before is forgotten with it."""
    lines, place = Lines(), Place(2, FIRST)
    lines.join(BUCKET, None, place)
    turns = [lines.turn(place) for _ in range(3)]
    assert 3 == len(set(map(id, turns)))
    place.wake()
    assert [False, False, True] == [turn.done() for turn in turns]


def test_who_steps_aside_holds_up_nobody_and_keeps_its_place() -> None:
    """As a call whose signal is heard by somebody who calls ESI for it."""
    lines = Lines()
    places = [Place(2, FIRST) for _ in range(3)]
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
    places = [Place(2, FIRST, patient_until=until) for until in patience]
    for place in places:
        line = lines.join(BUCKET, None, place)
    woken: list[list[int]] = []
    for until in (None, 20.0, 30.0, 40.0, 60.0):
        turns = [lines.turn(place) for place in places]
        lines.hold(line, places[0], until)
        woken.append([number for number, turn in enumerate(turns) if turn.done()])
    assert [[], [1, 2, 3], [], [], [1, 3]] == woken
    assert [(0, 0), (2, 1), (4, 2), (6, 3)] == [(place.ahead, place.number) for place in places]


def test_a_queue_that_its_own_terms_hold_back_holds_up_no_other() -> None:
    """It rests until its moment; then, or when something has landed, its first has its turn as if it never had."""
    lines = Lines()
    paced = [Place(2, PACED) for _ in range(2)]
    burst = Place(2, FIRST)
    for place in (*paced, burst):
        line = lines.join(BUCKET, None, place)
    assert line.first is paced[0]
    lines.hold(line, paced[0], 25.0, 25.0, rests=True)
    assert line.first is burst
    assert burst.turn.done()
    assert not lines.must_wait(BUCKET, None, burst.rank, 2.5)
    assert lines.must_wait(BUCKET, None, paced[0].rank, 2.5)
    assert (2, 1) == lines.ahead_of(BUCKET, None, FIRST)
    assert (6, 3) == lines.ahead_of(BUCKET, None, PACED)
    assert not lines.is_first(line, paced[0], 24.0)
    assert lines.is_first(line, paced[0], 25.0)
    lines.hold(line, paced[0], 50.0, 25.0, rests=True)
    lines.wake(BUCKET)
    assert line.first is paced[0]


def test_who_comes_back_has_its_old_place() -> None:
    """A call that needs two limits waits for the one and then for the other: who is older is before it in both."""
    lines = Lines()
    old, young = Place(2, FIRST), Place(2, FIRST)
    lines.join(BUCKET, None, old)
    line = lines.join(BUCKET, None, young)
    lines.leave(BUCKET, None, old)
    assert line.first is young
    again = Place(2, FIRST, came=old.came)
    lines.join(BUCKET, None, again)
    assert line.first is again
    assert (0, 0) == (again.ahead, again.number)
    assert not lines.must_wait(BUCKET, None, old.rank, old.came)
    assert lines.must_wait(BUCKET, None, young.rank, young.came)


def test_who_gets_leave_is_not_counted_as_one_who_stands_in_line() -> None:
    """Those behind it know the ledger counts it: from when it asks, for it may, until it is told to wait."""
    lines = Lines()
    first, second = Place(2, FIRST), Place(2, FIRST)
    lines.join(BUCKET, None, first)
    line = lines.join(BUCKET, None, second)
    assert 2 == lines.ahead(line, second)
    lines.ask(line, first)
    assert (0, 0) == (lines.ahead(line, first), lines.ahead(line, second))
    lines.hold(line, first, None)
    assert 2 == lines.ahead(line, second)
    lines.ask(line, first)
    third = Place(2, FIRST)
    lines.join(BUCKET, None, third)
    lines.leave(BUCKET, None, first, granted=True)
    assert (0, 2) == (lines.ahead(line, second), lines.ahead(line, third))
    lines.ask(line, second)
    lines.leave(BUCKET, None, second)
    lines.look(line, third)
    assert 0 == lines.ahead(line, third)
