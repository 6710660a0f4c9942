"""Fixtures of several test files here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.caches import Asker, Place, places
from tests.stores.house import house as house
from tests.stores.house import ledger as ledger
from tests.stores.tokens_file_kit import path as path
from tests.stores.tokens_file_kit import store as store


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A cache in a file; tests of other stores have places of their own."""
    yield from places("sqlite", tmp_path, request)


@pytest.fixture
def process(place: Place) -> Asker:
    """The first process that has it open."""
    return place.process(busy_seconds=0.05)
