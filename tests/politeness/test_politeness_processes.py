"""Four real processes on one ledger, against one sandbox over HTTP: each bucket to its last whole call, no further."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.politeness.processes import Outcome, share_file, share_server, whole_calls
from tests.stores.valkey import url_of


@pytest.mark.parametrize(("limit", "lost", "calls"), [(15, 0, 7), (30, 0, 15), (150, 0, 74), (15, 2, 2), (30, 2, 8)])
def test_what_a_bucket_holds(limit: int, lost: int, calls: int) -> None:
    """Headroom is whole calls; those who died with calls under way may have spent 5 with each."""
    assert calls == whole_calls(limit, lost=lost)


def check(outcome: Outcome) -> None:
    """ESI refused nothing, no limit was exceeded, and no call is left."""
    assert ({}, {}) == (outcome.refusals, outcome.over)
    assert outcome.expected == outcome.good


@pytest.mark.parametrize("kill", [False, True])
def test_T28_processes_with_one_file_use_a_bucket_to_its_last_whole_call(kill: bool) -> None:
    """Also when one of the four is killed with calls under way."""
    check(share_file(kill=kill))


@pytest.mark.parametrize("kill", [False, True])
def test_T28_processes_with_one_server_use_a_bucket_to_its_last_whole_call(valkey: Any, kill: bool) -> None:
    """The same with Valkey."""
    check(share_server(kill=kill, url=url_of(valkey)))
