"""What each caller has spent, told in headers, and refused when nothing is left.

Rules: an operation of a group spends from the bucket of its group and principal (`esi_window`); all other
operations share the error limit (`esi_errors`); some routes have a limiter of their own that tells nothing
(`esi_hidden`). Headers are always sent; refusing can be switched off. A call is let in or refused when it comes, and
counted when its answer goes.

Source: ESI's rate limiting and best practices documentation, ``x-rate-limit`` in its document.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from threading import RLock
from typing import Any, TypedDict, Unpack

from esipy import ops
from esipy.operation import Operation, RateGroup
from esipy.sandbox.esi_asked import Refused
from esipy.sandbox.esi_buckets import Buckets
from esipy.sandbox.esi_errors import ErrorWindow
from esipy.sandbox.esi_foreign import Manner
from esipy.sandbox.esi_hidden import HiddenLimits
from esipy.sandbox.esi_window import Bucket, Foreign, cost_of
from esipy.sandbox.exchange import Identity

__all__ = ["ADDRESS", "LimitOptions", "Limits", "group_headers", "principal_of"]

ADDRESS = "address"
"""The principal of public calls without a token: everyone in the sandbox comes from one address."""


class LimitOptions(TypedDict, total=False):
    """How limits are counted. Settings that are None or absent stay as they are.

    release_late_seconds: spends are counted in slots of this length, and come back up to this much late; 0 (the
        default): exactly one window after they were counted.
    hidden_limits: operations (snake case) that have a limiter inside the game server, and how many requests a minute
        it lets through, as `esi_hidden.HIDDEN_LIMITS`; an empty one (the default) takes all of them away.
    hidden_status: what it answers: 429 (the default) or 520; both without a header that tells of it.
    foreign_share: the share of each bucket's limit that other programs spend while they are there; 0 by default.
    foreign_manner: how they do: ``even`` (the default) or ``bursts``.
    """

    release_late_seconds: float | None
    hidden_limits: Mapping[str, int] | None
    hidden_status: int | None
    foreign_share: float | None
    foreign_manner: Manner | None


class Limits:
    """The ledgers of one sandbox; its methods may be called from any thread.

    Args:
        seed: others who spend follow from it.
        enforce: spent limits answer 429 and 420; else they are only told.
        on_foreign: is told what others spend.
        options: how it counts.

    Attributes:
        enforce: may be switched at any time.
        buckets, hidden, errors: the ledgers, for those who have the sandbox for themselves.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        enforce: bool = True,
        on_foreign: Foreign | None = None,
        **options: Unpack[LimitOptions],
    ) -> None:
        self.enforce = enforce
        self.buckets = Buckets(seed, on_foreign)
        self.hidden = HiddenLimits()
        self.errors = ErrorWindow()
        self._lock = RLock()
        self.set(0.0, **options)

    def set(
        self,
        now: float,
        *,
        release_late_seconds: float | None = None,
        hidden_limits: Mapping[str, int] | None = None,
        hidden_status: int | None = None,
        foreign_share: float | None = None,
        foreign_manner: Manner | None = None,
    ) -> None:
        """Count in another way from now on, see `LimitOptions`.

        Raises:
            KeyError: there is no such operation.
            ValueError: an option cannot be meant.
        """
        with self._lock:
            if release_late_seconds is not None:
                self.buckets.count_in_slots(release_late_seconds)
            if hidden_status is not None:
                self.hidden.answer_with(hidden_status)
            if hidden_limits is not None:
                self.hidden.set(hidden_limits)
            if foreign_share is not None or foreign_manner is not None:
                self.buckets.share(now, foreign_share, foreign_manner)

    def settings(self) -> dict[str, Any]:
        """How it counts now: ``enforce_limits`` and the `LimitOptions`."""
        with self._lock:
            strangers = self.buckets.strangers
            return {
                "enforce_limits": self.enforce,
                "release_late_seconds": self.buckets.slot_seconds,
                "hidden_limits": {window.name: window.limit for window in self.hidden},
                "hidden_status": self.hidden.status,
                "foreign_share": strangers.share,
                "foreign_manner": strangers.manner,
            }

    def check_errors(self, now: float) -> None:
        """Refuse every call when the error limit is spent.

        Raises:
            Refused: 420.
        """
        with self._lock:
            if self.enforce and self.errors.is_over(now):
                self.errors.refusals += 1
                raise Refused(420, "error limited")

    def check(self, operation: Operation[Any], identity: Identity | None, now: float) -> None:
        """Refuse a call for which there is nothing left.

        Raises:
            Refused: 429 with ``Retry-After``, or what the limiter inside the game server answers.
        """
        with self._lock:
            if self.enforce and operation.group is not None:
                bucket = self.buckets.at(operation.group, principal_of(operation, identity), now)
                if not bucket.has_room():
                    bucket.refusals += 1
                    retry = [("Retry-After", str(bucket.retry_after(now)))]
                    raise Refused(429, "rate limit exceeded", headers=retry)
            if self.hidden.refuses(operation.name, now):
                raise Refused(self.hidden.status, self.hidden.message, silent=True)

    def charge(
        self, operation: Operation[Any] | None, identity: Identity | None, status: int, now: float
    ) -> list[tuple[str, str]]:
        """Book an answer; gives the headers that tell how much is left."""
        with self._lock:
            group = None if operation is None else operation.group
            if operation is None or group is None or status == 420:
                if status >= 400 and status != 420:
                    self.errors.add(now)
                return self.errors.headers(now)
            bucket = self.buckets.at(group, principal_of(operation, identity), now)
            bucket.spend(now, cost_of(status))
            return group_headers(bucket, group)

    def spend(self, group: str, principal: str, tokens: int, now: float) -> int:
        """Somebody else spends now; gives what is used then.

        Args:
            group: a rate-limit group's name.
            principal: ``address``, ``client_id:address`` or ``client_id:character_id``.
            tokens: how many.

        Raises:
            KeyError: there is no such group.
            ValueError: ``tokens`` is negative.
        """
        known = _groups()
        if group not in known:
            raise KeyError(f"no rate-limit group is called {group!r}: there are {', '.join(sorted(known))}")
        if tokens < 0:
            raise ValueError(f"what is spent is not negative: {tokens}")
        with self._lock:
            bucket = self.buckets.at(known[group], principal, now)
            bucket.spend_foreign(now, tokens)
            return bucket.used

    def spend_errors(self, errors: int, now: float) -> int:
        """Somebody else draws bad answers now; gives how many there are in this minute.

        Raises:
            ValueError: ``errors`` is negative.
        """
        if errors < 0:
            raise ValueError(f"the number of errors is not negative: {errors}")
        with self._lock:
            self.errors.add(now, errors, foreign=True)
            return self.errors.used

    def report(self, now: float) -> dict[str, Any]:
        """All that was counted and refused; docs/sandbox.md tells its form."""
        with self._lock:
            self.errors.turn(now)
            for bucket in (*self.buckets, *self.hidden):
                bucket.turn(now)
            return {
                "buckets": {bucket.name: _told(bucket, "limit", "window_seconds") for bucket in self.buckets},
                "hidden": {bucket.name: _told(bucket, "limit", "window_seconds") for bucket in self.hidden},
                "errors": _told(self.errors),
            }

    def refusals(self) -> dict[str, int]:
        """How many calls were refused, by bucket, by operation with a limiter inside, and as ``errors`` (420)."""
        with self._lock:
            found = {bucket.name: bucket.refusals for bucket in (*self.buckets, *self.hidden)}
            found["errors"] = self.errors.refusals
        return {name: number for name, number in found.items() if number}

    def most_used(self) -> dict[str, int]:
        """The most that was ever in each bucket's window."""
        with self._lock:
            return {bucket.name: bucket.most_used for bucket in self.buckets}

    def reset(self, *, spends: bool = True) -> None:
        """Begin the record anew, and forget every spend unless ``spends`` is False."""
        with self._lock:
            if spends:
                self.buckets.clear()
                self.hidden.clear()
                self.errors = ErrorWindow()
            self.errors.forget()
            for bucket in (*self.buckets, *self.hidden):
                bucket.forget()


@cache
def _groups() -> dict[str, RateGroup]:
    return {operation.group.name: operation.group for operation in ops.operations() if operation.group}


def principal_of(operation: Operation[Any], identity: Identity | None) -> str:
    """Whom a call counts against.

    A public route counts the address, apart for each application that shows a token; a private one the character.
    """
    if identity is None:
        return ADDRESS
    return f"{identity.client_id}:{ADDRESS if operation.scope is None else identity.character_id}"


def group_headers(bucket: Bucket, group: RateGroup) -> list[tuple[str, str]]:
    """What is said of a bucket."""
    return [
        ("X-Ratelimit-Group", group.name),
        ("X-Ratelimit-Limit", f"{group.max_tokens}/{group.window_seconds // 60}m"),
        ("X-Ratelimit-Remaining", str(max(0, group.max_tokens - bucket.used))),
        ("X-Ratelimit-Used", str(bucket.used)),
    ]


def _told(window: Bucket | ErrorWindow, *more: str) -> dict[str, int]:
    return {name: getattr(window, name) for name in (*more, "used", "most_used", "own", "foreign", "refusals")}
