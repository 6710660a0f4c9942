"""The rows: what is measured against what, with the targets of the project's speed budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import starting
from benchmarks.bench import NOT_HERE, Bench, Rival, asked, compare, line
from benchmarks.bodies import ORDERS_A_PAGE
from benchmarks.measuring import Spread, rounds_of
from benchmarks.report import Result
from benchmarks.rows_lists import lists_memory, snapshot, watches
from benchmarks.rows_politeness import ledger, politeness, processes
from benchmarks.rows_tokens import jwt, refreshes, tokens
from benchmarks.starting import Program

__all__ = ["ROWS"]

MEBIBYTE = 2**20


def cold(bench: Bench) -> Iterator[Result]:
    """Cold start: whole processes."""
    env = bench.env.python
    what = "start: import, an app, a call"
    bare = "over the bare interpreter"
    programs = {name: Program(env, name) for name in ("bare", "ours", "ours, answered")}
    taken = starting.times(programs, bench.server.url, bench.core, bench.rounds * 2)
    nothing = Spread.of(taken["bare"]).median
    for name, found in (
        ("ours", Result("cold", what, bare, "seconds", 0.045)),
        ("ours, answered", Result("cold", "start to the first answer, a client made", bare, "seconds")),
    ):
        more = Spread.of([a - b for a, b in zip(taken[name], taken["bare"], strict=True)])
        yield found.measured(more, Spread.of(taken[name]).median, nothing)
    for mine, name, python, version in (
        ("ours", "version 1", bench.version1.python, bench.predecessor),
        ("ours", "aiopenapi3", env, bench.rival("aiopenapi3")),
        ("ours, a hundred", "version 1, a hundred", bench.version1.python, bench.predecessor),
    ):
        done = what if mine == "ours" else "start: import, an app, a hundred calls"
        found = Result("cold", done, version or name, "faster", 40, note=NOT_HERE)
        if version:
            both = {mine: Program(env, mine), name: Program(python, name)}
            taken = starting.times(both, bench.server.url, bench.core, max(bench.rounds // 3, 3))
            times = Spread.of([b / a for a, b in zip(taken[mine], taken[name], strict=True)])
            ours, theirs = Spread.of(taken[mine]).median, Spread.of(taken[name]).median
            found = found._replace(note="").measured(times, ours, theirs)
        yield found


def memory(bench: Bench) -> Iterator[Result]:
    """Memory that stays after a cold start, over what the bare interpreter has."""
    env, bare = bench.env.python, "over the bare interpreter"
    sides = [
        ("ours", env, "memory: import, an app, a call", 15.0 * MEBIBYTE),
        ("ours, answered", env, "memory after the first answer", None),
    ]
    if bench.predecessor:
        sides.append(
            ("version 1", bench.version1.python, f"memory of {bench.predecessor}: import, an app, a call", None)
        )
    if bench.rival("aiopenapi3"):
        sides.append(("aiopenapi3", env, f"memory of {bench.rival('aiopenapi3')}: import, an app, a call", None))
    programs = {name: Program(python, name) for name, python, _, _ in sides}
    held = starting.memory({"bare": Program(env, "bare"), **programs}, bench.server.url, 3)
    nothing = Spread.of(held["bare"]).median
    for name, _, what, target in sides:
        more = Spread.of([value - nothing for value in held[name]])
        yield Result("memory", what, bare, "bytes", target).measured(more, Spread.of(held[name]).median, nothing)


def blocking(bench: Bench) -> Iterator[Result]:
    """One blocking request after the other: every layer on, nothing in the cache, each answer decoded and kept."""
    return compare(
        bench,
        "blocking",
        "a blocking request",
        bench.side("ours", "blocking"),
        Rival(f"bare {bench.rival('pycurl')}", bench.side("bare_pycurl", "blocking"), "faster", 0.8),
        Rival(bench.rival("urllib3"), bench.side("bare_urllib3", "blocking"), "faster", 2.5),
        Rival(bench.rival("httpx2"), bench.side("bare_httpx2", "blocking"), "faster", None),
        Rival(bench.predecessor, bench.side("version1", "blocking"), "faster", 6),
    )


def asyncio(bench: Bench) -> Iterator[Result]:
    """Fifty asyncio tasks on one client."""
    return compare(
        bench,
        "asyncio",
        "a request of 50 asyncio tasks",
        bench.side("ours", "asyncio"),
        Rival(bench.rival("aiohttp"), bench.side("bare_aiohttp", "asyncio"), "faster", 1.4),
        Rival(bench.rival("httpx2"), bench.side("bare_httpx2", "asyncio"), "faster", None),
    )


def threads(bench: Bench) -> Iterator[Result]:
    """Twenty threads on one client."""
    return compare(
        bench,
        "threads",
        "a request of 20 threads",
        bench.side("ours", "threads"),
        Rival(bench.rival("urllib3"), bench.side("bare_urllib3", "threads"), "faster", 5),
    )


def pages(bench: Bench) -> Iterator[Result]:
    """Pages of 1,000 orders as typed rows. Version 1 gets a few pages: it takes a hundred times as long for one."""
    count = bench.pages
    return compare(
        bench,
        "pages",
        f"a page of 1,000 orders, {count} in a row",
        bench.side("ours", "pages", count, 40),
        Rival(f"bare {bench.rival('pycurl')}", bench.side("bare_pycurl", "pages", count, 40), "longer", 1.5),
        Rival(bench.predecessor, bench.side("version1", "pages", 3, 1), "faster", 40),
        witness=ORDERS_A_PAGE,
    )


def pages_multi(bench: Bench) -> Iterator[Result]:
    """The same by ``multi_request``, with all rows in memory at the end."""
    count = bench.pages
    return compare(
        bench,
        "pages_multi",
        f"a page of 1,000 orders, {count} by multi_request",
        bench.side("ours", "pages_multi", count, 40),
        Rival(f"bare {bench.rival('pycurl')}", bench.side("bare_pycurl", "pages_kept", count, 40), "longer", None),
        witness=ORDERS_A_PAGE,
    )


def _hits(bench: Bench, row: str, what: str, target_seconds: float) -> Result:
    """A small answer out of a cache, decoded, by the job of the row's name."""
    taken = rounds_of(
        {"ours": bench.side("ours", row)},
        bench.server.url,
        bench.core,
        rounds=bench.rounds,
        seconds=bench.seconds,
        witness_per_unit=1,
    )
    spread = Spread.of([one.seconds for one in taken["ours"]])
    return Result(row, what, "", "seconds", target_seconds).measured(spread, spread.median)


