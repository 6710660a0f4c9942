"""What docstrings name is there: a `name` in single backticks is one of the source, wherever it is spoken of."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

SOURCE = Path(__file__).parents[1] / "src"
TREES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
NAMED = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")
"""What is in double backticks is a literal: a header, a field, an address."""


def spoken_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each name that a docstring, or the text below a constant, speaks of, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for name in NAMED.findall(node.value.value):
                yield node.lineno, name


def defined(tree: ast.AST) -> Iterator[str]:
    """Every name that a module, or a class, gives to anything."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.alias():
                yield (node.asname or node.name).rpartition(".")[2]


NAMES = {name for tree in TREES.values() for name in defined(tree)} | {path.stem for path in TREES} | set(dir(builtins))
NAMES |= {folder.name for folder in SOURCE.rglob("*") if folder.is_dir()}
CLASSES = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def members(kind: str) -> set[str]:
    """What a class of this name has, or inherits."""
    found: set[str] = set()
    for node in CLASSES:
        if node.name == kind:
            found |= set(defined(node))
            for base in node.bases:
                name = ast.unparse(base).partition("[")[0]
                found |= members(name) if name != kind else set()
    return found


def resolved(name: str) -> object:
    """What a dotted name leads to; None when it leads nowhere."""
    try:
        return resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        return None


def is_there(name: str) -> bool:
    """Whether a name leads somewhere: one that begins with ``esipy.`` exactly there, any other by its parts."""
    if resolved(name) is not None:
        return True
    owner, _, last = name.rpartition(".")
    kind = owner.rpartition(".")[2]
    if any(node.name == kind for node in CLASSES):  # perhaps what its objects have, and the class itself has not
        return last in members(kind) and (resolved(owner) is not None or not owner.startswith("esipy."))
    return not name.startswith("esipy.") and NAMES.issuperset(name.split("."))


def test_what_docstrings_name_is_there() -> None:
    """A name that was changed is changed wherever it is spoken of."""
    assert [] == [
        f"{path.relative_to(SOURCE)}:{line}: {name}"
        for path, tree in TREES.items()
        for line, name in spoken_of(tree)
        if not is_there(name)
    ]
