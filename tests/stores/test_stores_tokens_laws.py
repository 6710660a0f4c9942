"""Laws of token stores: any interleaving of several writers' verbs is that of a simple model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esipy.stores.tokens import TokenRecord
from tests.stores.token_stores import Shelf, record, shelf

WRITERS = 3
_runs = itertools.count(1)

writers = st.integers(0, WRITERS - 1)
characters = st.integers(1, 2)
verbs = st.one_of(
    st.tuples(st.just("load"), writers, characters),
    st.tuples(st.just("save"), writers, characters),
    st.tuples(st.just("remove"), writers, characters),
    st.tuples(st.just("records"), writers, st.booleans()),
    st.tuples(st.just("lease"), writers, st.integers(1, 2), st.sampled_from([0.0, 1.0, 5.0])),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 4.0])),
)


class Model:
    """What a store has to be, in a few lines. Each writer remembers what it has seen last of a character."""

    def __init__(self, place: Shelf, client_id: str) -> None:
        self.client_id = client_id
        self.clock = place.clock
        self.stores = [place.open() for _ in range(WRITERS)]
        self.kept: dict[int, TokenRecord] = {}
        self.seen: dict[tuple[int, int], int | None] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        self.numbers = itertools.count(1)

    def load(self, writer: int, character_id: int) -> None:
        """It sees what is there now."""
        found = self.stores[writer].load(self.client_id, character_id)
        assert self.kept.get(character_id) == found
        self.seen[writer, character_id] = None if found is None else found.version

    def save(self, writer: int, character_id: int) -> None:
        """It is done if nobody else has saved since it looked."""
        given = record(character_id, f"{next(self.numbers)}".encode(), client_id=self.client_id)
        self._put(writer, character_id, given)

    def remove(self, writer: int, character_id: int) -> None:
        """Likewise; who has seen nothing has nothing to remove."""
        if self.seen.get((writer, character_id)) is not None:
            self._put(writer, character_id, None)

    def _put(self, writer: int, character_id: int, given: TokenRecord | None) -> None:
        expected = self.seen.get((writer, character_id))
        there = self.kept.get(character_id)
        done = self.stores[writer].save(self.client_id, character_id, given, expected)
        assert done is ((None if there is None else there.version) == expected)
        if done:
            self.kept.pop(character_id, None)
            version = None
            if given is not None:
                version = (expected or 0) + 1
                self.kept[character_id] = given._replace(version=version)
            self.seen[writer, character_id] = version

    def records(self, writer: int, all_of_them: bool) -> None:
        """All that is there, in order."""
        found = self.stores[writer].records(None if all_of_them else self.client_id)
        wanted = [self.kept[character_id] for character_id in sorted(self.kept)]
        assert wanted == [each for each in found if each.client_id == self.client_id]

    def lease(self, writer: int, number: int, seconds: float) -> None:
        """It is had if it is free, or one's own."""
        name, holder = f"{self.client_id} {number}", f"writer {writer}"
        there, until = self.leases.get(name, ("", 0.0))
        held = until > self.clock.now
        got = self.stores[writer].lease(name, holder, seconds)
        if seconds:
            assert got is (not held or there == holder)
        else:
            assert got is (held and there == holder)
        if got:
            self.leases[name] = (holder, self.clock.now + seconds)

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.wait(seconds)


@pytest.fixture(params=["memory", "sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """Each store of the library."""
    with shelf(request.param, tmp_path, lambda: request.getfixturevalue("valkey")) as made:
        yield made


def test_any_interleaving_is_that_of_the_model(place: Shelf) -> None:
    """Three writers, two characters, two leases, and time."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(verbs, max_size=40))
    def holds(steps: list[tuple[Any, ...]]) -> None:
        model = Model(place, f"run{next(_runs)}")
        for verb, *arguments in steps:
            getattr(model, verb)(*arguments)

    holds()