def hit(bench: Bench) -> Iterator[Result]:
    """A small answer out of the memory cache, decoded."""
    yield _hits(bench, "hit", "a hit in the memory cache, decoded", 12e-6)
    yield from compare(
        bench,
        "hit",
        "a hit in the memory cache, decoded",
        bench.side("ours", "hit"),
        Rival(bench.predecessor, bench.side("version1", "hit"), "faster", None),
    )


def hit_sqlite(bench: Bench) -> Iterator[Result]:
    """The same out of a file that processes share."""
    yield _hits(bench, "hit_sqlite", "a hit in the SQLite cache, decoded", 120e-6)


def signal(bench: Bench) -> Iterator[Result]:
    """What telling receivers costs; `benchmarks.signal` measures within one process."""
    measured = asked(bench, "from benchmarks.signal import measure; print(json.dumps(measure()))", bench.core)
    for key, what, target in (
        ("ask nobody", "a signal without receivers", 0.1),
        ("takes_all, 4 arguments: above", "a signal with one, beyond 1.2 plain calls of it", 0.2),
        ("takes_all, 8 arguments: above", "the same with API_CALL_STATS' 8 arguments", 0.2),
    ):
        yield line("signal", what, "seconds", target * 1e-6, measured[key] * 1e-6)


_EVERY = (
    cold, memory, blocking, asyncio, threads, pages, pages_multi, snapshot, lists_memory, watches, hit, hit_sqlite,
    signal, ledger, processes, politeness, tokens, jwt, refreshes,
)  # fmt: skip
ROWS: dict[str, Callable[[Bench], Iterator[Result]]] = {row.__name__: row for row in _EVERY}
"""All rows, by the name by which ``python -m benchmarks ROW`` asks for them."""
