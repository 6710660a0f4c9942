"""One call that is watched: what was seen of it last, what has changed since, and when to look again.

What was seen last is kept in memory, and under a name in a store, if there is one. It is saved when a change has been
*taken*, that is told: so after an orderly end a change is told once, whatever happened while the program was away; and
when the program was killed between telling and saving, it is told again, with what has changed since.
"""

from __future__ import annotations

import base64
import logging
import zlib
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from esipy.core.changes import Difference, Modified, compare, key_function
from esipy.core.moments import as_seconds
from esipy.engine.decoding import decoder_for
from esipy.engine.pipeline import Engine
from esipy.exceptions import ClientError, LimitedError, SSOError, SSOUnavailableError, UnauthorizedError
from esipy.operation import Call
from esipy.watching.options import Options
from esipy.watching.schedule import LONGEST_PAUSE_SECONDS, after_failure, after_look
from esipy.watching.sights import Seen, Sight, shape_of

__all__ = ["Changed", "LoginHold", "Watched", "is_lasting"]

LOGGER = logging.getLogger("esipy.watching")

D = TypeVar("D")
R = TypeVar("R")

FORMAT = 1
"""Of what is saved."""

LONGEST_TRUST_SECONDS = 86400.0
"""A moment that was saved and is further ahead is a clock's error."""

DOWN_PAUSE_SECONDS = 60.0
"""In the daily downtime a look costs nothing: it sends nothing."""


class Changed(NamedTuple, Generic[D, R]):
    """One change of the data of a call.

    Attributes:
        call: what is watched.
        before: what was there before; None at the first look, which is told with ``tell_first`` alone.
        after: what is there now: of a list all rows that were seen.
        added, removed, modified: the rows that differ; which row is which is told by their key. Data that are not a
            list count as one row.
    """

    call: Call[Any]
    before: D | None
    after: D
    added: tuple[R, ...]
    removed: tuple[R, ...]
    modified: tuple[Modified[R], ...]


class LoginHold:
    """A login that fails holds back all calls that need it: one of them tries now and then."""

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0.0

    def failed(self, now: float, chance: float) -> float:
        """It failed again; gives when to try next."""
        self.failures += 1
        self.until = after_failure(now, self.failures, None, None, LONGEST_PAUSE_SECONDS, chance)
        return self.until

    def works(self) -> None:
        """It does not fail any more."""
        self.failures, self.until = 0, 0.0


def is_lasting(error: Exception) -> bool:
    """Whether an error does not pass by itself: the login is dead, or ESI refuses the call."""
    if isinstance(error, SSOError):
        return not isinstance(error, SSOUnavailableError)
    return isinstance(error, ClientError) and not isinstance(error, LimitedError)


_Saved = tuple[int, float | None, str | None, str]
"""Format, until when it was fresh, position, and the data as JSON, compressed."""


