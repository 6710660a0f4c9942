"""When to look next, as laws; and the heap of moments, against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esipy.watching.schedule import Schedule, after_failure, after_look

NOW = 1_785_844_800.0
CHANCES = st.floats(0, 1, exclude_max=True)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 50)),
        st.tuples(st.just("discard"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("take"), st.just(0), st.integers(0, 50)),
    ),
    max_size=60,
)


@given(STEPS)
def test_the_heap_gives_who_is_due_first_as_a_dictionary_would(steps: list[tuple[str, int, int]]) -> None:
    """Who is put again is due then only; who is discarded never is; who came first goes first among equals."""
    schedule: Schedule[int] = Schedule()
    model: dict[int, tuple[int, int]] = {}
    for turn, (act, watch, moment) in enumerate(steps):
        if act == "put":
            schedule.put(watch, moment)
            model[watch] = (moment, turn)
        elif act == "discard":
            schedule.discard(watch)
            model.pop(watch, None)
        else:
            first = min(model, key=model.__getitem__, default=None)
            expected = None if first is None or model[first][0] > moment else first
            assert expected == schedule.take(moment)
            if expected is not None:
                del model[expected]
        assert len(model) == len(schedule)
        assert min((due for due, _ in model.values()), default=None) == schedule.next_due()


def test_putting_off_for_ever_costs_no_memory() -> None:
    """Moments that do not count any more are swept out."""
    schedule: Schedule[int] = Schedule()
    for moment in range(100_000):
        schedule.put(moment % 10, moment)
    assert len(schedule._heap) < 100


@given(st.just(0.0) | st.floats(0.01, 1e6), CHANCES, st.booleans())
def test_nothing_is_looked_at_before_its_lifetime_is_over(left: float, chance: float, lifeless: bool) -> None:
    """And no later than a tenth after it, or ten seconds, but for the least pause."""
    due = after_look(NOW, NOW + left, None, lifeless, chance)
    least = 60.0 if lifeless else 5.0 if left == 0 else 1.0
    pause = max(left, least)
    assert pause - 1e-6 <= due - NOW <= pause + min(pause / 10, 10) + 1e-6


@given(st.none() | st.floats(-100, 1000), st.floats(0.1, 1000), CHANCES)
def test_a_pace_of_ones_own_counts_but_for_lifetimes(left: float | None, every: float, chance: float) -> None:
    """Slower or faster than this module's."""
    due = after_look(NOW, None if left is None else NOW + left, every, True, chance)
    pause = max(left or 0.0, every)
    assert pause - 1e-6 <= due - NOW <= pause * 1.1 + 1e-6


@given(st.integers(1, 2000), st.none() | st.floats(-100, 3000), st.none() | st.floats(-100, 3000), CHANCES)
def test_who_fails_comes_back_later_and_later(
    failures: int, fresh: float | None, retry: float | None, chance: float
) -> None:
    """But when ESI says, and never before the lifetime of what was seen is over."""
    fresh_until, retry_at = (None if given is None else NOW + given for given in (fresh, retry))
    due = after_failure(NOW, failures, fresh_until, retry_at, 900.0, chance)
    assert due >= max(fresh_until or NOW, NOW)
    if retry_at is not None and retry_at > NOW:
        assert due >= retry_at
    elif fresh is None or fresh < 0:
        doubled = min(30.0 * 2.0 ** (failures - 1), 900.0) if failures < 20 else 900.0
        assert 0.75 * doubled <= due - NOW <= doubled + 10
