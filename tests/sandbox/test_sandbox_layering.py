"""The sandbox stands alone: what it may import, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import esipy.sandbox

HOUSE = Path(esipy.sandbox.__file__).parent
ALLOWED = ("esipy.sandbox", "esipy.ops", "esipy.operation")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Each imported module, and whether it is imported at the file's top level at run time."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node in top) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node in top) for alias in node.names)


@pytest.mark.parametrize("path", sorted(HOUSE.glob("*.py")), ids=lambda path: path.name)
def test_the_sandbox_shares_nothing_with_the_client(path: Path) -> None:
    """It knows the catalogue's facts and nothing else of the library, so it cannot share the client's mistakes."""
    of_ours = [f"{name}." for name, _ in imports(path) if name.partition(".")[0] == "esipy"]
    assert [] == [name for name in of_ours if not name.startswith(tuple(f"{allowed}." for allowed in ALLOWED))]


def test_the_extra_is_imported_in_one_place() -> None:
    """httptools is imported in one file, inside a function."""
    found = [(path.name, top) for path in HOUSE.glob("*.py") for name, top in imports(path) if "httptools" in name]
    assert {("connection.py", False)} == set(found)
