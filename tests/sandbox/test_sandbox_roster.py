"""Characters and the clock: derived from the seed, by id, for any number of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.sandbox.characters import FIRST_ALLIANCE, FIRST_CHARACTER, FIRST_CORPORATION, Roster
from esipy.sandbox.clock import Clock
from esipy.sandbox.journal import unversioned


def test_the_same_seed_gives_the_same_people() -> None:
    """Two rosters of one seed are equal, those of two seeds are not."""
    assert list(Roster(3)) == list(Roster(3))
    assert [person.name for person in Roster(3)] != [person.name for person in Roster(4)]
    assert [person.owner for person in Roster(3)] != [person.owner for person in Roster(4)]


@given(st.integers(0, 2**31), st.integers(1, 3000))
def test_names_and_owners_never_repeat(seed: int, size: int) -> None:
    """However many there are, each has a name and an owner hash of its own."""
    people = list(Roster(seed, size))
    assert size == len({person.name for person in people}) == len({person.owner for person in people})


def test_a_person_does_not_depend_on_the_size() -> None:
    """A larger roster has the same first characters."""
    assert list(Roster(1, 10)) == list(Roster(1, 10_000))[:10]


def test_corporations_and_alliances_hang_together() -> None:
    """Five to a corporation, two corporations to an alliance, some corporations without one."""
    people = list(Roster(1, 40))
    assert [person.corporation_id for person in people[:6]] == [FIRST_CORPORATION] * 5 + [FIRST_CORPORATION + 1]
    assert people[0].alliance_id == people[5].alliance_id == FIRST_ALLIANCE
    assert people[15].alliance_id is None
    for person in people:
        assert person.character_id in Roster(1, 40).members(person.corporation_id)
    assert list(Roster(1, 7).members(FIRST_CORPORATION + 1)) == [FIRST_CHARACTER + 5, FIRST_CHARACTER + 6]
    assert list(Roster(1, 7).members(FIRST_CORPORATION + 2)) == []
    assert list(Roster(1, 7).members(1)) == []


def test_nobody_else_is_there() -> None:
    """An id outside the roster is an error that tells which there are."""
    roster = Roster(1, 10)
    assert FIRST_CHARACTER in roster
    assert FIRST_CHARACTER + 10 not in roster
    assert "x" not in roster
    with pytest.raises(KeyError, match=str(FIRST_CHARACTER + 9)):
        roster.get(FIRST_CHARACTER + 10)
    with pytest.raises(ValueError, match="at least one"):
        Roster(1, 0)


def test_selling_changes_the_owner_only() -> None:
    """A sale changes one character's owner hash, each time."""
    roster = Roster(1, 10)
    before = roster.get(FIRST_CHARACTER)
    once = roster.sell(FIRST_CHARACTER)
    twice = roster.sell(FIRST_CHARACTER)
    assert 3 == len({before.owner, once.owner, twice.owner})
    assert before.name == twice.name
    assert Roster(1, 10).get(FIRST_CHARACTER + 1) == roster.get(FIRST_CHARACTER + 1)


def test_the_clock_is_real_time_and_what_was_added() -> None:
    """It starts as real time, goes as fast, and moves forward when told."""
    clock = Clock()
    assert clock.now() == pytest.approx(time.time(), abs=5)
    assert clock.http_date().endswith(" GMT")
    assert clock.advance(3600.5) == pytest.approx(time.time() + 3600.5, abs=5)
    assert 3600.5 == clock.offset_seconds
    for seconds in (-1, float("nan")):
        with pytest.raises(ValueError, match="only goes forward"):
            clock.advance(seconds)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/status", "/status"),
        ("/status/", "/status"),
        ("/latest/status/", "/status"),
        ("/legacy/a/b/", "/a/b"),
        ("/dev/a", "/a"),
        ("/v12/a/", "/a"),
        ("/v2/oauth/token", "/v2/oauth/token"),
        ("/", "/"),
        ("/latest", "/latest"),
        ("/vx/a", "/vx/a"),
    ],
)
def test_old_paths_are_the_same_paths(path: str, expected: str) -> None:
    """Old version prefixes and the last slash do not matter when paths are compared; the SSO's version does."""
    assert expected == unversioned(path)
