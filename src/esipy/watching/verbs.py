"""`watch` and `on_change` of both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload
from weakref import WeakSet

from esipy.events import Signal
from esipy.exceptions import InvalidCallError
from esipy.lists.client import OfClient
from esipy.operation import Call
from esipy.runtime.blocking import run

if TYPE_CHECKING:
    from esipy.lists.cursor_verbs import Listing
    from esipy.watching.options import WatchKeywords
    from esipy.watching.scheduler import Crew, Scheduler
    from esipy.watching.signals import Watching
    from esipy.watching.watcher import Watcher
    from esipy.watching.watches import AsyncWatch, Watch

__all__ = ["AsyncWatches", "BlockingWatches"]

R = TypeVar("R")
T = TypeVar("T")


class _Watches(OfClient):
    """What the verbs share, and what they ask of each colour."""

    _whole: Any = None

    if TYPE_CHECKING:

        def _crew(self) -> Crew: ...

    def _watching(self) -> Watching:
        """What all watches of this client share, made when it is first needed."""
        if "_watches" not in self.__dict__:
            from esipy.watching.signals import Watching  # most programs watch nothing

            made = self.__dict__.setdefault("_watches", Watching(self._engine, self._crew()))
            if self._whole is not None:  # what a view watches ends with the client that it is a view of
                self._whole.__dict__.setdefault("_watched_by_views", WeakSet()).add(made.scheduler)
        found: Watching = self.__dict__["_watches"]
        return found

    def _schedulers(self) -> list[Scheduler]:
        """All that watches for this client and its views."""
        watching: Watching | None = self.__dict__.get("_watches")
        return [*([] if watching is None else [watching.scheduler]), *self.__dict__.get("_watched_by_views", ())]

    def _watcher(self, calls: tuple[Call[Any], ...], given: WatchKeywords) -> Watcher:
        from esipy.watching.options import options_of
        from esipy.watching.watcher import Watcher

        if not calls:
            raise InvalidCallError("watch() needs a call to watch")
        watching = self._watching()
        options = options_of(self._engine, self._signed, watching.open_store, given)
        return Watcher(
            self._engine, [watching.watched(call, options) for call in dict.fromkeys(map(self._call_of, calls))]
        )

    def on_change(
        self,
        call: Call[Any],
        **options: Unpack[WatchKeywords],
    ) -> Signal[...]:
        """The signal that tells when the data of a call change: the same one each time, for the same call.

        ESI is looked at while it has receivers, one heap of moments for all signals of the client. Receivers are given
        the fields of `esipy.watching.watched.Changed` by name, one receiver at a time: in the blocking client by a
        thread beside yours, which is there while anything is watched; in the asyncio client by a task of the loop that
        runs when the first receiver is added, and coroutine functions are awaited. What cannot be looked at is told by
        `esipy.events.WATCH_FAILED`, and tried again, with growing pauses.

        Args:
            call: what to watch.
            options: as for `watch`.

        Raises:
            InvalidCallError: the call cannot be sent, or ``key`` cannot be meant.
            SettingError: another option cannot be meant, or the call has a signal with other options.
        """
        from esipy.watching.options import options_of

        watching = self._watching()
        chosen = options_of(self._engine, self._signed, watching.open_store, options)
        return watching.signal(self._call_of(call), chosen, options)


class BlockingWatches(_Watches):
    """What `EsiClient` can do with data that change."""

    def _crew(self) -> Crew:
        from esipy.watching.crews import Threads

        return Threads()

    @overload
    def watch(self, *calls: Call[list[R]], **options: Unpack[WatchKeywords]) -> Watch[list[R], R]: ...
    @overload
    def watch(self, *calls: Call[Listing[R]], **options: Unpack[WatchKeywords]) -> Watch[list[R], R]: ...
    @overload
    def watch(self, *calls: Call[T], **options: Unpack[WatchKeywords]) -> Watch[T, T]: ...
    def watch(
        self,
        *calls: Call[Any],
        **options: Unpack[WatchKeywords],
    ) -> Watch[Any, Any]:
        """An endless iterator over the changes of one call, or several: ``for change in client.watch(call)``.

        What is there at first is not told, unless ``tell_first`` says so. Each call is looked at when the lifetime of
        its answer is over, and a little later, never before; an answer that has not changed costs one token. Lists in
        pages are compared as consistent snapshots; of lists that are walked from id to id the newest page is watched;
        of lists that are read by cursor what has changed, so that it is not told when one of their records is gone.

        Args:
            calls: what to watch; data that are not a list are compared as one row.
            key: tells rows of a list apart: a field, a tuple of fields, or a function of the row; None: as the
                catalogue knows (`esipy.core.changes`).
            store: where what was seen last is kept between runs, as for `cursor`: ``sqlite:///watches.sqlite3``,
                ``redis://localhost:6379/0`` or an object; None: nowhere. What changed while the program was away is
                told first. One store may serve any number of watches, but each call only one at a time.
            every: seconds between two looks at the least; None: a minute where ESI states no lifetime. Where it does,
                that is kept to in any case.
            tell_first: tell what is there at first, too: ``before`` is None then.
            priority: ``batch``: calls of your users go first.
            policy, max_wait, downtime: see `request`. Without ``max_wait`` a look that a limit holds up comes back
                later; lists of many parts wait.

        Raises:
            InvalidCallError: at once; a call cannot be sent, or ``key`` cannot be meant.
            SettingError: at once; another option cannot be meant.
        """
        from esipy.watching.watches import Watch

        return Watch(self._watcher(calls, options))

    def _stop_watching(self) -> None:
        """The client is closed."""
        for scheduler in self._schedulers():
            scheduler.close()
            crew: Any = scheduler.crew
            crew.end()
        watching: Watching | None = self.__dict__.get("_watches")
        if watching is not None:
            run(watching.close_stores())


class AsyncWatches(_Watches):
    """What `AsyncEsiClient` can do with data that change."""

    def _crew(self) -> Crew:
        from esipy.watching.crews import Tasks

        return Tasks()

    @overload
    def watch(self, *calls: Call[list[R]], **options: Unpack[WatchKeywords]) -> AsyncWatch[list[R], R]: ...
    @overload
    def watch(self, *calls: Call[Listing[R]], **options: Unpack[WatchKeywords]) -> AsyncWatch[list[R], R]: ...
    @overload
    def watch(self, *calls: Call[T], **options: Unpack[WatchKeywords]) -> AsyncWatch[T, T]: ...
    def watch(
        self,
        *calls: Call[Any],
        **options: Unpack[WatchKeywords],
    ) -> AsyncWatch[Any, Any]:
        """See `EsiClient.watch`. It is not awaited, but read with ``async for``."""
        from esipy.watching.watches import AsyncWatch

        return AsyncWatch(self._watcher(calls, options))

    async def _stop_watching(self) -> None:
        """The client is closed."""
        for scheduler in self._schedulers():
            scheduler.close()
            crew: Any = scheduler.crew
            await crew.end()
        watching: Watching | None = self.__dict__.get("_watches")
        if watching is not None:
            await watching.close_stores()
