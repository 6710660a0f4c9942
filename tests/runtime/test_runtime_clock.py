"""The clock that never jumps."""

from __future__ import annotations

import time

import pytest

from esipy.runtime import clock


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_T06_the_clock_never_jumps(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the machine's clock while the program runs moves nothing; a clock made later begins with it."""
    before = clock.steady_clock()
    started = before()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert 0.0 <= before() - started < 60.0
    assert jump - 60.0 < clock.steady_clock()() - started < jump + 60.0


def test_the_clock_is_the_time_of_day() -> None:
    """Seconds since 1970, in UTC, as the machine has it."""
    assert abs(clock.steady_clock()() - time.time()) < 60.0


def test_elsewhere_the_clock_is_the_monotonic_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no clock that counts its sleep."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(time, "monotonic", lambda: moments.pop(0))
    moments = [10.0, 15.0, 16.0]
    now = clock.steady_clock()
    assert now() + 1.0 == pytest.approx(now())
