"""Signals: what the library tells programs while it works.

A signal is sent with keyword arguments to each of its receivers::

    from esipy.events import AFTER_TOKEN_REFRESH

    @AFTER_TOKEN_REFRESH.connect
    def save(access_token, refresh_token, expires_in, **kwargs):
        ...

Rules: receivers are called in the order in which they were added, in the thread (or task) where the thing
happened. Receivers observe; what they return is ignored. The library sends robustly: a receiver that raises is
logged to ``esipy.events`` and costs neither the token nor the answer. Who is added or removed while a signal is
being sent is heeded from the next sending on. Signals may be used by any threads and tasks at once.

Every signal:

| signal | argument | type | what it is |
|---|---|---|---|
| AFTER_TOKEN_REFRESH | | | sent when a request has refreshed the token (not by ``security.refresh()``) |
| | access_token | str | the new access token |
| | refresh_token | str or None | the refresh token to store now; None when the login had no scopes |
| | expires_in | int | seconds for which the access token is good |
| | token_type | str | ``Bearer`` |
| | token_identifier | Any | what the program gave to the security object to know it by; None when nothing |
| | previous_refresh_token | str or None | the refresh token that was used; differs when the SSO rotated it |
| | **extra | Any | whatever else the token endpoint answered |
| API_CALL_STATS | | | sent after each HTTP exchange: also a 304, each retry, a connection error; not a hit |
| | url | str | what was asked for, without any token |
| | status_code | int | the HTTP status; 500 when no answer came |
| | elapsed_time | float | seconds from sending to the whole answer |
| | message | str or None | None for status 200; else the body as text, or what broke the connection |
| | operation_id | str or None | the operation, in snake case; None for an exchange that belongs to none |
| | method | str | the HTTP method, upper case |
| | principal | str | whom ESI counts the exchange against |
| | attempt | int | 1 for the first exchange of a call, 2 for its first retry |
| ANSWER_DRIFTED | | | sent once for each answer that did not fit its declared type; the call succeeded |
| | operation_id | str | the operation, in snake case |
| | url | str | what was asked for, without any token |
| | places | tuple[str, ...] | where and what, as ``$[].new_field: unknown field`` |

A receiver without ``**kwargs`` gets only the arguments that it names, and later versions may add arguments to
every signal. To a type checker a receiver always has ``**kwargs``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, MutableSequence
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar, overload

from esipy._delivery import Names, failed, full_name, hand_over, names_taken, refuse_coroutine

__all__ = ["AFTER_TOKEN_REFRESH", "ANSWER_DRIFTED", "API_CALL_STATS", "Signal"]

P = ParamSpec("P")
R = TypeVar("R")


class _Entry:
    """A receiver as it was added: ``call`` is what sending calls."""

    __slots__ = ("call", "names", "receiver")

    def __init__(self, receiver: Callable[..., object], call: Callable[..., object], names: Names) -> None:
        self.receiver = receiver
        self.call = call
        self.names = names


class Signal(Generic[P]):
    """Something that happens, and who wants to know.

    ``Signal()`` takes any arguments. ``Signal("NAME", spec)`` has those of ``spec``, a function that is never
    called: its signature is the declaration that type checkers and `add_receiver` hold receivers to.

    Receivers are kept in a tuple that is replaced at each change, so sending takes no lock: receivers may add,
    remove and send. A receiver is kept alive by the signal, and called as often as it was added.

    Attributes:
        name: for logs and errors.
        spec: the function that declares the arguments; None when they are not declared.
    """

    __slots__ = ("__weakref__", "_declared", "_dropped", "_entries", "_live", "_lock", "_muted", "name", "spec")

    @overload
    def __init__(self: Signal[...], name: str = ...) -> None: ...
    @overload
    def __init__(self, name: str, spec: Callable[P, object]) -> None: ...
    def __init__(self, name: str = "Signal()", spec: Callable[..., object] | None = None) -> None:
        self.name = name
        self.spec = spec
        self._declared: tuple[str, ...] | None = None
        self._lock = threading.Lock()
        self._entries: tuple[_Entry, ...] = ()
        self._muted = 0
        self._dropped = 0
        self._live: tuple[tuple[Callable[..., object], Names], ...] = ()
        """What sending walks: the entries, or nothing while muted."""

    def __repr__(self) -> str:
        return f"<Signal {self.name}, {len(self._entries)} receivers{', muted' if self._muted else ''}>"

    # -- who is told -------------------------------------------------------------------------------------------

    @property
    def receivers(self) -> tuple[Callable[..., object], ...]:
        """Who is told, in order."""
        return tuple(entry.receiver for entry in self._entries)

    @property
    def event_receivers(self) -> MutableSequence[Callable[..., object]]:
        """The receivers as version 1's list: live, it may be read, changed and assigned."""
        return _EventReceivers(self)

    @event_receivers.setter
    def event_receivers(self, receivers: Iterable[Callable[..., object]]) -> None:
        entries = tuple(self._entry(receiver, deferred=False) for receiver in receivers)
        self._change(lambda _: entries)

    @property
    def has_receivers(self) -> bool:
        """Whether sending would tell anyone: a payload that is dear to make need not be made otherwise."""
        return bool(self._live)

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

        def without(entries: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
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
            # hand_over(), written out: this runs for every exchange of every program.
            if names is None or names.issuperset(kwargs):
                answer = call(**kwargs)
            else:
                answer = call(**{name: kwargs[name] for name in names if name in kwargs})
            if answer is not None:
                refuse_coroutine(answer, call)

    def send_robust(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell each receiver; an `Exception` of one is logged (``esipy.events``), and the next is told."""
        if args:
            self._refuse_positions()
        for call, names in self._live:
            try:
                refuse_coroutine(hand_over(call, names, kwargs), call)
            except Exception as error:
                failed(self.name, call, error, kwargs)

    async def asend(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `send`; coroutine functions are awaited, one after the other."""
        if args:
            self._refuse_positions()
        for call, names in self._live:
            answer = hand_over(call, names, kwargs)
            if isinstance(answer, Coroutine):
                await answer

    async def asend_robust(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `send_robust`; coroutine functions are awaited, one after the other. A cancellation is obeyed."""
        if args:
            self._refuse_positions()
        for call, names in self._live:
            try:
                answer = hand_over(call, names, kwargs)
                if isinstance(answer, Coroutine):
                    await answer
            except Exception as error:
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

    def _entry(self, receiver: Any, *, deferred: bool) -> _Entry:
        if not callable(receiver):
            raise TypeError(f"a receiver of {self.name} has to be callable, not {type(receiver).__name__} {receiver!r}")
        if self._declared is None and self.spec is not None:
            code = self.spec.__code__
            self._declared = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        names = names_taken(receiver, self.name, self._declared)
        return (
            _Entry(receiver, self._deferring(receiver, names), None) if deferred else _Entry(receiver, receiver, names)
        )

    def _deferring(self, receiver: Callable[..., object], names: Names) -> Callable[..., None]:
        """A function that queues the delivery to ``receiver``."""
        import inspect

        from esipy._deferred import WORKER

        if inspect.iscoroutinefunction(receiver):
            raise TypeError(
                f"receiver {full_name(receiver)} is a coroutine function, which cannot be deferred; "
                "make it a plain function (it may call asyncio.run), or add it without deferred=True"
            )

        def queue(**payload: Any) -> None:
            def deliver() -> None:
                try:
                    refuse_coroutine(hand_over(receiver, names, payload), receiver)
                except BaseException as error:  # even SystemExit: the worker has others to serve
                    failed(self.name, receiver, error, payload)

            if not WORKER.put(deliver):
                with self._lock:
                    self._dropped += 1

        return queue

    def _change(self, change: Callable[[tuple[_Entry, ...]], tuple[_Entry, ...]]) -> None:
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
        self._live = () if self._muted else tuple((entry.call, entry.names) for entry in self._entries)

    def _refuse_positions(self) -> None:
        raise TypeError(f"{self.name} is sent with keyword arguments only")


class _EventReceivers(MutableSequence[Callable[..., object]]):
    """Version 1's list ``event_receivers``: reads and changes the signal."""

    def __init__(self, signal: Signal[...]) -> None:
        self._signal = signal

    def _list(self) -> list[Callable[..., object]]:
        return list(self._signal.receivers)

    def __len__(self) -> int:
        return len(self._signal.receivers)

    def __getitem__(self, place: Any) -> Any:
        return self._list()[place]

    def __setitem__(self, place: Any, receiver: Any) -> None:
        receivers = self._list()
        receivers[place] = receiver
        self._signal.event_receivers = receivers

    def __delitem__(self, place: Any) -> None:
        receivers = self._list()
        del receivers[place]
        self._signal.event_receivers = receivers

    def insert(self, index: int, value: Callable[..., object]) -> None:
        receivers = self._list()
        receivers.insert(index, value)
        self._signal.event_receivers = receivers

    def __eq__(self, other: object) -> bool:
        return self._list() == (other._list() if isinstance(other, _EventReceivers) else other)

    def __repr__(self) -> str:
        return repr(self._list())


# A spec is the one declaration of a signal's arguments; the table above says what they are. ``**extra`` lets
# arguments be added without breaking anyone's typed receiver.


def _after_token_refresh(
    *,
    access_token: str,
    refresh_token: str | None,
    expires_in: int,
    token_type: str,
    token_identifier: Any,
    previous_refresh_token: str | None,
    **extra: Any,
) -> None:
    """Sent when a request has refreshed the token (not by ``security.refresh()``)."""


def _api_call_stats(
    *,
    url: str,
    status_code: int,
    elapsed_time: float,
    message: str | None,
    operation_id: str | None,
    method: str,
    principal: str,
    attempt: int,
    **extra: Any,
) -> None:
    """Sent after each HTTP exchange: also a 304, each retry, a connection error; not a hit."""


def _answer_drifted(*, operation_id: str, url: str, places: tuple[str, ...], **extra: Any) -> None:
    """Sent once for each answer that did not fit its declared type; the call succeeded."""


AFTER_TOKEN_REFRESH = Signal("AFTER_TOKEN_REFRESH", _after_token_refresh)
API_CALL_STATS = Signal("API_CALL_STATS", _api_call_stats)
ANSWER_DRIFTED = Signal("ANSWER_DRIFTED", _answer_drifted)
