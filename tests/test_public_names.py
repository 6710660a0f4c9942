"""The names of the package itself: all there, and none loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import esipy
from esipy import exceptions

LISTS = ["Batch", "Bulk", "Changed", "Position", "Snapshot"]


def test_importing_the_package_loads_nothing_of_it() -> None:
    """A program that imports it pays for what it uses, later: no msgspec, no module but the package."""
    program = "import sys; before = {*sys.modules}; import esipy; dir(esipy); print(sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout
    assert "'esipy'" in loaded
    assert "msgspec" not in loaded
    assert "'esipy." not in loaded


@pytest.mark.parametrize("name", esipy.__all__)
def test_every_public_name_is_what_it_says(name: str) -> None:
    """Each is there, under its own name, and is listed for completion."""
    assert name in dir(esipy)
    assert name == getattr(esipy, name).__name__.rpartition(".")[2]


def test_what_lists_and_watches_give_can_be_named() -> None:
    """Programs annotate their functions with these, and catch the errors, without reaching into the package."""
    assert [] == [name for name in LISTS if name not in esipy.__all__]
    errors = [name for name in esipy.__all__ if name.endswith("Error")]
    assert ["IncompleteBulkError", "IncompleteSnapshotError", "ListChangedError", "PositionRefusedError"] == errors
    assert [] == [name for name in errors if getattr(esipy, name) is not getattr(exceptions, name)]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """It is named in the error, as of any module."""
    with pytest.raises(AttributeError, match="module 'esipy' has no attribute 'Snapshots'"):
        _ = esipy.Snapshots
