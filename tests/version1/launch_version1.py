"""Runs a program on EsiPy 1.2.3 against a server that speaks http: ``launch_version1.py PROGRAM``.

Version 1 only speaks https, in two places: its client's ``__schemes__``, and the addresses of documents that `EsiApp`
makes of what the meta document says. Both are told http here, so that programs stay as they are.
"""

import runpy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

esipy: Any = import_module("esipy")  # to a type checker, "import esipy" is this checkout's
esipy_app: Any = import_module("esipy.app")


def spoken(url: str) -> str:
    return url.replace("https://127.0.0.1", "http://127.0.0.1")


class Requests:
    """What `esipy.app` uses of requests."""

    requests = esipy_app.requests

    @classmethod
    def head(cls, url: str, **arguments: Any) -> Any:
        return cls.requests.head(spoken(url), **arguments)


class App:
    """What `esipy.app` uses of pyswagger's App."""

    pyswagger = esipy.App

    @classmethod
    def create(cls, url: str) -> Any:
        return cls.pyswagger.create(spoken(url))


if __name__ == "__main__":
    esipy.EsiClient.__schemes__ = {"http"}
    esipy_app.requests, esipy_app.App = Requests, App
    program = Path(sys.argv[1])
    sys.argv[:] = [str(program)]
    sys.path[0] = str(program.parent)
    runpy.run_path(str(program), run_name="__main__")
