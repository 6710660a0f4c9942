"""Real processes on one token store: no save is lost, whoever is killed."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.tokens import open_tokens
from tests.stores.token_stores import record
from tests.stores.valkey import new_prefix, url_of

ROOT = Path(__file__).parents[2]
WRITERS = 8
SAVES = 50

PATIENCE_SECONDS = 60
"""How long one of many may wait for its turn, on a machine with a slow disk."""

COUNT = f"""
import sys
from esipy.stores.sqlite_tokens import SqliteTokens
from esipy.tokens import open_tokens
name, app = sys.argv[1:3]
path = name.removeprefix("sqlite://")
store = open_tokens(name) if path == name else SqliteTokens(path, busy_seconds={PATIENCE_SECONDS})
print("ready", flush=True)
sys.stdin.readline()
done = 0
while done < int(sys.argv[3]):
    found = store.load(app, 1)
    done += store.save(app, 1, found._replace(sealed=str(int(found.sealed) + 1).encode()), found.version)
print("done", flush=True)
"""

SAVE = """
import os, signal, sys
from esipy.stores.sqlite_tokens import SqliteTokens
from tests.stores.token_stores import APP, record
store, step = SqliteTokens(sys.argv[1]), sys.argv[2]
version = store.load(APP, 1).version
store.lease("one", "another", 0)  # the file is open for writing, too

def stop(statement):
    if statement.startswith(step):
        os.kill(os.getpid(), signal.SIGKILL)

if step:
    store._file._connection.set_trace_callback(stop)
print(version, flush=True)
while True:
    text = f"{version + 1} ".encode() * 4000
    assert store.save(APP, 1, record(sealed=text), version)
    version += 1
    print(version, flush=True)
"""


@pytest.fixture(params=["sqlite", "redis"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of a store that processes share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tokens.sqlite3'}"
    return url_of(request.getfixturevalue("valkey"))


def test_eight_processes_that_save_lose_nothing(named: str) -> None:
    """Each counts one record up fifty times by compare-and-swap."""
    app = new_prefix()
    store = open_tokens(named)
    assert store.save(app, 1, record(sealed=b"0", client_id=app), None)
    with ExitStack() as stack:
        command = [sys.executable, "-c", COUNT, named, app, str(SAVES)]
        workers: list[subprocess.Popen[str]] = []
        for _ in range(WRITERS):
            each = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            workers.append(stack.enter_context(each))
            stack.callback(each.kill)
        for each in workers:
            assert each.stdout is not None
            assert "ready\n" == each.stdout.readline()
        for each in workers:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        for each in workers:
            assert each.stdout is not None
            assert "done\n" == each.stdout.readline()
    found = store.load(app, 1)
    assert found is not None
    assert (str(WRITERS * SAVES).encode(), WRITERS * SAVES + 1) == (found.sealed, found.version)
    assert store.save(app, 1, None, found.version)


def killed(path: Path, step: str, after: int) -> int:
    """The version that a process said last to have saved, before it was killed."""
    command = [sys.executable, "-c", SAVE, str(path), step]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(1 if step else after)]
        if not step:
            process.kill()  # while it saves on
        said += process.stdout.readlines()
        assert -9 == process.wait(60)
    whole = [line for line in said if line.endswith("\n")]
    return int(whole[-1])


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Of a file with one character in it; sound afterwards."""
    path = tmp_path / "tokens.sqlite3"
    with closing(SqliteTokens(path)) as store:
        assert store.save("client-id", 1, record(sealed=b"1 " * 4000), None)
    yield path
    with closing(sqlite3.connect(path)) as file:
        assert ("ok",) == file.execute("PRAGMA integrity_check").fetchone()


def look(path: Path) -> int:
    """The version that is kept; its content is that of this version, all of it."""
    with closing(SqliteTokens(path)) as store:
        found = store.load("client-id", 1)
        assert found is not None
        assert f"{found.version} ".encode() * 4000 == found.sealed
        assert store.lease("client-id 1", "somebody", 5)
        return found.version


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 here")
@pytest.mark.parametrize("step", ["BEGIN", "UPDATE", "COMMIT"])
def test_T38_who_is_killed_before_the_commit_has_changed_nothing(path: Path, step: str) -> None:
    """At each step of a save: the old record is there, and others can save."""
    assert 1 == killed(path, step, 0) == look(path)
    assert 1 == killed(path, step, 0) == look(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 here")
def test_T38_who_is_killed_in_the_midst_of_saves_leaves_the_old_or_the_new(path: Path) -> None:
    """Wherever it was: what it said to be saved is saved, and at most one that it did not come to say."""
    moments = random.Random(5)
    for _ in range(6):
        said = killed(path, "", moments.randint(1, 20))
        assert look(path) in (said, said + 1)
