"""Logins that were begun in a session: found by their state, once, in time."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from esipy.exceptions import LoginFailedError
from esipy.sso.begun import AT_ONCE, KEY, LIFETIME_SECONDS, Begun, keep, require_session, take

NOW = 1_790_000_000.0


class Noticing(dict[str, Any]):
    """A session as frameworks have them: it is kept when an entry is set or deleted, as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = "{}"

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.kept = json.dumps(self)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.kept = json.dumps(self)


def test_a_login_is_found_once() -> None:
    """By its state; then it is gone, and so is the entry."""
    session: dict[str, Any] = {"mine": 1}
    keep(session, Begun("s", NOW, "verifier"))
    assert Begun("s", NOW, "verifier") == take(session, "s", NOW + 1)
    assert {"mine": 1} == session
    with pytest.raises(
        LoginFailedError, match="was begun here, or to one that is over: begin the login anew"
    ) as failed:
        take(session, "s", NOW + 1)
    assert "state" == failed.value.reason


@pytest.mark.parametrize("state", [None, "", "t", "S", "s ", "é", "\ud800"])
def test_another_state_finds_nothing_and_takes_nothing(state: str | None) -> None:
    """A forged callback does not end the login that is under way."""
    session: dict[str, Any] = {}
    keep(session, Begun("s", NOW, None))
    with pytest.raises(LoginFailedError) as failed:
        take(session, state, NOW)
    assert "state" == failed.value.reason
    assert "s" == take(session, "s", NOW).state


def test_a_session_remembers_by_being_set() -> None:
    """Each change is one that frameworks notice, and fits into JSON."""
    session = Noticing()
    keep(session, Begun("s", NOW, None))
    keep(session, Begun("t", NOW, "verifier"))
    assert [["s", NOW, None], ["t", NOW, "verifier"]] == json.loads(session.kept)[KEY]
    take(session, "s", NOW)
    assert [["t", NOW, "verifier"]] == json.loads(session.kept)[KEY]
    take(session, "t", NOW)
    assert "{}" == session.kept


def test_logins_of_several_tabs_are_kept_up_to_a_bound() -> None:
    """The last ones count, whichever comes back first; a session never outgrows a cookie."""
    session: dict[str, Any] = {}
    for number in range(50):
        keep(session, Begun(f"{number:043}", NOW + number, "v" * 86))
    assert AT_ONCE == len(session[KEY])
    assert len(json.dumps(session)) < 1000
    for number in (47, 49, 45, 46, 48):
        assert f"{number:043}" == take(session, f"{number:043}", NOW + 50).state
    with pytest.raises(LoginFailedError):
        take(session, f"{44:043}", NOW + 50)


@pytest.mark.parametrize("seconds", [LIFETIME_SECONDS + 1, -LIFETIME_SECONDS - 1])
def test_a_login_is_over_after_ten_minutes(seconds: float) -> None:
    """It is told apart, so that the user knows why; it is gone then. A clock that was set back ends it, too."""
    session: dict[str, Any] = {}
    keep(session, Begun("s", NOW, None))
    keep(session, Begun("t", NOW + seconds / 2, None))
    with pytest.raises(LoginFailedError, match="took longer than 10 minutes, and is over: begin it anew") as failed:
        take(session, "s", NOW + seconds)
    assert "state" == failed.value.reason
    assert ["t"] == [entry[0] for entry in session[KEY]]


def test_a_login_is_good_for_ten_minutes() -> None:
    """To the end of it."""
    session: dict[str, Any] = {}
    keep(session, Begun("s", NOW, None))
    assert "s" == take(session, "s", NOW + LIFETIME_SECONDS).state


def test_what_is_over_makes_room() -> None:
    """With the next login that begins."""
    session: dict[str, Any] = {}
    keep(session, Begun("s", NOW, None))
    keep(session, Begun("t", NOW + LIFETIME_SECONDS + 1, None))
    assert ["t"] == [entry[0] for entry in session[KEY]]


@pytest.mark.parametrize("session", [None, "text", 7, [], (), frozenset()], ids=lambda given: type(given).__name__)
def test_what_keeps_nothing_is_no_session(session: Any) -> None:
    """It is a mistake of the program, and named as one."""
    with pytest.raises(TypeError, match=f"session: has to be the session.*{type(session).__name__} keeps nothing"):
        require_session(session)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@given(st.one_of(JSON, st.lists(st.tuples(st.text(), st.floats() | JSON, st.none() | st.text()))), st.text())
def test_whatever_a_session_holds_breaks_nothing(entry: Any, state: str) -> None:
    """Another program's entry, an older version's: what is no login is none, and a new one can be begun."""
    session: dict[str, Any] = {KEY: entry}
    with suppress(LoginFailedError):
        take(session, state, NOW)
    keep(session, Begun("mine", NOW, None))
    assert "mine" == take(session, "mine", NOW).state


class Logins(RuleBasedStateMachine):
    """Two sessions, logins that begin in either, and callbacks that come to either, at any time: as a model says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.sessions: list[dict[str, Any]] = [{}, {}]
        self.alive: list[list[tuple[str, float]]] = [[], []]
        self.states: list[str] = []

    @rule(session=st.integers(0, 1))
    def begin(self, session: int) -> None:
        """A login begins: of those that are not over the last five are kept."""
        self.states.append(f"state {len(self.states)}")
        keep(self.sessions[session], Begun(self.states[-1], self.now, None))
        alive = [entry for entry in self.alive[session] if self.now - entry[1] <= LIFETIME_SECONDS]
        self.alive[session] = [*alive, (self.states[-1], self.now)][-AT_ONCE:]

    @precondition(lambda self: self.states)
    @rule(session=st.integers(0, 1), data=st.data())
    def come_back(self, session: int, data: st.DataObject) -> None:
        """A callback comes: good in its own session, once, in time."""
        state = data.draw(st.sampled_from(self.states))
        began = dict(self.alive[session]).get(state)
        good = began is not None and self.now - began <= LIFETIME_SECONDS
        try:
            found = take(self.sessions[session], state, self.now).state
        except LoginFailedError:
            found = None
        assert (state if good else None) == found
        self.alive[session] = [entry for entry in self.alive[session] if entry[0] != state]

    @rule(seconds=st.sampled_from([1, 60, 299, 301, 600]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds

    @rule()
    def restart(self) -> None:
        """The sessions are kept elsewhere, as JSON."""
        self.sessions = json.loads(json.dumps(self.sessions))

    @invariant()
    def fits_into_a_cookie(self) -> None:
        """However many have begun."""
        assert all(len(session.get(KEY, ())) <= AT_ONCE for session in self.sessions)


TestLogins = Logins.TestCase
TestLogins.settings = settings(max_examples=40, stateful_step_count=30)
