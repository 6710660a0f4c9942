"""The rows of lists and watches: a snapshot's time and memory, the iterators' memory, and what idle watches cost."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, Rival, asked, compare, line
from benchmarks.bodies import MOST_PAGES, ORDERS_A_PAGE
from benchmarks.measuring import MeasuringError
from benchmarks.report import Result

__all__ = ["lists_memory", "snapshot", "watches"]

SNAPSHOT_TARGET_BYTES = 450e6
FEW_PAGES, MANY_PAGES = 50, 400
ITERATOR_TARGET = 1.1
"""What 400 pages may take more than 50: nothing, but for what the allocator leaves between."""

WATCHES = 10_000


def snapshot(bench: Bench) -> Iterator[Result]:
    """All pages as one consistent snapshot, all rows in memory at the end."""
    count = bench.pages
    pycurl = bench.side("bare_pycurl", "pages_kept", count, 40)
    return compare(
        bench,
        "snapshot",
        f"a page of 1,000 orders, {count} by client.snapshot",
        bench.side("ours", "snapshot", count, count),
        Rival(f"bare {bench.rival('pycurl')}", pycurl, "longer", 1.5),
        witness=ORDERS_A_PAGE,
    )


def lists_memory(bench: Bench) -> Iterator[Result]:
    """The most memory that a process ever held: it is the same on each run, but for a megabyte."""
    _, _, most = _held(bench, "snapshot", MOST_PAGES)
    what = f"peak memory of a process that takes a snapshot of {MOST_PAGES * ORDERS_A_PAGE:,} orders"
    yield line("lists_memory", what, "bytes", SNAPSHOT_TARGET_BYTES, most)
    _, _, few = _held(bench, "iterate", FEW_PAGES)
    _, _, many = _held(bench, "iterate", MANY_PAGES)
    what = f"peak memory of a process that reads {MANY_PAGES} pages by rows()"
    share = line("lists_memory", what, "longer", ITERATOR_TARGET, many / few, f"one that reads {FEW_PAGES}")
    yield share._replace(ours=None)
    yield line("lists_memory", what, "bytes", None, many)


def _held(bench: Bench, verb: str, pages: int) -> tuple[int, int, int]:
    program = f"from benchmarks.lists import {verb}; print(json.dumps({verb}({bench.server.url!r}, {pages})))"
    rows, before, most = asked(bench, program, bench.core)
    if rows != pages * ORDERS_A_PAGE:
        raise MeasuringError(f"{rows} rows of {pages} pages")
    return rows, before, most


def watches(bench: Bench) -> Iterator[Result]:
    """Ten thousand watches of which nothing changes, in virtual time; the threads of a real client that has them."""
    program = f"from benchmarks.watches import measure; print(json.dumps(measure({WATCHES})))"
    spent = asked(bench, program, bench.core)
    row = "watches"
    yield line(
        row, f"processor time of {WATCHES:,} watches in an hour in which none is due", "seconds", 0.01, spent["idle"]
    )
    looks = f"processor time of a look that finds nothing new, of {WATCHES:,} in an hour"
    yield line(row, looks, "seconds", None, spent["looking"] / WATCHES)
    program = f"from benchmarks.watches import threads; print(json.dumps(threads({WATCHES})))"
    yield line(row, f"threads of a blocking client with {WATCHES:,} watches", "count", 1, asked(bench, program, None))
