"""T20 for every course of edits, restarts, crashes and freedoms of the server: the program has what the server has."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.lists.positions import MemoryPositions
from tests.lists.cursor_kit import JOBS, Desk, Program, versions
from tests.lists.cursor_model import CursorServer, Step

EDITS = st.sampled_from(["add", "edit", "edit", "remove", "none"])
FAULTS = st.sampled_from(["none", "none", "none", "no cursor", "no before", "no after", "old"])
CRASHES = st.sampled_from(["none", "none", "before", "after"])


def steps(faults: st.SearchStrategy[str]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.builds(Step, EDITS, st.integers(0, 20), faults), max_size=30)


def follow(server: CursorServer, program: Program, deaths: Iterator[str], *, atomic: bool = False) -> None:
    """Read on, in a program that dies now and then, until a round without edits, faults and deaths had no more.

    Args:
        atomic: it keeps the position together with the rows.
    """
    store = MemoryPositions()
    while True:
        was_calm = not server.steps
        cursor = Desk(server).cursor(JOBS, store=store)
        for batch in cursor.changes():
            death = next(deaths, "none")
            if death != "before":
                program.keep(batch)
                if atomic:
                    cursor.commit()
            if death != "none":
                break
        else:
            if was_calm:
                return


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 12), st.integers(1, 4), steps(FAULTS), st.booleans(), st.lists(CRASHES, max_size=6))
def test_T20_the_program_has_what_the_server_has(
    records: int, page: int, script: list[Step], at_end: bool, crashes: list[str]
) -> None:
    """Whatever is edited between any two answers, wherever the program dies, with cursors or tokens missing and old
    answers among the new: in the end it has every record as it is. Beside them it may have removed ones.
    """
    server, program = CursorServer(records, page, script, at_end=at_end), Program()
    follow(server, program, iter(crashes))
    assert server.live == {name: version for name, version in program.table.items() if name in server.live}
    assert program.table.keys() - server.live.keys() <= server.removed


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 12), st.integers(1, 4), steps(st.just("none")), st.booleans(), st.lists(CRASHES, max_size=6))
def test_T20_each_state_is_told_once(
    records: int, page: int, script: list[Step], at_end: bool, crashes: list[str]
) -> None:
    """With a server that answers as documented, no state of a record is told twice to a program that keeps the
    position together with the rows, whenever it dies; and who reads the list whole once more has it exactly.
    """
    server, program = CursorServer(records, page, script, at_end=at_end), Program()
    follow(server, program, iter(crashes), atomic=True)
    assert len(program.told) == len({*program.told})
    assert server.live == versions(Desk(server).cursor(JOBS).initial().rows)
