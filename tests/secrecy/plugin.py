"""T44, over everything: a test in whose run a token, a code, a secret or a verifier was seen where none belongs fails.

``@pytest.mark.may_show("why", files=[...])`` names the files of a test in which a program keeps secrets of its own.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.secrecy.places import Places
from tests.secrecy.search import WATCH
from tests.secrecy.sources import note_secrets

_PLACES = Places(WATCH)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "may_show(why, *, files): the test's own files may hold secrets")
    patch = pytest.MonkeyPatch()
    note_secrets(patch, WATCH)
    _PLACES.guard(patch)
    config.add_cleanup(patch.undo)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    own = tuple(name for mark in item.iter_markers("may_show") for name in mark.kwargs["files"])
    used: dict[str, Any] = getattr(item, "funcargs", None) or {}
    folders = [used["tmp_path"]] if "tmp_path" in used else []
    if "nothing_of_this_user" in used and "XDG_DATA_HOME" in os.environ:  # else it may be this user's own
        folders.append(Path(os.environ["XDG_DATA_HOME"]))
    output = [(f"captured {name}", text) for _, name, text in item._report_sections if name != "log"]
    _PLACES.look_at_the_end(folders, output, own)
    result = yield
    WATCH.forget_stores()
    leaks = dict.fromkeys(WATCH.take())
    if leaks:
        shown = "\n".join(f"  {kind} in {place}: {around}" for place, kind, around in leaks)
        pytest.fail(f"T44: secrets were seen where none belongs:\n{shown}", pytrace=False)
    return result
