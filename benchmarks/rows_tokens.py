"""The rows of token stores: what it costs to keep many characters."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, asked
from benchmarks.measuring import Spread
from benchmarks.report import Kind, Result

__all__ = ["tokens"]


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
