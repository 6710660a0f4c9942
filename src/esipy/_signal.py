"""The class `Signal`: who is told, and the telling. Public as ``esipy.events.Signal``.

Rules kept here: receivers are kept in a tuple that is replaced at each change, so sending takes no lock, and who
is added or removed meanwhile is heeded from the next sending on; the lock is never held while foreign code runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, MutableSequence
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar, overload

from esipy._delivery import Names, failed, hand_over, is_meant_for_us, names_taken, refuse_coroutine
from esipy._forks import forget_after_fork
from esipy._receivers import Entry, EventReceivers

__all__ = ["Signal"]

P = ParamSpec("P")
R = TypeVar("R")


class Signal(Generic[P]):
    """Something that happens, and who wants to know.

    ``Signal()`` takes any arguments. ``Signal("NAME", spec)`` has those of ``spec``, a function that is never
    called: its signature is the declaration that type checkers and `add_receiver` hold receivers to.

    Any thread or task may add, remove and send at any time, receivers too. A receiver that is added or removed while a
    signal is being sent is heeded from the next sending on. A receiver is kept alive by the signal.

    Attributes:
        name: for logs and errors.
        spec: the function that declares the arguments; None when they are not declared.
        has_receivers: whether sending would tell anyone: a payload that is dear to make need not be made otherwise.
    """

    __slots__ = (
        "__weakref__", "_dropped", "_entries", "_live", "_lock", "_muted", "_receivers", "has_receivers", "name",
        "spec",
    )  # fmt: skip

    @overload
    def __init__(self: Signal[...], name: str = ...) -> None: ...
    @overload
    def __init__(self, name: str, spec: Callable[P, object]) -> None: ...
    def __init__(self, name: str = "Signal()", spec: Callable[..., object] | None = None) -> None:
        self.name = name
        self.spec = spec
        self._lock = threading.Lock()
        self._entries: tuple[Entry, ...] = ()
        self._receivers: tuple[Callable[..., object], ...] = ()
        self._muted = 0
        self._dropped = 0
        self.has_receivers = False
        self._live: tuple[tuple[Callable[..., object], Names], ...] = ()
        """What sending walks: the entries, or nothing while muted."""
        forget_after_fork(self)

    def __repr__(self) -> str:
        return f"<Signal {self.name}, {len(self._entries)} receivers{', muted' if self._muted else ''}>"

    # -- who is told -------------------------------------------------------------------------------------------

    @property
    def receivers(self) -> tuple[Callable[..., object], ...]:
        """Who is told, in order."""
        return self._receivers

    @property
    def event_receivers(self) -> MutableSequence[Callable[..., object]]:
        """The receivers as version 1's list: live, it may be read, changed and assigned."""
        return EventReceivers(lambda: self._entries, self._entry, self._change)

    @event_receivers.setter
    def event_receivers(self, receivers: Iterable[Callable[..., object]]) -> None:
        self.event_receivers[:] = receivers

    def add_receiver(self, receiver: Callable[P, object], *, deferred: bool = False) -> None:
        """Tell ``receiver`` from now on; adding it twice tells it twice.

        Args:
            receiver: a function, bound method, partial or object with ``__call__``; a coroutine function only
                where the sender awaits (the asyncio client).
            deferred: deliver from one background thread, in order, so that a slow receiver slows no call. At most
                10,000 deliveries wait; beyond, new ones are dropped, counted in `dropped` and told by a log
                warning. At exit they are waited for 5 seconds. Its failures are always logged.

        Raises:
            TypeError: not callable, or it requires an argument that this signal does not have.
        """
        entry = self._entry(receiver, deferred=deferred)
        self._change(lambda entries: (*entries, entry))

    def remove_receiver(self, receiver: Callable[..., object]) -> None:
        """Tell ``receiver`` no more (once less, when it was added more than once). No error when it is absent."""

        def without(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            for place, entry in enumerate(entries):
                if entry.receiver == receiver:
                    return entries[:place] + entries[place + 1 :]
            return entries

        self._change(without)

    @overload
    def connect(self, receiver: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def connect(self, /, *, deferred: bool = ...) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
    def connect(self, receiver: Callable[..., object] | None = None, /, *, deferred: bool = False) -> Any:
        """Decorate a receiver: ``@SIGNAL.connect`` or ``@SIGNAL.connect(deferred=True)``."""

        def add(receiver: Callable[P, R]) -> Callable[P, R]:
            self.add_receiver(receiver, deferred=deferred)
            return receiver

        return add if receiver is None else add(receiver)

    @contextmanager
    def connected_to(self, receiver: Callable[P, object], *, deferred: bool = False) -> Generator[None]:
        """Tell ``receiver`` within a with-block; what was added before stays as it was."""
        added = self._entry(receiver, deferred=deferred)
        self._change(lambda entries: (*entries, added))
        try:
            yield
        finally:
            self._change(lambda entries: tuple(entry for entry in entries if entry is not added))

    @contextmanager
    def muted(self) -> Generator[None]:
        """Tell nobody within a with-block.

        This holds for all threads and tasks, since another than the caller's may do an exchange or a refresh.
        """
        self._mute(+1)
        try:
            yield
        finally:
            self._mute(-1)

    # -- telling -----------------------------------------------------------------------------------------------

    def send(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell each receiver, in the order of adding; an exception stops and propagates.

        Raises:
            TypeError: a receiver is a coroutine function.
        """
        if args:
            self._refuse_positions()
        for call, names in self._live:
            # hand_over(), written out: a call less is a third of the cost.
            if names is None or names.issuperset(kwargs):
                answer = call(**kwargs)
            else:
                answer = call(**{name: kwargs[name] for name in names if name in kwargs})
            if answer is not None:
                refuse_coroutine(answer, call)

    def send_robust(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell each receiver; what one raises is logged (``esipy.events``), and the next is told.

        KeyboardInterrupt and SystemExit are obeyed, and so is a cancellation, if it is this task that is cancelled.
        """
        if args:
            self._refuse_positions()
        for call, names in self._live:
            try:
                answer = hand_over(call, names, kwargs)
                if answer is not None:
                    refuse_coroutine(answer, call)
            except BaseException as error:
                if is_meant_for_us(error):
                    raise
                failed(self.name, call, error, kwargs)

    async def asend(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `send`; coroutine functions are awaited, one after the other."""
        if args:
            self._refuse_positions()
        for call, names in self._live:
            answer = hand_over(call, names, kwargs)
            if answer is not None and isinstance(answer, Coroutine):
                await answer

    async def asend_robust(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `send_robust`; coroutine functions are awaited, one after the other."""
        if args:
            self._refuse_positions()
        for call, names in self._live:
            try:
                answer = hand_over(call, names, kwargs)
                if answer is not None and isinstance(answer, Coroutine):
                    await answer
            except BaseException as error:
                if is_meant_for_us(error):
                    raise
                failed(self.name, call, error, kwargs)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until what was sent to deferred receivers (of any signal) is delivered.

        Args:
            timeout: seconds; None waits without limit.

        Returns:
            False when the time passed first.

        Raises:
            RuntimeError: called by a deferred receiver, which would wait for itself.
        """
        from esipy._deferred import WORKER

        return WORKER.flush(timeout)

    @property
    def dropped(self) -> int:
        """How many deliveries to deferred receivers of this signal were dropped, because too many waited."""
        return self._dropped

    # -- within ------------------------------------------------------------------------------------------------

    def _entry(self, receiver: Any, *, deferred: bool = False) -> Entry:
        if not callable(receiver):
            raise TypeError(f"a receiver of {self.name} has to be callable, not {type(receiver).__name__} {receiver!r}")
        names = names_taken(receiver, self.name, self._arguments())
        if not deferred:
            return Entry(receiver, receiver, names)
        from esipy._deferred import deferring

        return Entry(receiver, deferring(receiver, names, self.name, self._count_dropped), None)

    def _arguments(self) -> tuple[str, ...] | None:
        """The names of the declared arguments."""
        if self.spec is None:
            return None
        code = self.spec.__code__
        return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    def _count_dropped(self) -> None:
        with self._lock:
            self._dropped += 1

    def _change(self, change: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]) -> None:
        # Receivers are compared outside the lock (their __eq__ is foreign code), so another thread may be first.
        while True:
            before = self._entries
            after = change(before)
            with self._lock:
                if self._entries is before:
                    self._entries = after
                    self._tune()
                    return

    def _mute(self, step: int) -> None:
        with self._lock:
            self._muted += step
            self._tune()

    def _tune(self) -> None:
        self._receivers = tuple(entry.receiver for entry in self._entries)
        self._live = () if self._muted else tuple((entry.call, entry.names) for entry in self._entries)
        self.has_receivers = bool(self._live)

    def forget(self) -> None:
        """In a child after fork: whoever held the lock is not there, and may have been half done."""
        self._lock = threading.Lock()
        self._tune()

    def _refuse_positions(self) -> None:
        raise TypeError(f"{self.name} is sent with keyword arguments only")
