"""The reference has every public name, and every public name says what it is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import pytest

import esipy

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
CLASSES = [name for name in esipy.__all__ if not isinstance(getattr(esipy, name), ModuleType)]
MODULES = sorted({*esipy.__all__} - {*CLASSES})
DOORS = ["cache", "events", "limits", "login", "planning", "retries", "testing", "tokens", "utils"]
"""Modules whose public names are for programs."""


def members(owner: type) -> Iterator[tuple[str, Any]]:
    """What a class offers: its public methods and properties, those of its parents in this package too."""
    for parent in owner.__mro__:
        if parent.__module__.startswith("esipy."):
            for name, value in vars(parent).items():
                if not name.startswith("_") and (callable(value) or isinstance(value, property | classmethod)):
                    yield f"{owner.__name__}.{name}", value


def test_every_public_name_has_a_docstring() -> None:
    """`help` has an answer for every name of the package."""
    assert [] == [name for name in esipy.__all__ if not inspect.getdoc(getattr(esipy, name))]


def test_every_public_method_has_a_docstring() -> None:
    """And for every method and property of its classes."""
    offered = [member for name in CLASSES for member in members(getattr(esipy, name))]
    assert len(offered) > 50
    assert [] == [name for name, value in offered if not inspect.getdoc(value)]


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_is_in_the_reference(name: str) -> None:
    """A class or error stands there under the name that programs import."""
    assert any(line.partition("::")[2].strip("() ") == f"esipy.{name}" for line in REFERENCE.splitlines())


@pytest.mark.parametrize("name", MODULES)
def test_every_public_module_is_in_the_reference(name: str) -> None:
    """A module has a section of its own."""
    assert f"## `esipy.{name}`" in REFERENCE.splitlines()


@pytest.mark.parametrize("name", DOORS)
def test_what_a_module_offers_is_in_the_reference(name: str) -> None:
    """Its public functions and classes stand there, whole or one by one; signals are in their own table."""
    if f".. automodule:: esipy.{name}\n" in REFERENCE:
        return
    module = import_module(f"esipy.{name}")
    described = {name for name, value in vars(module).items() if inspect.isclass(value) or inspect.isfunction(value)}
    offered = [f"esipy.{name}.{public}" for public in module.__all__ if public in described and public[0] != "_"]
    assert offered
    assert [] == [path for path in offered if f":: {path}\n" not in REFERENCE and f":: {path}()\n" not in REFERENCE]


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_names_that_a_page_mentions_exist(page: Path) -> None:
    """Whoever reads ``esipy.cache`` or ``client.fetch`` in a page finds it."""
    mentioned = set(re.findall(r"`(esipy(?:\.\w+)+)", page.read_text()))
    for prefix, owner in (("client", "EsiClient"), ("security", "EsiSecurity"), ("SIGNAL", "events.Signal")):
        attributes = re.findall(rf"`{prefix}\.([a-z]\w*)\(", page.read_text())
        mentioned |= {f"esipy.{owner}.{attribute}" for attribute in attributes}
    for name in sorted(mentioned):
        assert resolve_name(name) is not None, name
