"""A signal for each call that is watched: it is looked at while the signal has receivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from esipy._forks import fork_lock
from esipy._receivers import Entry
from esipy.core.changes import Modified
from esipy.engine.pipeline import Engine
from esipy.events import Signal
from esipy.exceptions import SettingError
from esipy.lists.positions import PositionStore, store_of
from esipy.operation import Call
from esipy.watching.options import Options
from esipy.watching.scheduler import Crew, Scheduler
from esipy.watching.watched import LoginHold, Watched

__all__ = ["ChangeSignal", "Watching"]


def _changed(
    *,
    call: Call[Any],
    before: Any,
    after: Any,
    added: tuple[Any, ...],
    removed: tuple[Any, ...],
    modified: tuple[Modified[Any], ...],
    **extra: Any,
) -> None:
    """Sent when the data of a call are others than before: the fields of `Changed`."""


class ChangeSignal(Signal[...]):
    """What tells of the changes of one call. The first receiver begins its watch, the last one that goes ends it.

    A watch that begins again begins anew: with a store where the last one ended, else from what is there then.

    Attributes:
        given: the keywords with which it was asked for.
    """

    __slots__ = ("_following", "_make", "_scheduler", "_watched", "given")

    def __init__(self, call: Call[Any], scheduler: Scheduler, make: Callable[[], Watched], given: Any) -> None:
        self.given = given
        self._following = fork_lock()
        self._scheduler = scheduler
        self._make = make
        self._watched: Watched | None = None
        super().__init__(f"on_change({call!r})", _changed)

    def _entry(self, receiver: Any, *, deferred: bool = False) -> Entry:
        self._scheduler.check()  # before it is added
        return super()._entry(receiver, deferred=deferred)

    def _change(self, change: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]) -> None:
        super()._change(change)
        with self._following:
            if self._entries:
                self._watched = self._watched or self._make()
                self._scheduler.enter(self._watched, self)
            elif self._watched is not None:
                self._scheduler.leave(self._watched)
                self._watched = None

    def forget(self) -> None:
        """In a child after fork: it watches nothing, until another receiver is added."""
        self._watched = None
        super().forget()


class Watching:
    """What the watches of one client share: the scheduler of the signals, and what is known of the login.

    Attributes:
        hold: of the client's login.
        scheduler: of all signals.
    """

    def __init__(self, engine: Engine, crew: Crew) -> None:
        self.hold = LoginHold()
        self.scheduler = Scheduler(engine, crew)
        self._engine = engine
        self._lock = fork_lock()
        self._signals: WeakValueDictionary[Call[Any], ChangeSignal] = WeakValueDictionary()
        self._stores: dict[str, PositionStore] = {}

    def open_store(self, given: PositionStore | str) -> PositionStore:
        """The store that is meant; of one name one, which is closed with the client.

        Raises:
            SettingError: none can be meant.
        """
        if not isinstance(given, str):
            return store_of(given)
        with self._lock:
            if given not in self._stores:
                self._stores[given] = store_of(given)
            return self._stores[given]

    async def close_stores(self) -> None:
        """Close what was opened here. The next use would open it again."""
        for store in self._stores.values():
            close: Any = getattr(store, "close")  # noqa: B009 (those that are opened by name have one)
            await self._engine.runtime.join(self._engine.runtime.begin(close))

    def watched(self, call: Call[Any], options: Options) -> Watched:
        """A call, to be watched.

        Raises:
            InvalidCallError: it cannot be sent, or its rows not be told apart like that.
        """
        return Watched(self._engine, call, options, self.hold)

    def signal(self, call: Call[Any], options: Options, given: Any) -> ChangeSignal:
        """The one signal of a call.

        Args:
            given: what tells these options from others.

        Raises:
            InvalidCallError: as `watched`.
            SettingError: it has one with other options.
        """
        with self._lock:
            signal = self._signals.get(call)
            if signal is None:
                signal = ChangeSignal(call, self.scheduler, lambda: self.watched(call, options), given)
                self.watched(call, options)  # so that what is wrong is told here
                self._signals[call] = signal
            elif signal.given != given:
                raise SettingError(
                    f"{call!r} has a signal already, with other options: take them away, or give the same"
                )
            return signal
