"""Measuring two or more sides fairly: interleaved rounds, ratios within a round, their median.

Rules: both sides live at the same time, each in its own process on the client's core, and take turns (A B A B, then
B A ...), so that whatever slows the machine slows both; the count of units is found for each side beforehand, which
warms it up too; a side that cannot prove by its witness that it did the work ends the row.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from benchmarks import cores
from benchmarks.environments import ROOT, child_environment

__all__ = ["Driver", "MeasuringError", "Round", "Spread", "ratios", "rounds_of", "runs_of"]

RUNS = 7


class MeasuringError(Exception):
    """A side could not be measured; the text says why."""


class Round(NamedTuple):
    """One turn of one side, by unit of work.

    Attributes:
        seconds: of time passed.
        cpu_seconds: of the client's processor; the rest it waited for the server.
    """

    seconds: float
    cpu_seconds: float


class Spread(NamedTuple):
    """The median of some rounds, with the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def runs_of(once: Callable[[], float]) -> Spread:
    """What a few runs took, for what is measured within one process; one before them makes what is made first."""
    once()
    return Spread.of([once() for _ in range(RUNS)])


class Driver:
    """A process of `benchmarks.drivers`, kept alive between its turns."""

    def __init__(self, python: Path, module: str, url: str, core: int | None) -> None:
        self.module = module
        with cores.pinned(core):
            self._process = subprocess.Popen(
                [str(python), "-m", f"benchmarks.drivers.{module}", url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=child_environment(),
            )

    def run(self, job: str, count: int, witness_per_unit: int) -> Round:
        """One turn.

        Raises:
            MeasuringError: it died, or did other work than was asked for.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"job": job, "count": count}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise MeasuringError(f"{self.module} did not run (its own words are above)")
        answer = json.loads(line)
        if answer["witness"] != count * witness_per_unit:
            raise MeasuringError(f"{self.module}: {answer['witness']} of {count * witness_per_unit} in {job}")
        return Round(answer["seconds"] / count, answer["cpu_seconds"] / count)

    def count_for(self, job: str, seconds: float, witness_per_unit: int) -> int:
        """How many units take about this long; warms the side up."""
        count = 20
        while True:
            taken = self.run(job, count, witness_per_unit).seconds * count
            if taken >= seconds / 4:
                return max(int(count * seconds / taken), 1)
            count = min(count * 8, int(count * seconds / max(taken, 1e-6)) + 1)

    def __enter__(self) -> Driver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Side(NamedTuple):
    """One side of a comparison.

    Attributes:
        python: the interpreter of its environment.
        module: the driver.
        job: of the driver.
        units: in a round; None: as many as fill the time.
        warm: units done before the first round, where ``units`` are given.
    """

    python: Path
    module: str
    job: str
    units: int | None = None
    warm: int = 2


def rounds_of(
    sides: Mapping[str, Side], url: str, core: int | None, *, rounds: int, seconds: float, witness_per_unit: int
) -> dict[str, list[Round]]:
    """Measure all sides in turns; what a side took in each round, by its name."""
    with ExitStack() as stack:
        drivers = {
            name: stack.enter_context(Driver(side.python, side.module, url, core)) for name, side in sides.items()
        }
        counts: dict[str, int] = {}
        for name, side in sides.items():
            if side.units is None:
                counts[name] = drivers[name].count_for(side.job, seconds, witness_per_unit)
            else:
                drivers[name].run(side.job, side.warm, witness_per_unit)
                counts[name] = side.units
        taken: dict[str, list[Round]] = {name: [] for name in sides}
        order = list(sides)
        for turn in range(rounds):
            for name in order if turn % 2 == 0 else reversed(order):
                taken[name].append(drivers[name].run(sides[name].job, counts[name], witness_per_unit))
        return taken


def ratios(above: Sequence[Round], below: Sequence[Round]) -> Spread:
    """Time of one side by time of the other, round by round."""
    return Spread.of([a.seconds / b.seconds for a, b in zip(above, below, strict=True)])
