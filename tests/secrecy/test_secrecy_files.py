"""Files of this library are their owner's alone, wherever they are made (docs/security.md)."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from esipy.cache import FileCache
from esipy.core.answer import Answer
from esipy.core.wire import Headers
from esipy.stores.base import Ask
from esipy.stores.positions import SqlitePositions
from esipy.stores.sqlite_cache import SqliteCache
from esipy.stores.sqlite_ledger import SqliteLedger
from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.stores.tokens import TokenRecord


@pytest.mark.skipif(os.name != "posix", reason="other systems have other rights")
def test_what_is_kept_in_files_is_its_owners_alone(tmp_path: Path) -> None:
    """Also in a folder that others may read, as a home is on many machines; files without content do not matter."""
    tmp_path.chmod(0o755)
    with ExitStack() as opened:
        tokens = opened.enter_context(closing(SqliteTokens(tmp_path / "tokens.sqlite3")))
        assert tokens.save("app", 1, TokenRecord("app", 1, "One", "hash", (), "ok", 0.0, 0.0, b"sealed"), None)
        answers = opened.enter_context(closing(SqliteCache(tmp_path / "answers.sqlite3")))
        answers.put("key", Answer(200, Headers(), b"{}", "network", 60.0), "/path", lambda: 0.0)
        limits = opened.enter_context(closing(SqliteLedger(tmp_path / "limits.sqlite3")))
        limits.reserve(Ask("group principal", "", 10, 60, 1, 1))
        positions = opened.enter_context(closing(SqlitePositions(tmp_path / "positions.sqlite3")))
        positions.save("name", "position")
        values = FileCache(str(tmp_path / "made"))
        values.set("key", "value")
        (tmp_path / "given").mkdir(0o755)
        others = FileCache(str(tmp_path / "given"))
        others.set("key", "value")

        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]
        assert {"tokens.sqlite3", "answers.sqlite3", "limits.sqlite3", "positions.sqlite3"} <= {
            path.name for path in files
        }
        assert [] == [str(path) for path in files if path.stat().st_mode & 0o077]
