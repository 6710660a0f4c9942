"""Whatever can happen to ledgers, for the laws that two of them are one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from esipy.core.buckets import Bucket
from esipy.core.counts import Counts
from esipy.stores.base import Ask, Told
from tests.stores.ledger_kit import GATE

SIZES: Mapping[str, tuple[int, float, int]] = {
    # limit, window_seconds, worst
    "market ip": (1200, 901.5, 5),
    "notifications app:1": (15, 900.0, 5),
    "assets app:1": (30, 60.0, 5),
    "tiny app:2": (4, 60.0, 5),
    "errors": (100, 60.0, 1),
}
"""The buckets, by name."""

VERBS = [*["reserve"] * 5, *["settle"] * 3, "block", "resize", "wait_for"]


class Step(NamedTuple):
    """One thing that happens: a verb, after some seconds."""

    passed: float
    verb: str
    arguments: tuple[Any, ...]


def happenings(names: Collection[str]) -> st.SearchStrategy[list[Step]]:
    """What happens to these buckets; who settles names one of the calls under way by a number."""
    name = st.sampled_from(sorted(names))
    seconds = st.one_of(st.just(0.0), st.floats(0, 2), st.floats(0, 1000))
    asks = st.builds(
        lambda name, cost, share, spread, forced: Ask(name, GATE, *SIZES[name], cost, share, spread, forced),
        name, st.sampled_from([0, 1, 2, 5]), st.sampled_from([0.0, 0.02, 0.1, 0.5]), st.booleans(),
        st.integers(0, 9).map(lambda chance: chance == 0),
    )  # fmt: skip
    told = st.builds(
        lambda used, size, returns_in: Told(used, *size, returns_in),
        st.none() | st.integers(0, 60),
        st.just((None, None)) | st.tuples(st.sampled_from([15, 30, 60]), st.sampled_from([None, 60.0, 900.0])),
        st.none() | st.floats(0.5, 120),
    )
    arguments: dict[str, st.SearchStrategy[Any]] = {
        "reserve": st.tuples(asks),
        "settle": st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 2, 5]), told, st.booleans()),
        "block": st.tuples(name | st.just(GATE), seconds),
        "resize": st.tuples(asks, st.integers(2, 60)),
        "wait_for": st.tuples(asks, st.integers(1, 3000)),
    }
    one = st.sampled_from(VERBS).flatmap(lambda verb: st.builds(Step, seconds, st.just(verb), arguments[verb]))
    return st.lists(one, max_size=40)


def known_of(bucket: Bucket, now: float) -> dict[str, Any]:
    """All that a bucket knows, without what has come back."""
    bucket.age(now)
    state = dict(zip(Counts.__slots__, bucket.state(), strict=True))
    state["_spends"] = (state["_spends"] or [])[state.pop("_gone") :]
    return state
