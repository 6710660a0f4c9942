"""The public interface, checked as user code by mypy; `make lint` has pyright do the same."""

from __future__ import annotations

from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api", reason="mypy is not installed: it comes with the group lint")
HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*_as_*code.py"))


def test_users_see_the_types_that_are_promised(tmp_path: Path) -> None:
    """mypy --strict sees each declared type, and each wrong use that is marked in the files."""
    config = str(HERE.parents[1] / "pyproject.toml")
    out, err, status = api.run(
        ["--config-file", config, "--strict", "--cache-dir", str(tmp_path), *(str(file) for file in FILES)]
    )
    assert (out.splitlines()[-1:], err, status) == (
        [f"Success: no issues found in {len(FILES)} source files"],
        "",
        0,
    ), out
