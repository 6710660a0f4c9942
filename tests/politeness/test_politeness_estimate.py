"""Least cases of what the simulated day has found in a bucket's estimate of what others spend."""

from __future__ import annotations

from esipy.core.buckets import Bucket, Mark
from esipy.stores.base import Ask, Reservation, Told, Wait
from esipy.stores.memory_ledger import MemoryLedger

WINDOW = 900.0
T0 = 1_000_000.0
"""All moments are seconds after this."""


def leave(bucket: Bucket, now: float) -> Mark:
    assert bucket.reserve(T0 + now, 2, 0.02) == 0.0
    return bucket.mark(2)


def call(bucket: Bucket, now: float, used: int) -> None:
    """One call that takes 0.1 s and costs 2; its headers tell what is used."""
    mark = leave(bucket, now)
    bucket.settle(T0 + now + 0.1, mark, 2, used=used)


def test_others_tokens_that_may_have_been_spent_anew_are_not_believed_to_be_back() -> None:
    """Told at 0 and again, as many, at 890: they may be others' new ones. At 905 they are not back."""
    bucket = Bucket(600, WINDOW)
    call(bucket, 0.0, used=102)  # 100 of others, spent at any time in the window before
    call(bucket, 890.0, used=104)  # 100 of others: the first ones are back, and others were spent
    bucket.age(T0 + 905.0)
    assert 100 == bucket.foreign


def test_own_tokens_that_are_back_at_esi_do_not_lower_what_others_spent() -> None:
    """100 own tokens come back at ESI at 900 and here at 901: a header between the two says 52 used, of others 50."""
    bucket = Bucket(600, WINDOW)
    for number in range(50):
        call(bucket, number * 0.01, used=2 * (number + 1) + 50)
    for number in range(10):  # so that 50 of others are told of lately, and none of it can be back
        call(bucket, 800.0 + number, used=100 + 2 * (number + 1) + 50)
    call(bucket, 900.65, used=22 + 50)
    bucket.age(T0 + 903.0)
    assert 50 == bucket.foreign


def test_a_lost_call_that_cost_less_does_not_hide_what_others_spent() -> None:
    """Lost at 60 s, booked with 5, counted by ESI with 2 at 0. A header at 300 tells 54: 50 of others.

    When the 5 come back here, 50 are still others': spent at 200, they are not back before 1100.
    """
    bucket = Bucket(600, WINDOW)
    lost = leave(bucket, 0.0)
    bucket.settle(T0 + 60.0, lost, 5, answered=False)
    call(bucket, 300.0, used=54)
    bucket.age(T0 + 965.0)
    assert 50 <= bucket.foreign + bucket.own - 2


def test_a_call_that_waits_for_a_landing_goes_when_enough_has_come_back_before() -> None:
    """One call hangs at the end of a bucket of 15. What is spent comes back meanwhile: nobody has to wait for it."""
    now = [T0]
    ledger = MemoryLedger(lambda: now[0])
    ask = Ask("char-notification app:1", "*", 15, WINDOW, 5, 2, 0.02)
    for number in range(5):
        got = ledger.reserve(ask)
        assert isinstance(got, Reservation)
        ledger.settle(got, 2, Told(2 * (number + 1)))
    now[0] += 880.0
    assert isinstance(ledger.reserve(ask), Reservation)  # and hangs
    waits = ledger.reserve(ask)
    assert isinstance(waits, Wait)
    assert waits.seconds <= 22.0
    assert waits.landing