class Watched:
    """A call that is watched.

    Attributes:
        call: which.
        due: when to look at it next.
        failures: how often in a row it could not be looked at.

    Raises:
        InvalidCallError: it cannot be sent, or ``key`` cannot tell rows apart.
    """

    def __init__(self, engine: Engine, call: Call[Any], options: Options, hold: LoginHold) -> None:
        call.check_sendable()
        self.call = call
        self.due = engine.runtime.now()
        self.failures = 0
        self._engine = engine
        self._options = options
        self._hold = hold if call.operation.scope is not None else None
        self._shape = shape_of(call.operation)
        self._key_of = key_function(self._shape.key if options.key is None else options.key, self._shape.fields)
        self._sight = Sight(engine, call, options, self._key_of)
        self._loaded = options.store is None
        self._known: Any = None
        self._has_seen = False
        self._position: str | None = None
        self._fresh_until: float | None = None
        self._unsaved = False

    @property
    def url(self) -> str:
        """What is asked for; it holds no token."""
        return (self.call.operation.base_url or self._engine.settings.base_url) + self.call.target

    @property
    def name(self) -> str:
        """Under which the store keeps what was seen: whose it is, and of what; no token."""
        call, settings = self.call, self._engine.settings
        signer = self._engine.signer
        who = call.holder or ("ip" if signer is None or self._hold is None else signer.principal)
        body = "" if call.body is None else f" {call.body.decode()}"
        return f"watch {self.url} {call.language or settings.language} {settings.tenant} {who}{body}"

    async def look(self) -> Changed[Any, Any] | None:
        """See whether it has changed, and set `due`; None: it has not, or there was nothing before.

        A change that this gives is to be `taken` before the next look.

        Raises:
            APIException: it could not be seen; `due` is put off.
            StoreUnavailable: what was seen last cannot be loaded, or not be saved; so is it.
        """
        runtime = self._engine.runtime
        try:
            if not self._loaded and await self._load():
                return None
            if self._hold is not None and self._hold.until > runtime.now():
                self.due = self._hold.until + runtime.random()
                return None
            seen = await self._sight.look(self._known, self._position)
        except Exception as error:
            self._failed(error)
            raise
        if seen.is_stale:
            self._failed(None)
            return None
        self.failures = 0
        if self._hold is not None:
            self._hold.works()
        lifeless = self.call.operation.lifetime_seconds is None
        every_seconds = self._options.every_seconds
        floor = self._engine.settings.freshness_floor
        if every_seconds is None and floor and (lifeless or self.call.operation.cache_mode == "event-based"):
            every_seconds = floor
        now = runtime.now()
        self._fresh_until = seen.fresh_until
        self.due = after_look(now, seen.fresh_until, every_seconds, lifeless, runtime.random())
        return await self._compared(seen)

    async def _compared(self, seen: Seen) -> Changed[Any, Any] | None:
        before, after, is_first = self._known, seen.data, not self._has_seen
        moved = seen.position != self._position
        self._known, self._position, self._has_seen = after, seen.position, True
        if self._shape.is_list:
            found = compare(before or (), after or (), self._key_of, window=seen.is_window)
        elif is_first:
            found = Difference((after,), (), ())
        else:
            found = Difference((), (), () if before == after else (Modified(before, after),))
        if is_first and not self._options.tell_first:
            await self.taken()
            return None
        if found.is_none and not is_first:
            if moved or self._unsaved:
                await self.taken()
            return None
        return Changed(self.call, before, after, *found)

    def _failed(self, error: Exception | None) -> None:
        """Put off the next look."""
        self.failures += 1
        runtime, is_down = self._engine.runtime, self._engine.watch.downtime.is_on
        now, chance = runtime.now(), runtime.random()
        if self._hold is not None and is_of_login(error):
            self.due = self._hold.failed(now, chance)
            return
        longest = DOWN_PAUSE_SECONDS if is_down else LONGEST_PAUSE_SECONDS
        retry_at = as_seconds(getattr(error, "retry_at", None))
        self.due = after_failure(now, self.failures, self._fresh_until, retry_at, longest, chance)

    # ---- what is kept between runs ----

    async def taken(self) -> None:
        """What was seen has been told: it is what the next look is compared with, in this run and in others.

        Raises:
            StoreUnavailable: it cannot be saved.
        """
        store = self._options.store
        if store is not None:
            runtime = self._engine.runtime
            self._unsaved = True
            await runtime.join(runtime.begin(lambda: store.save(self.name, self._as_text())))
            self._unsaved = False

    def _as_text(self) -> str:
        field = self._shape.field
        data = self._known if field is None else {field: self._known}
        packed = zlib.compress(msgspec.json.encode(data, enc_hook=str), 1)
        saved: _Saved = (FORMAT, self._fresh_until, self._position, base64.b85encode(packed).decode())
        return msgspec.json.encode(saved).decode()

    async def _load(self) -> bool:
        """Read what is saved; gives whether it is still fresh, so that there is no need to look."""
        store = self._options.store
        assert store is not None
        runtime = self._engine.runtime
        text = await runtime.join(runtime.begin(store.load, self.name))
        self._loaded = True
        if text is None:
            return False
        try:
            form, fresh_until, position, packed = msgspec.json.decode(text, type=_Saved)
            if form != FORMAT:
                raise ValueError(f"is of format {form}")
            known = self._decoded(zlib.decompress(base64.b85decode(packed)))
        except (ValueError, zlib.error) as error:  # msgspec's errors are ValueErrors
            LOGGER.warning(
                "%r: what was saved of it cannot be read (%s): it is watched as if for the first time", self.call, error
            )
            return False
        self._known, self._position, self._has_seen = known, position, True
        now = runtime.now()
        if fresh_until is not None and now < fresh_until < now + LONGEST_TRUST_SECONDS:
            self._fresh_until = fresh_until
            self.due = after_look(now, fresh_until, None, False, runtime.random())
            return True
        return False

    def _decoded(self, raw: bytes) -> Any:
        operation, field = self.call.operation, self._shape.field
        decoder = decoder_for(operation)
        data = decoder.decode_kept(raw) if self.call.typed else operation.shaped(decoder.data_kept(raw))
        return data if field is None else getattr(data, field)

    def __repr__(self) -> str:
        return f"<Watched {self.call!r}>"


def is_of_login(error: Exception | None) -> bool:
    """Whether it is the login that failed, so that other calls with it would fail, too."""
    return isinstance(error, SSOError | UnauthorizedError)
