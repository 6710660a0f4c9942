"""``python -m tools.catalogue DOCUMENT [--output DIR]``"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.catalogue import naming
from tools.catalogue.document import read_operations, read_scopes
from tools.catalogue.schemas import COMMON, Types
from tools.catalogue.write_operations import index_module, operations_module, package_module, scopes_module
from tools.catalogue.write_types import types_module, types_package

OUTPUT = Path(__file__).parents[2] / "src" / "esipy" / "ops"


def generate(document: Mapping[str, Any]) -> dict[str, str]:
    """The whole catalogue: relative path -> text."""
    date = document["info"]["version"]
    types = Types(document)
    operations = read_operations(document, types)
    tags = {naming.module(tag["name"]): tag["name"] for tag in document["tags"]}
    if COMMON in tags:
        raise ValueError(f"a tag is called {COMMON}: the shared types need another name")
    files = {
        "__init__.py": package_module(date, sorted(tags)),
        "_index.py": index_module(date, operations),
        "_scopes.py": scopes_module(date, read_scopes(document)),
        "types/__init__.py": types_package(date),
        f"types/{COMMON}.py": types_module(date, "Types that several tags share.", types.modules[COMMON]),
    }
    for name, tag in tags.items():
        own = [operation for operation in operations if operation.module == name]
        files[f"{name}.py"] = operations_module(date, tag, own, types.module(name))
        files[f"types/{name}.py"] = types_module(date, f"The types of the tag {tag}.", types.module(name))
    return files


def write(files: Mapping[str, str], output: Path) -> None:
    """Put the files there, and take away modules that an earlier document needed."""
    for old in output.glob("**/*.py"):
        if old.relative_to(output).as_posix() not in files:
            old.unlink()
    for name, text in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the document, write the catalogue."""
    parser = argparse.ArgumentParser(prog="python -m tools.catalogue", description="Write src/esipy/ops.")
    parser.add_argument("document", type=Path, help="ESI's OpenAPI document (JSON)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to write (default: src/esipy/ops)")
    options = parser.parse_args(arguments)
    files = generate(json.loads(options.document.read_text(encoding="utf-8")))
    write(files, options.output)
    print(f"{len(files)} files in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
