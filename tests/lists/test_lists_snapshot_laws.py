"""Whatever happens while a list is read: what is given is one version of it, or it is an error."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from esipy.engine.terms import Terms
from esipy.exceptions import APIException
from esipy.lists.pages import PageReader
from esipy.lists.snapshot import Snapshot, snapshot
from esipy.settings import Settings
from tests.lists.kit import TYPES, Shelf, Version

PATIENT = Terms.of(Settings(), max_wait=30.0)


@st.composite
def versions(draw: st.DrawFn) -> list[Version]:
    """Up to five versions, of one to six pages; some pages are the same as before, byte for byte."""
    made: list[Version] = []
    begins = -draw(st.integers(1, 300))
    for number in range(draw(st.integers(1, 5))):
        pages = []
        for place in range(draw(st.integers(1, 6))):
            old = made[-1].pages[place] if made and place < len(made[-1].pages) else None
            is_same = old is not None and draw(st.booleans())
            pages.append(old if old is not None and is_same else [number * 1000 + place * 10 + row for row in range(3)])
        made.append(Version(begins, pages))
        begins = max(begins, 0) + draw(st.integers(1, 12))
    return made


@st.composite
def shelves(draw: st.DrawFn) -> Shelf:
    """A server that changes its list, is slow, loses answers, and has copies of old pages."""
    shelf = Shelf(draw(versions()), draw(st.sampled_from([None, 0.0, 2.0, 60.0])))
    shelf.lags = draw(st.dictionaries(st.integers(1, 6), st.sampled_from([0.5, 3.0, 20.0]), max_size=3))
    shelf.bare = draw(st.booleans())
    shelf.has_etag = draw(st.booleans())
    shelf.has_modified = draw(st.integers(0, 9)) > 0
    happening = st.sampled_from([None, None, None, "lost", 502, 500, 0.3, 2.0, 7.5])
    shelf.outcomes = draw(st.lists(happening, max_size=40))
    return shelf


def fits(shelf: Shelf, rows: list[int], modified: float | None) -> bool:
    """Whether these are the rows of a version, and that which was said to be."""
    return any(rows == one.rows and modified in (one.modified, None) for one in shelf.versions)


@settings(max_examples=120, deadline=None)
@given(shelves(), st.integers(1, 5), st.lists(st.sampled_from([0.0, 1.0, 5.0, 70.0]), min_size=1, max_size=3))
def test_a_snapshot_is_one_version_or_an_error(shelf: Shelf, concurrency: int, pauses: list[float]) -> None:
    """With an empty cache and with one full of old pages; what is incomplete holds pages of one version, too."""
    bench = shelf.bench()

    async def read() -> list[Any]:
        outcomes: list[Any] = []
        for pause in pauses:
            await bench.runtime.sleep(pause)
            try:
                outcomes.append(await snapshot(bench.engine, TYPES, terms=PATIENT, concurrency=concurrency))
            except APIException as error:
                outcomes.append(error)
        return outcomes

    for outcome in shelf.run(read()):
        event("snapshot" if isinstance(outcome, Snapshot) else type(outcome).__name__)
        if isinstance(outcome, Snapshot):
            modified = outcome.last_modified
            assert fits(shelf, outcome.rows, None if modified is None else modified.timestamp()), outcome.rows
            assert (True, {}) == (outcome.consistent, outcome.missing)
        else:
            partial = getattr(outcome, "snapshot", None)
            assert partial is None or any(set(partial.rows) <= set(one.rows) for one in shelf.versions)


@settings(max_examples=60, deadline=None)
@given(shelves(), st.integers(1, 4), st.sampled_from([0.0, 2.0]))
def test_what_an_iterator_gives_is_the_beginning_of_one_version(shelf: Shelf, ahead: int, pause: float) -> None:
    """All of it when it ends, a part of it when it raises, however slowly it is read."""
    bench = shelf.bench()

    async def read() -> tuple[list[int], bool]:
        reader: PageReader[int] = PageReader(bench.engine, TYPES, terms=PATIENT, read_ahead=ahead)
        rows: list[int] = []
        try:
            while some := await reader.read():
                for page in some:
                    rows.extend(page.data)
                    await bench.runtime.sleep(pause)
        except APIException:
            return rows, False
        return rows, True

    rows, is_all = shelf.run(read())
    event("all" if is_all else "a part")
    assert any(rows == (one.rows if is_all else one.rows[: len(rows)]) for one in shelf.versions)
