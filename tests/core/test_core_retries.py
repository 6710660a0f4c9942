"""When an exchange is tried again: the table in `esipy.core.retries`, exhaustively."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.core.freshness import LONGEST_SECONDS as LONGEST_HEADER
from esipy.core.retries import BASE_SECONDS, LONGEST_SECONDS, RetryPolicy, pause_before_retry, policy_for, retry_after
from esipy.core.wire import Headers
from esipy.exceptions import AnswerTimeoutError, AnswerTooLargeError, BrokenAnswerError, ConnectError, NetworkError

URL = "https://esi.evetech.net/status"
NOW = 1785844800.0
READS = ("GET", "HEAD")
WRITES = ("POST", "PUT", "DELETE")
METHODS = READS + WRITES
NETWORK = [
    kind(URL, "because", sent=sent) for kind in (AnswerTimeoutError, BrokenAnswerError) for sent in (True, False)
]
LARGE = AnswerTooLargeError(URL, "more than 64 MiB")
OUTCOMES: list[int | NetworkError] = [*range(200, 600), *NETWORK, ConnectError(URL, "refused"), LARGE]

methods = st.sampled_from(METHODS)
outcomes = st.sampled_from(OUTCOMES)
policies = st.builds(RetryPolicy, st.integers(0, 50), every_5xx=st.booleans())
randoms = st.floats(0, 1, exclude_max=True)


def expected(method: str, outcome: int | NetworkError, every_5xx: bool) -> bool:
    """The table, told once more and in other words."""
    if isinstance(outcome, AnswerTooLargeError):
        return False
    if isinstance(outcome, NetworkError):
        return method in READS or outcome.sent is False
    if outcome in (420, 429):
        return True
    passing = range(500, 600) if every_5xx else (502, 503, 504, 520)
    return method in READS and outcome in passing


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("every_5xx", [False, True])
def test_T32_the_whole_table(method: str, every_5xx: bool) -> None:
    """Every status of 200-599 and every kind of network error, for every method."""
    policy = RetryPolicy(1, every_5xx)
    again = [outcome for outcome in OUTCOMES if pause_before_retry(policy, method, outcome, 1, 0.5) is not None]
    assert [outcome for outcome in OUTCOMES if expected(method, outcome, every_5xx)] == again


@given(policies, st.sampled_from(WRITES), outcomes, st.integers(1, 60), randoms)
def test_T32_what_may_have_been_done_is_never_done_again(
    policy: RetryPolicy, method: str, outcome: int | NetworkError, attempt: int, random: float
) -> None:
    """A write is repeated only when nothing was sent, or when a limit kept ESI from doing it."""
    if pause_before_retry(policy, method, outcome, attempt, random) is not None:
        assert outcome in (420, 429) if isinstance(outcome, int) else not outcome.sent


@given(policies, methods, outcomes, st.integers(1, 5000), randoms)
def test_T32_pauses_are_bounded(
    policy: RetryPolicy, method: str, outcome: int | NetworkError, attempt: int, random: float
) -> None:
    """Never negative, never longer than the bound, and never more attempts than the policy has."""
    pause = pause_before_retry(policy, method, outcome, attempt, random)
    if attempt > policy.most:
        assert pause is None
    assert pause is None or 0.0 <= pause <= min(BASE_SECONDS * 2.0 ** min(attempt - 1, 100), LONGEST_SECONDS)


def test_T32_the_pause_doubles_up_to_its_bound() -> None:
    """Half a second, one, two ... of which a random part is waited: callers that failed together come back apart."""
    policy = RetryPolicy(9, every_5xx=False)
    assert [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, None] == [
        pause_before_retry(policy, "GET", 503, attempt, 0.5) for attempt in range(1, 11)
    ]
    assert pause_before_retry(policy, "GET", 503, 1, 0.0) == 0.0


@pytest.mark.parametrize(("word", "most", "every_5xx"), [(None, 3, False), (False, 0, False), (True, 4, True)])
def test_retry_requests_as_a_policy(word: bool | None, most: int, every_5xx: bool) -> None:
    """None: three retries of what is safe; False: none; True: five tries, and any 5xx is passing."""
    assert (most, every_5xx) == policy_for(word)[:2]


def date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("9" * 400, LONGEST_HEADER),
        (date(NOW + 90), 90.0),
        (date(NOW - 90), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_HEADER),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("a minute", None),
    ],
)
@pytest.mark.parametrize("wrong_by", [0.0, 3600.0, -3600.0])
def test_T27_retry_after_as_seconds_and_as_a_date(text: str, seconds: float | None, wrong_by: float) -> None:
    """A date is measured against the server's own Date; what cannot be read is None, not zero."""
    headers = Headers([("Retry-After", text), ("Date", date(NOW))])
    assert seconds == retry_after(headers, NOW + wrong_by)


def test_T27_retry_after_without_a_date() -> None:
    """Then the local clock is all there is; and no header asks for nothing."""
    assert retry_after(Headers([("Retry-After", date(NOW + 90))]), NOW) == 90.0
    assert retry_after(Headers(), NOW) is None


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_any_retry_after_is_a_bounded_wait_or_none(text: str) -> None:
    """Whatever a server writes raises nothing, and is never negative."""
    seconds = retry_after(Headers([("Retry-After", text), ("Date", date(NOW))]), NOW)
    assert seconds is None or 0.0 <= seconds <= LONGEST_HEADER
