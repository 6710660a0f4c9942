"""The catalogue's public interface, checked as user code by mypy."""

from __future__ import annotations

from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api", reason="mypy is not installed: it comes with the group lint")
ROOT = Path(__file__).parents[2]


def test_the_catalogue_is_typed_for_users(tmp_path: Path) -> None:
    """mypy --strict sees each answer's type, and each wrong use that is marked in the file."""
    out, err, status = api.run(
        [
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--strict",
            "--cache-dir",
            str(tmp_path),
            str(Path(__file__).with_name("ops_as_user_code.py")),
        ]
    )
    assert (out.splitlines()[-1:], err, status) == (["Success: no issues found in 1 source file"], "", 0), out
