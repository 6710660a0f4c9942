"""Where cursors keep their positions, and when: what a program that dies is told by the next run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from esipy import EsiClient
from esipy.core.cursors import Position
from esipy.exceptions import InvalidCallError
from esipy.lists.positions import MemoryPositions
from esipy.sandbox import RunningSandbox
from esipy.stores.base import StoreUnavailable
from tests.client.colours import UA
from tests.engine.kit import Script, answer
from tests.lists.cursor_kit import JOBS, PATH, Desk, Program, ids, versions
from tests.lists.cursor_model import CursorServer, job

CORPORATION = 98000001


def test_the_next_run_goes_on(tmp_path: Path) -> None:
    """What was taken is told to no later run; what changed since is."""
    server, store = CursorServer(7), f"sqlite:///{tmp_path / 'positions.sqlite3'}"
    program = Program()
    for batch in Desk(server).cursor(JOBS, name="jobs", store=store).changes():
        program.keep(batch)
    server.change("edit", 2)
    server.change("add")
    before = len(program.told)
    for batch in Desk(server).cursor(JOBS, name="jobs", store=store).changes():
        assert not batch.whole
        program.keep(batch)
    assert (server.live, 2) == (program.table, len(program.told) - before)
    assert [] == list(Desk(server).cursor(JOBS, name="jobs", store=store).changes())


def test_a_batch_is_taken_when_the_next_is_asked_for() -> None:
    """Not before: a loop that was left is given its last batch again, by this cursor and by the next run."""
    server, store = CursorServer(3, page=2), MemoryPositions()
    cursor = Desk(server).cursor(JOBS, name="jobs", store=store)
    list(cursor.changes())
    for _ in range(6):
        server.change("add")
    given = []
    for batch in cursor.changes():
        given.append(versions(batch.rows))
        if len(given) == 2:
            break
    assert {"job-4": 4, "job-5": 5} == given[0]
    assert "m5" == (cursor.position() or server).after  # type: ignore[union-attr]
    assert given[1] == versions(next(cursor.changes()).rows)
    assert given[1] == versions(next(Desk(server).cursor(JOBS, name="jobs", store=store).changes()).rows)


def test_commit_takes_what_was_given() -> None:
    """Who leaves a loop on purpose says so."""
    server, store = CursorServer(3, page=2), MemoryPositions()
    cursor = Desk(server).cursor(JOBS, store=store)
    cursor.initial()
    assert None is Desk(server).cursor(JOBS, store=store).position()
    cursor.commit()
    for _ in range(6):
        server.change("add")
    for _ in cursor.changes():
        cursor.commit()
        break
    cursor.commit()  # there is nothing more to take
    assert {"job-6": 6, "job-7": 7} == versions(next(Desk(server).cursor(JOBS, store=store).changes()).rows)


def test_what_a_loop_left_is_not_taken_by_a_later_commit() -> None:
    """Once another loop has begun, the batch of the one that was left is none that was given last."""
    server = CursorServer(3, page=2)
    cursor = Desk(server).cursor(JOBS)
    list(cursor.changes())
    server.change("add")
    assert ["job-4"] == ids(next(cursor.changes()).rows)
    server.change("remove", 3)
    assert [] == list(cursor.changes())
    cursor.commit()
    assert Position(PATH, "m3") == cursor.position()


def test_the_newest_token_counts_even_without_rows() -> None:
    """That of an empty answer is kept and saved."""
    row, store = job("job-1", 1), MemoryPositions()
    script = Script(
        answer({"freelance_jobs": [row], "cursor": {"before": "b", "after": "m1"}}),
        answer({"freelance_jobs": []}),
        answer({"freelance_jobs": [], "cursor": {"before": "b", "after": "m7"}}),
    )
    cursor = Desk(script).cursor(JOBS, name="jobs", store=store)
    assert [["job-1"]] == [ids(batch.rows) for batch in cursor.changes()]
    assert Position(PATH, "m7") == cursor.position() == Position.parse(store.load("jobs") or "")


def test_initial_is_taken_by_the_loop_that_follows() -> None:
    """A program that dies between the two begins anew."""
    server, store = CursorServer(5), MemoryPositions()
    cursor = Desk(server).cursor(JOBS, name="jobs", store=store)
    cursor.initial()
    assert None is store.load("jobs")
    assert [] == list(cursor.changes())
    assert f'["{PATH}","m5"]' == store.load("jobs")


def test_initial_reads_anew_whatever_is_kept() -> None:
    """Also when what is kept is of another list, or nonsense: that is an error of `changes`, which `initial` mends."""
    server, store = CursorServer(4), MemoryPositions()
    for text in ("nonsense", '["/corporations/98000001/projects","m2"]'):
        store.save("jobs", text)
        cursor = Desk(server).cursor(JOBS, name="jobs", store=store)
        with pytest.raises(InvalidCallError, match="begin anew"):
            next(cursor.changes())
        assert server.live == versions(cursor.initial().rows)
        assert [] == list(cursor.changes())


def test_a_position_that_is_given_counts() -> None:
    """As a value or a text, in the place of what the store has; from then on the store follows."""
    server, store = CursorServer(6), MemoryPositions()
    store.save("jobs", f'["{PATH}","m6"]')
    for position in (Position(PATH, "m4"), f'["{PATH}","m4"]'):
        cursor = Desk(server).cursor(JOBS, name="jobs", store=store, position=position)
        assert {"job-5": 5, "job-6": 6} == versions(next(cursor.changes()).rows)


@pytest.mark.parametrize("position", [5, b"m7", ("m7",)])
def test_what_is_no_position_is_refused_at_once(position: Any) -> None:
    """Not when the list is read."""
    with pytest.raises(InvalidCallError, match="has to be a batch's position, or its text"):
        EsiClient(headers=UA).cursor(JOBS, position=position)


def test_the_name_is_the_lists_own_address() -> None:
    """Two lists in one store do not meet; pages of another size are the same list."""
    server, store = CursorServer(6), MemoryPositions()
    desk = Desk(server)
    list(desk.cursor(JOBS, store=store).changes())
    assert None is desk.cursor(JOBS.replace(corporation_id=CORPORATION), store=store).position()
    assert None is Desk(server, settings={"base_url": "http://localhost:1"}).cursor(JOBS, store=store).position()
    assert Position(PATH, "m6") == desk.cursor(JOBS.replace(limit=50), store=store).position()


def test_a_store_that_fails_is_told_and_nothing_is_lost() -> None:
    """The batch whose position could not be saved is given again."""

    class Failing(MemoryPositions):
        broken = False

        def save(self, name: str, position: str) -> None:
            if self.broken:
                raise StoreUnavailable("the disk is full")
            super().save(name, position)

    server, store = CursorServer(2), Failing()
    cursor = Desk(server).cursor(JOBS, store=store)
    list(cursor.changes())
    server.change("add")
    store.broken = True
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        list(cursor.changes())
    store.broken = False
    assert {"job-3": 3} == versions(next(cursor.changes()).rows)


CRASHING = """
import os, sys
from esipy import EsiClient, ops
client = EsiClient(base_url=sys.argv[1], headers={"User-Agent": "esipy-tests/1.0 (tests@example.com)"})
kept = open(sys.argv[3], "a", buffering=1)
for batch in client.cursor(ops.freelance_jobs.get_freelance_jobs_listing(), name="jobs", store=sys.argv[2]).changes():
    for row in batch.rows:
        kept.write(row.id + "\\n")
    if len(batch.rows) == 100:
        os._exit(9)  # after the first batch of news, before the next one is asked for
"""


def test_a_program_that_is_killed_loses_nothing(box: RunningSandbox, tmp_path: Path) -> None:
    """Killed with a batch in hand: the next run is given that batch again, and all that came after it."""
    kept = tmp_path / "kept"

    def run() -> tuple[int, list[str]]:
        before = kept.read_text().splitlines() if kept.exists() else []
        arguments = [box.url, f"sqlite:///{tmp_path / 'positions.sqlite3'}", str(kept)]
        done = subprocess.run([sys.executable, "-c", CRASHING, *arguments], check=False, timeout=60)
        return done.returncode, kept.read_text().splitlines()[len(before) :]

    status, first = run()
    assert (0, box.versions(PATH)[-1]) == (status, first)
    added = box.add(PATH, 130)
    assert (9, added[:100]) == run()
    assert (9, added[:100]) == run()
