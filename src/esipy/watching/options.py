"""How calls are watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

from esipy.core.changes import Key
from esipy.engine.pipeline import Engine
from esipy.engine.terms import Downtime, Policy, Priority, Terms
from esipy.exceptions import SettingError
from esipy.lists.positions import PositionStore
from esipy.operation import Call

__all__ = ["Options", "WatchKeywords", "options_of"]

LONGEST_PACE_SECONDS = 1e8


class Options(NamedTuple):
    """How calls are watched.

    Attributes:
        patient, quick: how they wait for limits, see `Sight`.
        sign: makes a call what a login of version 1's kind leaves of it.
        key: what tells rows apart; None: as the catalogue knows.
        store: where what was seen last is kept between runs; None: nowhere.
        every_seconds: how often to look at the most, where no lifetime is longer; None: as `schedule` says.
        tell_first: what is there at first is told, too, as added.
    """

    patient: Terms
    quick: Terms
    sign: Callable[[Call[Any]], Call[Any]] = lambda call: call
    key: Key | None = None
    store: PositionStore | None = None
    every_seconds: float | None = None
    tell_first: bool = False


class WatchKeywords(TypedDict, total=False):
    """The keywords of `watch` and `on_change`, which the former describes."""

    key: Key | None
    store: PositionStore | str | None
    every: float | None
    tell_first: bool
    priority: Priority
    policy: Policy | None
    max_wait: float | None
    downtime: Downtime | None


def options_of(
    engine: Engine,
    sign: Callable[[Call[Any]], Call[Any]],
    open_store: Callable[[PositionStore | str], PositionStore],
    given: WatchKeywords,
) -> Options:
    """The options that a user's keywords mean.

    Raises:
        SettingError: one of them cannot be meant.
        TypeError: there is no such keyword.
    """
    unknown = ", ".join(sorted(given.keys() - WatchKeywords.__annotations__.keys()))
    if unknown:
        raise TypeError(f"watch and on_change have no keyword {unknown}")
    every, store, max_wait = given.get("every"), given.get("store"), given.get("max_wait")
    if every is not None and (isinstance(every, bool) or not _is_pace(every)):
        raise SettingError(f"every={every!r}: has to be a number of seconds, above 0")
    priority = given.get("priority") or "batch"
    patient = Terms.of(engine.settings, given.get("policy"), priority, max_wait, given.get("downtime"))
    return Options(
        patient,
        patient if max_wait is not None else patient._replace(max_wait=0.0),
        sign,
        given.get("key"),
        None if store is None else open_store(store),
        every,
        given.get("tell_first", False),
    )


def _is_pace(given: object) -> bool:
    return isinstance(given, int | float) and 0 < given < LONGEST_PACE_SECONDS
