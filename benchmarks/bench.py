"""What all rows share: the server, the environments, and how long to measure."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks import cores
from benchmarks.environments import ROOT, Environment, child_environment
from benchmarks.measuring import MeasuringError, Round, Side, Spread, ratios, rounds_of
from benchmarks.report import Kind, Result
from benchmarks.server import Server

__all__ = ["NOT_HERE", "Bench", "Rival", "asked", "compare", "line"]

NOT_HERE = "it does not run here"


class Bench(NamedTuple):
    """What all rows share.

    Attributes:
        env, version1: see `benchmarks.environments`.
        core: the client's; None when it is not pinned.
        rounds: of each side.
        seconds: that a round takes, where the number of units is free.
        pages: that the server has.
    """

    server: Server
    env: Environment
    version1: Environment
    core: int | None
    rounds: int
    seconds: float
    pages: int

    def rival(self, package: str) -> str:
        """A rival with its version; empty when it is not installed."""
        found = self.env.versions.get(package)
        return f"{package} {found}" if found else ""

    @property
    def predecessor(self) -> str:
        """Version 1 with its number; empty when it is not installed."""
        found = self.version1.versions.get("esipy")
        return f"EsiPy {found}" if found else ""

    def side(self, module: str, job: str, units: int | None = None, warm: int = 2) -> Side:
        """A driver in its environment."""
        environment = self.version1 if module == "version1" else self.env
        return Side(environment.python, module, job, units, warm)


class Rival(NamedTuple):
    """Another side, and what is asked of ours against it.

    Attributes:
        name: it, with its version; empty when it is not installed.
        side: its driver.
        kind: "faster" or "longer".
        target: how many times; None: it is only shown.
    """

    name: str
    side: Side
    kind: Kind
    target: float | None


def compare(bench: Bench, row: str, what: str, ours: Side, *rivals: Rival, witness: int = 1) -> Iterator[Result]:
    """Measure all sides in turns, and give a line for each rival."""
    present = [rival for rival in rivals if rival.name]
    taken = rounds_of(
        {"ours": ours, **{rival.name: rival.side for rival in present}},
        bench.server.url,
        bench.core,
        rounds=bench.rounds,
        seconds=bench.seconds,
        witness_per_unit=witness,
    )
    mine = taken["ours"]
    for rival in rivals:
        found = Result(row, what, rival.name or rival.side.module, rival.kind, rival.target, note=NOT_HERE)
        if rival.name:
            theirs = taken[rival.name]
            spread = ratios(theirs, mine) if rival.kind == "faster" else ratios(mine, theirs)
            found = found._replace(note="", ours_cpu=_processor(mine), theirs_cpu=_processor(theirs))
            found = found.measured(spread, _median(mine), _median(theirs))
        yield found


def asked(bench: Bench, program: str, core: int | None) -> Any:
    """What a program prints as JSON, in a process of its own on this core."""
    with cores.pinned(core):
        done = subprocess.run(
            [str(bench.env.python), "-c", f"import json; {program}"],
            stdout=subprocess.PIPE,
            check=False,
            cwd=ROOT,
            env=child_environment(),
        )
    if done.returncode:
        raise MeasuringError("it did not run (its own words are above)")
    return json.loads(done.stdout)


def line(row: str, what: str, kind: Kind, target: float | None, value: float, against: str = "") -> Result:
    """A line of one number."""
    return Result(row, what, against, kind, target).measured(Spread.of([value]), value)


def _median(rounds: list[Round]) -> float:
    return Spread.of([one.seconds for one in rounds]).median


def _processor(rounds: list[Round]) -> float:
    return Spread.of([one.cpu_seconds for one in rounds]).median
