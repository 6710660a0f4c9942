"""What it costs to begin: whole processes, from their start to their end, and how much memory they hold.

Each side imports its library, reads (or has) the description of the API and builds one call; nothing is sent. The bare
interpreter is what all of them contain, so it is taken off where a target is a difference.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks import cores
from benchmarks.environments import ROOT, child_environment
from benchmarks.measuring import MeasuringError

__all__ = ["PROGRAMS", "Program", "memory", "times"]

PROGRAMS = {
    "bare": "",
    "ours": (
        "from esipy import EsiApp\n"
        "app = EsiApp().get_latest_swagger\n"
        "call = app.op['get_characters_detail'](character_id=90000001)\n"
    ),
    "ours, answered": (
        "from esipy import EsiApp, EsiClient\n"
        "app = EsiApp().get_latest_swagger\n"
        "call = app.op['get_characters_detail'](character_id=90000001)\n"
        "client = EsiClient(headers={'User-Agent': 'EsiPyBenchmarks/1.0 (benchmarks@example.com)'}, base_url=URL)\n"
        "assert client.request(call).status == 200\n"
    ),
    "version 1": (
        "from esipy import App\n"
        "app = App.create(URL + '/swagger.json')\n"
        "call = app.op['get_characters_detail'](character_id=90000001)\n"
    ),
    "ours, a hundred": (
        "from esipy import EsiApp\n"
        "app = EsiApp().get_latest_swagger\n"
        "calls = [app.op[name](**arguments) for name, arguments in HUNDRED.items()]\n"
    ),
    "version 1, a hundred": (
        "from esipy import App\n"
        "app = App.create(URL + '/swagger.json')\n"
        "calls = [app.op[name](**arguments) for name, arguments in HUNDRED.items()]\n"
    ),
    "aiopenapi3": (
        "from aiopenapi3 import OpenAPI\n"
        "api = OpenAPI.load_sync(URL + '/swagger.json')\n"
        "call = api.createRequest('get_characters_detail')\n"
    ),
}
"""What each side does, as a program; ``URL`` is the server, ``HUNDRED`` the arguments of a hundred operations."""


@cache
def hundred() -> dict[str, dict[str, object]]:
    """The first hundred operations of the catalogue that need nothing but numbers, with their arguments."""
    from esipy import ops

    found: dict[str, dict[str, object]] = {}
    for operation in ops.operations():
        needed = [parameter for parameter in operation.parameters if parameter.required]
        if all(parameter.kind == "integer" for parameter in needed) and len(found) < 100:
            found[operation.name] = {parameter.name: 1 for parameter in needed}
    return found


_RESIDENT = """
def resident():
    try:
        with open("/proc/self/statm") as file:
            import os
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource, sys
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(resident())
"""


class Program(NamedTuple):
    """One side: the interpreter of its environment, and a key of `PROGRAMS`."""

    python: Path
    name: str


def _run(program: Program, url: str, after: str = "") -> tuple[float, str]:
    given = f"HUNDRED = {hundred()!r}\n" if "HUNDRED" in PROGRAMS[program.name] else ""
    code = f"URL = {url!r}\n{given}{PROGRAMS[program.name]}{after}"
    started = time.perf_counter()
    done = subprocess.run(
        [str(program.python), "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=child_environment(),
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise MeasuringError(f"{program.name} did not start: {done.stderr.strip().splitlines()[-1:]}")
    return taken, done.stdout


def times(programs: Mapping[str, Program], url: str, core: int | None, rounds: int) -> dict[str, list[float]]:
    """Seconds of each side in each round; the first run of each is not counted: it makes bytecode."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    order = list(programs)
    with cores.pinned(core):
        for turn in range(-1, rounds):
            for name in order if turn % 2 == 0 else reversed(order):
                seconds, _ = _run(programs[name], url)
                if turn >= 0:
                    taken[name].append(seconds)
    return taken


def memory(programs: Mapping[str, Program], url: str, rounds: int) -> dict[str, list[int]]:
    """Bytes resident at the end of each side."""
    return {name: [int(_run(program, url, _RESIDENT)[1]) for _ in range(rounds)] for name, program in programs.items()}
