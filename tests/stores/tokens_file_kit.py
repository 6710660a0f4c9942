"""A file of tokens with one character in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from esipy.stores.sqlite_tokens import SqliteTokens
from tests.stores.token_stores import APP, record

NAME = "tokens.sqlite3"
posix = pytest.mark.skipif(os.name != "posix", reason="rights and limits are of another kind here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of the file, in a folder that is not there yet."""
    return tmp_path / "folder" / NAME


@pytest.fixture
def store(path: Path) -> Iterator[SqliteTokens]:
    """With one character in it."""
    made = SqliteTokens(path, busy_seconds=0.05)
    assert made.save(APP, 1, record(), None)
    yield made
    made.close()
