"""An SSO that fails is left alone for a while, by everybody whom the failure is about."""

from __future__ import annotations

import pytest

from esipy.core.moments import as_seconds
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import SSOUnavailableError
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sso.outages import LONGEST_PAUSE_SECONDS, MOST_KNOWN, Outages

URL = "https://sso.example/token"


def nobody(request: HttpRequest) -> HttpResponse:
    raise AssertionError(request.url)


@pytest.fixture
def runtime() -> SimulatedRuntime:
    """A clock."""
    return SimulatedRuntime(nobody)


def fail(outages: Outages, runtime: SimulatedRuntime, status: int, who: int = 1, **headers: str) -> float:
    """The SSO is asked for a character, and fails; gives until when it is not asked again."""
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    error = SSOUnavailableError(URL, status, response_header=Headers(pairs), message="it failed")
    outages.failed(runtime, URL, "app", who, error, runtime.now())
    retry_at = as_seconds(error.retry_at)
    assert retry_at is not None
    return retry_at


def is_stopped(outages: Outages, runtime: SimulatedRuntime, client_id: str = "app", who: int = 1) -> bool:
    """Whether the SSO is not to be asked now."""
    found: SSOUnavailableError | None = None
    try:
        outages.check(runtime, URL, client_id, who)
    except SSOUnavailableError as error:
        found = error
    if found is not None:
        assert (as_seconds(found.retry_at) or 0.0) > runtime.now()
        assert "not asked again yet: it failed" == str(found)
    return found is not None


@pytest.mark.parametrize(
    ("status", "stopped"),
    [
        (0, (True, True, True)),
        (200, (True, True, True)),
        (302, (True, True, True)),
        (403, (True, True, True)),
        (429, (True, True, True)),
        (503, (True, True, True)),
        (401, (True, True, False)),
        (400, (True, False, False)),
        (404, (True, False, False)),
    ],
)
def test_who_pauses_depends_on_the_answer(
    runtime: SimulatedRuntime, status: int, stopped: tuple[bool, bool, bool]
) -> None:
    """The character asked for; another of the same application; one of another application."""
    outages = Outages()
    fail(outages, runtime, status)
    asked = is_stopped(outages, runtime), is_stopped(outages, runtime, who=2), is_stopped(outages, runtime, "other", 3)
    assert stopped == asked


def test_pauses_grow_and_one_good_answer_ends_them(runtime: SimulatedRuntime) -> None:
    """From some seconds to two minutes, never the same for all; afterwards they begin anew."""
    outages, pauses = Outages(), []
    for _ in range(12):
        until = fail(outages, runtime, 503)
        pauses.append(until - runtime.now())
        assert is_stopped(outages, runtime)
        runtime.run(runtime.sleep(until - runtime.now()))
        assert not is_stopped(outages, runtime)
    assert 1 <= pauses[0] <= 2
    assert LONGEST_PAUSE_SECONDS / 2 <= pauses[-1] <= LONGEST_PAUSE_SECONDS
    assert len({round(pause, 3) for pause in pauses[-4:]}) > 1
    outages.works(URL, "app", 1)
    assert fail(outages, runtime, 503) - runtime.now() <= 2


def test_several_who_fail_together_are_one_outage(runtime: SimulatedRuntime) -> None:
    """Five were asking when it went down: the pause is that of one failure."""
    outages = Outages()
    assert 1 == len({fail(outages, runtime, 503, who) for who in range(5)})


def test_what_the_sso_asks_for_is_heeded(runtime: SimulatedRuntime) -> None:
    """``Retry-After`` makes a pause longer, never shorter."""
    outages = Outages()
    assert 60 == fail(outages, runtime, 429, retry_after="60") - runtime.now()
    assert 60 == fail(outages, runtime, 429, retry_after="1") - runtime.now()


def test_little_is_remembered(runtime: SimulatedRuntime) -> None:
    """However many characters the SSO refuses, one by one."""
    outages = Outages()
    for who in range(MOST_KNOWN + 5):
        fail(outages, runtime, 400, who)
    assert not is_stopped(outages, runtime, who=0)
    assert is_stopped(outages, runtime, who=MOST_KNOWN)
