"""What a process remembers of the logins of one application in one store.

Owns three tables, shared by all clients of the process that use the store, and their rules:

- Access tokens: of the characters used last, `MOST_SEEN` at the most, so that a service with a hundred thousand of them
  takes no more memory than one with a thousand. Others are looked up in the store again.
- What could not be saved: never forgotten while the process lives, because the SSO gives it only once (T38).
- What came for a bare refresh token in an answer that was refused: whose it is is not known, so no store can keep it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from esipy._forks import forget_after_fork, fork_lock
from esipy.events import Signal
from esipy.runtime.base import Runtime
from esipy.sso.leases import Lease
from esipy.sso.vault import Stored

__all__ = ["MOST_SEEN", "Known", "News", "Seen", "Told", "Unsaved", "tell"]

MOST_SEEN = 1024


class Seen(NamedTuple):
    """An access token of which a process knows.

    Attributes:
        access_token: None when there is none.
        expires_at: by the SSO's clock, in seconds since 1970 (UTC).
        scopes: what it allows; None: not known yet.
        renew_at: from when on somebody is to refresh it, although it is still good; infinite: nobody can.
        look_at: from when on it is looked at in the store again: others may have put another login there.
        renewable: whether there is a refresh token.
        owner: the hash of the account that logged in; empty: not known.
    """

    access_token: str | None
    expires_at: float
    scopes: frozenset[str] | None
    renew_at: float
    look_at: float
    renewable: bool
    owner: str

    def __repr__(self) -> str:
        return "<an access token>"


Told = tuple[Signal[...], dict[str, Any]]
"""A signal, and what it is to tell."""

News = list[Told]
"""Signals to be told, when everything else is done: no lease and no place for refreshing is held any more."""


async def tell(runtime: Runtime, news: Iterable[Told]) -> None:
    """Tell them, in their order."""
    for signal, payload in news:
        await runtime.tell(signal, payload)


class Unsaved(NamedTuple):
    """What the SSO gave and the store has not taken yet.

    Attributes:
        stored: what is to be saved; its version is the one that it replaces, 0: none.
        spent: the refresh tokens that were sent for it; None: it is a login of its own, and replaces whatever is there.
        told: what is to be told when it is saved; None: nothing.
    """

    stored: Stored
    spent: frozenset[str] | None
    told: Told | None = None

    def __repr__(self) -> str:
        return "<tokens to be saved>"


class Known:
    """The tables. Any threads and tasks may share them.

    Attributes:
        unsaved: what could not be saved, by character.
        aside: refresh tokens that came in answers that were refused, by the one that was given to be added (T42).
        news: of what was saved late: to be told by who has saved it, when it is done.
        clock_error: seconds by which the SSO's clock is ahead of ours, as its last answer told.
        has_clock: whether it told.
        leases: that keep others from the tokens of a character while the new ones are not saved.
    """

    def __init__(self) -> None:
        self._lock = fork_lock()
        self._seen: dict[int, Seen] = {}
        self.unsaved: dict[int, Unsaved] = {}
        self.leases: dict[int, Lease] = {}
        self.aside: dict[str, str] = {}
        self.news: deque[Told] = deque()
        self.clock_error = 0.0
        self.has_clock = False
        self.forget()
        forget_after_fork(self)

    def forget(self) -> None:
        """In a child after fork: whoever renewed is not there."""
        self._renewing: set[int] = set()

    def seen(self, character_id: int) -> Seen | None:
        """What is remembered of a character."""
        # Without the lock: it is replaced, never changed.
        return self._seen.get(character_id)

    def see(self, character_id: int, seen: Seen) -> Seen:
        """Remember it, as the one used last."""
        with self._lock:
            self._seen.pop(character_id, None)
            self._seen[character_id] = seen
            if len(self._seen) > MOST_SEEN:
                del self._seen[next(iter(self._seen))]
        return seen

    def lose(self, character_id: int) -> None:
        """Look it up at its next use."""
        with self._lock:
            self._seen.pop(character_id, None)

    def postpone(self, character_id: int, access_token: str | None, renew_at: float) -> bool:
        """Renew a token at another time; whether it is still the one that is remembered: a logout may have come."""
        with self._lock:
            seen = self._seen.get(character_id)
            if seen is None or seen.access_token != access_token:
                return False
            self._seen[character_id] = seen._replace(renew_at=renew_at)
            return True

    def have(self, unsaved: Unsaved) -> None:
        """Remember it until it is saved, in the place of what was to be saved before; a new login stays."""
        character_id = unsaved.stored.record.character_id
        with self._lock:
            before = self.unsaved.get(character_id)
            if before is None or before.spent is not None or unsaved.spent is None:
                self.unsaved[character_id] = unsaved

    def had(self, unsaved: Unsaved) -> bool:
        """It is saved; whether it was not known to be."""
        character_id = unsaved.stored.record.character_id
        with self._lock:
            if self.unsaved.get(character_id) is not unsaved:
                return False
            del self.unsaved[character_id]
            return True

    def hear(self, clock_error: float | None) -> None:
        """The SSO has told its time; None: it has not."""
        if clock_error is not None:
            self.clock_error, self.has_clock = clock_error, True

    def begin_renewal(self, character_id: int) -> bool:
        """Whether the caller is the one who is to refresh a token that is still good: `end_renewal` ends it."""
        with self._lock:
            if character_id in self._renewing:
                return False
            self._renewing.add(character_id)
            return True

    def end_renewal(self, character_id: int) -> None:
        """The refresh has ended, well or not."""
        with self._lock:
            self._renewing.discard(character_id)
