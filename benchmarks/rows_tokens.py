"""The rows of many characters: what it costs to keep their tokens, and to refresh them all."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, asked, line
from benchmarks.measuring import Spread
from benchmarks.report import Kind, Result

__all__ = ["jwt", "refreshes", "tokens"]


def tokens(bench: Bench) -> Iterator[Result]:
    """A lookup among 100,000 characters in SQLite, and the memory that listing them takes."""
    characters = 10_000 if bench.rounds < 10 else 100_000
    taken = asked(bench, f"from benchmarks.tokens import measure; print(json.dumps(measure({characters})))", bench.core)
    many = f"{characters:,} characters in SQLite"
    rows: tuple[tuple[str, str, Kind, float | None], ...] = (
        ("lookup", f"a character's tokens looked up, {many}", "seconds", 60e-6),
        ("opened", "the same, unsealed", "seconds", None),
        ("listing bytes", f"peak of memory while listing {many}", "bytes", 2 * 2**20),
    )
    for key, what, kind, target in rows:
        yield Result("tokens", what, "", kind, target).measured(Spread(*taken[key]), taken[key][0])


def jwt(bench: Bench) -> Iterator[Result]:
    """An access token verified: signature and claims, the keys at hand."""
    program = f"from benchmarks.jwt import measure; print(json.dumps(measure({100 if bench.rounds < 10 else 1000})))"
    taken = asked(bench, program, bench.core)
    for key, what in (
        ("one scope", "an access token verified, keys warm"),
        ("all scopes", "the same, of a character who allowed everything"),
    ):
        yield Result("jwt", what, "", "seconds", 150e-6).measured(Spread(*taken[key]), taken[key][0])


def refreshes(bench: Bench) -> Iterator[Result]:
    """Ten thousand tokens that are over, needed by twenty threads at the same moment, while other calls go on."""
    characters = 200 if bench.rounds < 10 else 10_000
    program = f"from benchmarks.refreshes import measure; print(json.dumps(measure({characters})))"
    taken = asked(bench, program, bench.core)
    row = "refreshes"
    yield line(row, f"refreshes at once, of {characters:,} tokens that are over", "count", 5, taken["at once"])
    yield line(row, "refreshes beyond one each, and tokens lost", "count", 0,
               taken["refreshes"] - characters + 1 + taken["lost"])  # fmt: skip
    yield line(row, "a call whose token is good, meanwhile", "seconds", None, taken["meanwhile"])
    yield line(row, "the same, when nothing is refreshed", "seconds", None, taken["alone"])
