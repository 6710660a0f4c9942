"""The rules of trying again: the table in `esipy.retries`, exhaustively, and what they are composed of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy import ops, retries
from esipy.engine.retrying import pause_after
from esipy.exceptions import (
    AnswerTimeoutError,
    AnswerTooLargeError,
    BrokenAnswerError,
    ConnectError,
    NetworkError,
    SettingError,
)
from esipy.retries import (
    Failure,
    Rule,
    at_most,
    broken_connections,
    either,
    fixed_pauses,
    full_jitter,
    limited,
    rule_for,
    standard,
    transient_statuses,
    version_1,
)

URL = "https://esi.evetech.net/status"
CALL = ops.status.get_status()
PATIENCE_SECONDS = 120.0
READS = ("GET", "HEAD")
WRITES = ("POST", "PUT", "DELETE")
METHODS = READS + WRITES
NETWORK = [
    kind(URL, "because", sent=sent) for kind in (AnswerTimeoutError, BrokenAnswerError) for sent in (True, False)
]
LARGE = AnswerTooLargeError(URL, "more than 64 MiB")
OUTCOMES: list[int | NetworkError] = [*range(400, 600), *NETWORK, ConnectError(URL, "refused"), LARGE]


def always(failure: Failure) -> float:
    """A rule that does what no rule should."""
    return 0.0


methods = st.sampled_from(METHODS)
outcomes = st.sampled_from(OUTCOMES)
rules = st.one_of(
    st.sampled_from([standard(), version_1(), always]),
    st.builds(standard, st.integers(0, 50)),
    st.builds(full_jitter, st.just(always)),
)
randoms = st.floats(0, 1, exclude_max=True)
asked = st.none() | st.floats(0, 4000)
moments = st.none() | st.just(1785844800.0)
failures = st.builds(Failure, st.just(CALL), methods, outcomes, st.integers(1, 5000), asked, randoms, moments)


def pause(rule: Rule, failure: Failure) -> float | None:
    return pause_after(rule, failure, PATIENCE_SECONDS, held=failure.limited)


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
@pytest.mark.parametrize(("rule", "every_5xx"), [(standard(), False), (version_1(), True)])
def test_T32_the_whole_table(method: str, rule: Rule, every_5xx: bool) -> None:
    """Every status of 400-599 and every kind of network error, for every method."""
    again = [outcome for outcome in OUTCOMES if pause(rule, Failure(CALL, method, outcome)) is not None]
    assert [outcome for outcome in OUTCOMES if expected(method, outcome, every_5xx)] == again


@given(rules, failures)
def test_T32_what_may_have_been_done_is_never_done_again(rule: Rule, failure: Failure) -> None:
    """A write is repeated only when nothing was sent, or when 429 or 420 came first: whatever the rule says."""
    if failure.method in WRITES and pause(rule, failure) is not None:
        outcome = failure.outcome
        assert outcome in (420, 429) if isinstance(outcome, int) else not outcome.sent


@pytest.mark.parametrize("method", METHODS)
def test_T32_a_520_of_a_limit_is_repeated_for_reads_only(method: str) -> None:
    """The game server refused, but says nothing of what it did before: a write may be half done."""
    failure = Failure(CALL, method, 520, asked_seconds=5.0, retry_at=datetime(2026, 8, 4, 12, 0, 5, tzinfo=UTC))
    assert failure.limited
    assert (0.0 if method in READS else None) == pause(standard(), failure)


@given(rules, failures)
def test_T32_pauses_are_bounded(rule: Rule, failure: Failure) -> None:
    """Never negative, never shorter than what was asked (but for a limit's), and 30 s longer at the most."""
    seconds = pause(rule, failure)
    if seconds is not None:
        assert 0.0 <= seconds <= PATIENCE_SECONDS + 30.0
        assert failure.asked_seconds is None or failure.asked_seconds <= PATIENCE_SECONDS
        assert failure.limited or seconds >= (failure.asked_seconds or 0.0)


@given(st.integers(0, 50), failures)
def test_at_most_is_a_bound(retries: int, failure: Failure) -> None:
    """So many retries of a call, and no more."""
    expected_seconds = 0.0 if failure.attempt <= retries else None
    assert expected_seconds == at_most(retries, always)(failure)


def test_T32_the_pause_doubles_up_to_its_bound() -> None:
    """Half a second, one, two ... of which a random part is waited: callers that failed together come back apart."""
    rule = standard(9)
    assert [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, None] == [
        rule(Failure(CALL, "GET", 503, attempt, random=0.5)) for attempt in range(1, 11)
    ]
    assert rule(Failure(CALL, "GET", 503, random=0.0)) == 0.0
    assert full_jitter(always)(Failure(CALL, "GET", 503, 10**9, random=0.5)) == 15.0


def test_version_1_has_the_pauses_of_version_1() -> None:
    """Five tries: four pauses, the same each time."""
    failures = [Failure(CALL, "GET", 500, attempt, random=attempt / 10) for attempt in range(1, 6)]
    assert [0.01, 0.16, 0.81, 2.56, None] == [version_1()(failure) for failure in failures]


def test_what_the_server_asks_is_a_floor_under_the_jitter() -> None:
    """Those who were told the same moment do not come back at the same moment; 429 and 420 are waited for elsewhere."""
    failures = [Failure(CALL, "GET", 503, asked_seconds=7.0, random=random) for random in (0.0, 0.5)]
    assert [7.0, 7.25] == [pause(standard(), failure) for failure in failures]
    assert [0.0, 0.0] == [pause(standard(), Failure(CALL, "GET", status, asked_seconds=7.0)) for status in (420, 429)]


@pytest.mark.parametrize("status", [420, 429, 503])
def test_nobody_waits_beyond_their_patience(status: int) -> None:
    """Of what the server asks, 120 seconds are waited, a tenth more is not."""
    waits = [Failure(CALL, "GET", status, asked_seconds=seconds, random=0.0) for seconds in (120.0, 120.1)]
    assert [True, False] == [pause(standard(), failure) is not None for failure in waits]


def test_who_waits_for_no_limit_still_has_retries() -> None:
    """Patience is about limits and ``Retry-After``; the pauses are the rule's."""
    failures = [
        Failure(CALL, "GET", 503),
        Failure(CALL, "GET", 503, asked_seconds=0.1),
        Failure(CALL, "GET", 429, 1, 9.0),
    ]
    assert [0.25, None, None] == [pause_after(standard(), failure, 0.0, held=failure.limited) for failure in failures]


def test_who_is_held_back_by_no_limit_waits_for_what_it_asked_like_for_anything() -> None:
    """Up to the same two minutes, and apart from others who were refused at that moment."""
    failures = [Failure(CALL, "GET", 429, asked_seconds=seconds, random=0.5) for seconds in (7.0, 120.0, 120.1)]
    assert [7.5, 120.5, None] == [pause_after(standard(), failure, 960.0, held=False) for failure in failures]


def test_rules_compose() -> None:
    """The first that tries again decides; each verb takes the rule that it wraps as it is."""

    def odd(failure: Failure) -> float | None:
        return 2.0 if failure.outcome == 500 else None

    rule = at_most(5, either(standard(), odd))
    got = [rule(Failure(CALL, "GET", status, attempt)) for attempt in (1, 4, 6) for status in (404, 429, 500, 503)]
    assert [None, 0.0, 2.0, 0.25, None, None, 2.0, None, None, None, None, None] == got
    assert either()(Failure(CALL, "GET", 503)) is None
    assert [1.0, 2.0, 2.0] == [fixed_pauses(always, 1.0, 2.0)(Failure(CALL, "GET", 503, n)) for n in (1, 2, 3)]
    assert full_jitter(odd)(Failure(CALL, "GET", 503)) is None
    assert full_jitter(odd, base_seconds=8, longest_seconds=4)(Failure(CALL, "GET", 500, random=0.25)) == 1.0


def test_what_rules_are_made_of() -> None:
    """Statuses of one's choice, broken connections of any kind, refusals of any kind: each by itself."""
    parts = (transient_statuses(), transient_statuses(500), broken_connections(), limited())
    seen: list[Any] = [502, 500, *NETWORK, LARGE, 420, 429]
    got = [[n for n, part in enumerate(parts) if part(Failure(CALL, "GET", outcome)) is not None] for outcome in seen]
    assert [[0], [1], [2], [2], [2], [2], [], [3], [3]] == got


@pytest.mark.parametrize(
    ("word", "retries"),
    [(None, {503: 3, 500: 0, 429: 3}), (False, {503: 0, 500: 0, 429: 0}), (True, {503: 4, 500: 4, 429: 4})],
)
def test_retry_requests_as_a_rule(word: bool | None, retries: dict[int, int]) -> None:
    """None: three retries of what is safe; False: none; True: five tries, and any 5xx is passing."""
    rule = rule_for(word)
    assert retries == {
        status: sum(rule(Failure(CALL, "GET", status, attempt)) is not None for attempt in range(1, 9))
        for status in retries
    }


def test_a_rule_of_ones_own_is_taken_as_it_is() -> None:
    """And what is none is refused before anything is sent."""
    assert rule_for(always) is always
    wrong: Any
    for wrong in ("yes", 3, 0.5):
        with pytest.raises(SettingError, match="retry_requests="):
            rule_for(wrong)


@pytest.mark.parametrize("seconds", [(), (1.0, -1.0), (float("nan"),), (1.0, float("inf"))])
def test_pauses_that_cannot_be_meant_are_refused_at_once(seconds: tuple[float, ...]) -> None:
    """When the rule is made, not when the first call fails: none, and what nobody can wait for."""
    with pytest.raises(SettingError, match=r"^fixed_pauses: "):
        fixed_pauses(standard(), *seconds)


@pytest.mark.parametrize("wrong", [-1, True, "3", None, standard, float("nan")])
def test_numbers_that_cannot_be_meant_are_refused_when_the_rule_is_made(wrong: Any) -> None:
    """Of retries, and of the seconds of a pause; the text names the part."""
    with pytest.raises(SettingError, match=r"^at_most: .* has to be a number of retries, 0 or above"):
        standard(wrong)
    for keyword in ("base_seconds", "longest_seconds"):
        with pytest.raises(SettingError, match=r"^full_jitter: .* has to be a number of seconds, 0 or above"):
            full_jitter(standard(), **{keyword: wrong})
    with pytest.raises(SettingError, match=r"^fixed_pauses: "):
        fixed_pauses(standard(), wrong)


@pytest.mark.parametrize("wrong", [None, 3, "often"])
def test_what_is_no_rule_is_refused_when_the_rule_is_made(wrong: Any) -> None:
    """Wherever one is wrapped; the text names the verb."""
    ways = {
        "either": lambda: either(standard(), wrong),
        "at_most": lambda: at_most(1, wrong),
        "full_jitter": lambda: full_jitter(wrong),
        "fixed_pauses": lambda: fixed_pauses(wrong, 1.0),
    }
    for verb, make in ways.items():
        with pytest.raises(SettingError, match=rf"^{verb}: {wrong!r} has to be a rule"):
            make()


# The last is what a rule gives that is a maker of rules, whose brackets were forgotten.
@pytest.mark.parametrize("given_back", [True, False, -1.0, float("nan"), float("inf"), "soon", broken_connections()])
def test_a_rule_that_gives_no_pause_is_told(given_back: Any) -> None:
    """False would mean "at once", which nobody means by it; and for ever is no pause."""
    with pytest.raises(TypeError, match=r"^retry_requests: the rule gave .*: has to be seconds, or None for no retry"):
        pause(lambda _: given_back, Failure(CALL, "GET", 503))


def test_no_rule_is_asked_where_it_cannot_decide() -> None:
    """What may have been done is final, whatever a rule would say."""
    asked_for: list[Failure] = []

    def rule(failure: Failure) -> float | None:
        asked_for.append(failure)
        return 0.0

    assert pause(rule, Failure(CALL, "POST", 502)) is None
    assert [] == asked_for


def test_the_docs_hold_the_same_table() -> None:
    """docs/retries.md repeats the table of the module's docstring."""
    lines = (retries.__doc__ or "").replace("``", "`").splitlines()
    borders = [number for number, line in enumerate(lines) if line.startswith("===")]
    rows = [re.split(r"  +", line) for line in lines[borders[0] + 1 : borders[2]] if not line.startswith("===")]
    assert len(rows) == 8
    page = (Path(__file__).parents[1] / "docs" / "retries.md").read_text(encoding="utf-8")
    told = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    start = told.index(rows[0])
    assert rows == told[start : start + len(rows)]
