"""The oracle that judges the simulated day: small cases whose answer anyone can see."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks.politeness import oracle
from benchmarks.politeness.oracle import Flight, Spend, lateness, unexcused, use

LIMIT, WINDOW = 15, 900.0


def flight(asked: float, sent: float, **more: object) -> Flight:
    """A good call that takes 0.2 s, half of it before the server counts it."""
    made = Flight(asked, sent, sent + 0.1, sent + 0.2, "get_a", 200, 2, 2, 0.0)
    return made._replace(**more)  # type: ignore[arg-type]


def own(*flights: Flight) -> list[Spend]:
    return [Spend(one.arrived, one.cost, True) for one in flights]


def judged(*flights: Flight, others: tuple[Spend, ...] = (), limit: int = LIMIT) -> list[float]:
    return [round(late, 3) for late in lateness(flights, [*own(*flights), *others], limit, WINDOW, 0.02)]


def test_it_shares_no_code_with_what_it_judges() -> None:
    """Nothing of EsiPy is imported there, nor anything that does."""
    tree = ast.parse(Path(oracle.__file__).read_text())
    roots = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    roots |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {"__future__", "bisect", "collections.abc", "itertools", "math", "typing"} == roots


def test_a_call_that_leaves_when_it_is_asked_for_is_not_late() -> None:
    """And one that leaves later, though there is room, is late by all of that."""
    assert [0.0, 3.0] == judged(flight(0, 0), flight(10, 13))


def test_the_eighth_call_of_a_bucket_of_fifteen_waits_for_the_first_to_come_back() -> None:
    """A window after the server counted it: what is later than that is late."""
    seven = [flight(10.0 * number, 10.0 * number) for number in range(7)]
    assert 1.5 == judged(*seven, flight(70, 0.1 + WINDOW + 1.5))[-1]


def test_a_call_under_way_may_turn_out_to_cost_the_most() -> None:
    """Six are answered, one is under way: 12 + 5 + 2 are more than 15, so the next one has to wait for it to land."""
    six = [flight(10.0 * number, 10.0 * number) for number in range(5)]
    assert 0.0 == judged(*six, flight(60, 60), flight(60, 60.2))[-1]


def test_a_lost_answer_counts_five_from_when_the_loss_was_known() -> None:
    """Five lost ones of 15 leave room for none; the next leaves when the first is back."""
    lost = [flight(10.0 * number, 10.0 * number, status=0, used=None) for number in range(3)]
    assert 1.0 == judged(*lost, flight(30, 0.2 + WINDOW + 1.0))[-1]


def test_a_call_after_a_4xx_of_its_operation_is_expected_to_cost_five() -> None:
    """There is room for 2, not for 5: another operation may leave, the same one has to wait."""
    before = [flight(0, 0, operation="get_b"), flight(10, 10, operation="get_b"), flight(20, 20, status=404, cost=5)]
    before.append(flight(30, 30, operation="get_b"))
    assert 20.0 == judged(*before, flight(40, 60, operation="get_b"))[-1]
    assert 0.0 == judged(*before, flight(40, 0.1 + WINDOW))[-1]


def test_the_time_that_a_429_asks_for_is_waited() -> None:
    """From when its answer came."""
    refused = flight(0, 0, status=429, cost=0, used=15, rest_seconds=30.0)
    assert 2.0 == judged(refused, flight(1, 32.2))[-1]


def test_others_spends_count_when_a_header_has_told_of_them_for_a_window() -> None:
    """13 tokens of others, told by the first call's header, leave no room until a window after it was counted."""
    told = flight(0, 0, used=15)
    assert 1.0 == judged(told, flight(5, 0.1 + WINDOW + 1.0), others=(Spend(-100.0, 13, False),))[-1]


def test_what_others_may_have_spent_anew_is_not_believed_to_be_back() -> None:
    """At 850 s the first 12 may be others' first ones or new ones: they count until a window after that."""
    told, again = flight(0, 0, used=14), flight(850, 850, used=14)
    others = (Spend(-100.0, 12, False), Spend(845.0, 12, False))
    assert 1.0 == judged(told, again, flight(851, 850.1 + WINDOW + 1.0), others=others)[-1]


def test_the_longest_time_counts_in_which_a_call_could_have_left() -> None:
    """It could for 5 s, until a header told that others had taken the place; and for the last second."""
    eleven = [flight(number, number) for number in range(11)]
    teller = flight(50, 50, known=75.0)
    found = judged(*eleven, teller, flight(70, 0.1 + WINDOW + 1.0), others=(Spend(20.0, 6, False),), limit=30)
    assert 5.0 == found[-1]


@pytest.mark.parametrize(("spent_at", "guilty", "excused"), [(5.0, 0, 1), (-5.0, 1, 0), (11.0, 1, 0)])
def test_a_429_is_excused_by_a_spend_that_no_header_had_told_of(spent_at: float, guilty: int, excused: int) -> None:
    """Not by one that was told, and not by one that came later."""
    told, refused = flight(0, 0), flight(10, 10, status=429, cost=0)
    found, excuses = unexcused([told, refused], [*own(told), Spend(spent_at, 13, False)], WINDOW)
    assert (guilty, excused) == (len(found), excuses)


def test_a_spend_excuses_one_429() -> None:
    """The second of two is guilty."""
    refused = [flight(10, 10, status=429, cost=0), flight(10, 10.05, status=429, cost=0)]
    found, excuses = unexcused(refused, [Spend(5.0, 15, False)], WINDOW)
    assert (1, 1) == (len(found), excuses)


def test_use_is_what_everyone_has_spent_while_a_call_waited() -> None:
    """Half of 14 for ten seconds, then all of it for ten: 75 %."""
    spends = [Spend(0.0, 5, True), Spend(0.0, 2, False), Spend(110.0, 7, True)]
    seconds, shares = use([flight(100, 120), flight(105, 110)], spends, LIMIT, WINDOW)
    assert (20.0, 15.0) == (seconds, shares)


def test_time_in_which_nothing_waits_does_not_count() -> None:
    """However little is used then."""
    assert (0.0, 0.0) == use([flight(100, 100)], [Spend(0.0, 2, True)], LIMIT, WINDOW)
