"""``python -m benchmarks [ROW ...] [--quick] [--json FILE]``: measure, print the table, write JSON.

``--markdown [FILE]`` measures nothing: it prints the last result as the table that the README quotes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import cores, environments
from benchmarks.bench import Bench
from benchmarks.measuring import MeasuringError
from benchmarks.report import LATEST, Result, as_json, as_markdown, as_table, from_json, machine
from benchmarks.rows import ROWS
from benchmarks.server import serving

__all__ = ["main"]


@contextmanager
def _bench(*, quick: bool) -> Generator[Bench]:
    env, version1 = environments.prepare()
    client_core, server_core = cores.split()
    pages = 100 if quick else 400
    with serving(pages, server_core) as server:
        host = server.url.removeprefix("http://")
        document = subprocess.run(
            [str(env.python), "-m", "benchmarks.swagger2", host],
            stdout=subprocess.PIPE,
            check=True,
            cwd=environments.ROOT,
            env=environments.child_environment(),
        ).stdout
        (server.root / "swagger.json").write_bytes(document)
        yield Bench(server, env, version1, client_core, 3 if quick else 11, 0.1 if quick else 0.3, pages)


def _measure(names: list[str], *, quick: bool) -> tuple[list[Result], str]:
    results: list[Result] = []
    with _bench(quick=quick) as bench:
        for name in names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                results += ROWS[name](bench)
            except MeasuringError as error:
                results.append(Result(name, name, "", "seconds", note=str(error)))
        return results, bench.server.kind


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast EsiPy is, and against what.")
    parser.add_argument("row", nargs="*", choices=[*ROWS, []], help=f"which rows; all when none: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: for a look, not for a number")
    parser.add_argument("--json", type=Path, help="write the result there; a full run of all rows writes latest.json")
    parser.add_argument(
        "--markdown",
        type=Path,
        nargs="?",
        const=LATEST,
        help="print a result as the README's table, and measure nothing",
    )
    asked = parser.parse_args()
    if asked.markdown is not None:
        print(as_markdown(*from_json(asked.markdown.read_text())))
        return
    results, server = _measure(asked.row or list(ROWS), quick=asked.quick)
    about = {"machine": machine(server), "quick": asked.quick}
    print(as_table(results, about))
    target: Path | None = asked.json
    if target is None and not asked.row and not asked.quick:
        target = LATEST
    if target is not None:
        target.parent.mkdir(exist_ok=True)
        target.write_text(as_json(results, about))


if __name__ == "__main__":
    main()
