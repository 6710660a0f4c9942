"""Results: what a row says, as a table for people, as JSON, and as Markdown for the README."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmarks import cores
from benchmarks.environments import ROOT
from benchmarks.measuring import Spread

__all__ = ["LATEST", "Kind", "Result", "as_json", "as_markdown", "as_table", "from_json", "machine"]

LATEST = ROOT / "benchmarks" / "results" / "latest.json"

Kind = Literal["faster", "longer", "seconds", "bytes", "count", "share"]
AT_LEAST = ("faster", "share")


class Result(NamedTuple):
    """One line of the table.

    Attributes:
        row: the name by which ``python -m benchmarks ROW`` asks for it.
        what: was done.
        against: what it is held against, with its version; empty for a number that stands for itself.
        kind: of ``value``: "faster": how many times faster ours is; "longer": how many times longer ours takes;
            "seconds", "bytes": more than ``against``, or by itself; "count": how often; "share": of a whole.
        target: for ``value``: at least, where it says "faster" or "share"; at most for all others. None when there is
            none.
        ours, theirs: seconds (or bytes) for one unit, the median; None when there is no such side.
        value: the median of the rounds; None when it was not measured.
        least, greatest: of the rounds.
        ours_cpu, theirs_cpu: of the seconds for one unit, those of the client's processor.
        note: why it was not measured.
    """

    row: str
    what: str
    against: str
    kind: Kind
    target: float | None = None
    ours: float | None = None
    theirs: float | None = None
    value: float | None = None
    least: float | None = None
    greatest: float | None = None
    ours_cpu: float | None = None
    theirs_cpu: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None without a target, or not measured."""
        if self.target is None or self.value is None:
            return None
        return self.value >= self.target if self.kind in AT_LEAST else self.value <= self.target

    def measured(self, spread: Spread, ours: float | None, theirs: float | None = None) -> Result:
        """This line with its numbers."""
        value, least, greatest = spread
        return self._replace(value=value, least=least, greatest=greatest, ours=ours, theirs=theirs)


def machine(server: str) -> dict[str, Any]:
    """What the numbers were taken on; no name of the machine, no path."""
    return {
        "cpu": _cpu_model(),
        "cores": len(cores.available()) or os.cpu_count(),
        "pinned": len(cores.available()) > 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "server": server,
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def as_json(results: Iterable[Result], about: dict[str, Any]) -> str:
    """The whole report; numbers are rounded to what they are worth."""
    rows = [
        {
            **{name: float(f"{it:.4g}") if isinstance(it, float) else it for name, it in result._asdict().items()},
            "met": result.met,
        }
        for result in results
    ]
    return json.dumps({**about, "results": rows}, indent=2) + "\n"


def from_json(text: str) -> tuple[list[Result], dict[str, Any]]:
    """What `as_json` wrote."""
    about = json.loads(text)
    rows = about.pop("results")
    return [Result(**{name: row[name] for name in Result._fields}) for row in rows], about


_HEADINGS = ("what", "against", "ours", "theirs", "result", "rounds", "target", "met")


def _cells(result: Result) -> tuple[str, ...]:
    target = "" if result.target is None else _shown(result, result.target)
    if target:
        target = f"{'>=' if result.kind in AT_LEAST else '<='} {target}"
    if result.value is None:
        return (result.what, result.against, "", "", "not measured", result.note, target, "-")
    return (
        result.what,
        result.against,
        _quantity(result.ours, result.kind),
        _quantity(result.theirs, result.kind),
        _shown(result, result.value),
        f"{_shown(result, result.least)} - {_shown(result, result.greatest)}",
        target,
        {None: "-", True: "yes", False: "MISSED"}[result.met],
    )


def _shown(result: Result, value: float | None) -> str:
    if value is None or result.kind not in ("faster", "longer"):
        return _quantity(value, result.kind)
    return f"{value:.0f} x" if value >= 20 else f"{value:.3g} x"


def _quantity(value: float | None, kind: Kind) -> str:
    if value is None:
        return ""
    if kind == "bytes":
        return f"{value / 2**20:.1f} MiB" if value >= 2**16 else f"{value:.0f} bytes"
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "share":
        return f"{value:.1%}"
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if abs(value) >= scale:
            return f"{value / scale:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


def as_table(results: Sequence[Result], about: dict[str, Any]) -> str:
    """For a terminal."""
    rows = [_HEADINGS, *map(_cells, results)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([_about_line(about), "", *lines])


def as_markdown(results: Sequence[Result], about: dict[str, Any]) -> str:
    """For the README: the table without its rounds, and what it was measured on."""
    rows = [_HEADINGS, tuple("---" for _ in _HEADINGS), *map(_cells, results)]
    lines = [f"| {' | '.join((*row[:5], *row[6:]))} |" for row in rows]
    return "\n".join([*lines, "", _about_line(about)])


def _about_line(about: dict[str, Any]) -> str:
    on = about["machine"]
    where = "one core for the client, another for the server" if on["pinned"] else "cores not pinned"
    return f"{on['python']}, {on['system']}, {on['cpu']}, {where} ({on['server']})."
