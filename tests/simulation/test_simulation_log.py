"""The log: entries in, the same entries out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.simulation import Log, Seen

moments = st.floats(0, 2e9)
names = st.sampled_from(["", "a b", "c d:1"])
entries = st.builds(
    Seen, moments, moments, names, names, st.sampled_from([0, 200, 429]), st.integers(0, 5), st.booleans(),
    st.booleans(), st.none() | st.integers(0, 12_000),
)  # fmt: skip


def kept(seen: list[Seen]) -> Log:
    """A log of these."""
    log = Log()
    for one in seen:
        used = -1 if one.used is None else one.used
        log.add(
            one.arrived, one.counted, one.bucket, one.operation, one.status, one.cost, own=one.own, lost=one.lost,
            used=used,
        )  # fmt: skip
    return log


@settings(deadline=None)
@given(st.lists(entries, max_size=20))
def test_what_went_in_comes_out(seen: list[Seen]) -> None:
    """As a sequence: whole, one by one from both ends, and in slices."""
    log = kept(seen)
    assert (seen, len(seen)) == (list(log), len(log))
    assert seen[1:7:2] == log[1:7:2]
    assert seen[-1:] == log[-1:]
    assert all(seen[place] == log[place] == log[place - len(seen)] for place in range(len(seen)))


@settings(deadline=None)
@given(st.lists(entries, max_size=20))
def test_buckets_are_in_the_order_in_which_they_were_counted(seen: list[Seen]) -> None:
    """Every entry is in its bucket, and what was counted in the same moment keeps its order."""
    found = kept(seen).by_bucket()
    assert {one.bucket for one in seen} == set(found)
    for bucket, inside in found.items():
        assert sorted((one for one in seen if one.bucket == bucket), key=lambda one: one.counted) == inside
