"""What layers of the engine hand to each other, and what stores keep: an answer with where it came from."""

from __future__ import annotations

from typing import Literal

from esipy.core.wire import Headers

__all__ = ["Answer", "Source"]

Source = Literal["network", "cache", "revalidated", "stale", "nowhere"]


class Answer:
    """One answer, its body not yet decoded.

    Attributes:
        status: the HTTP status.
        headers: as they came; after a revalidation refreshed by the 304's.
        body: decompressed bytes.
        source: ``network``, ``cache`` (no exchange was needed), ``revalidated`` (a 304 confirmed a kept one),
            ``stale`` (a kept one in place of an answer that did not come) or ``nowhere`` (none came, nor was kept).
        fresh_until: the moment (seconds since 1970, the runtime's clock) at which it ceases to be fresh;
            None when it may not be kept.
        given_at: the moment at which the caller gets it; None when nobody has to know (`freshness.age_of`).
        shared: another caller's exchange brought it.
        retry_at: the moment at which to come back, of a limit that refused it or a ``Retry-After``; None: none said.
    """

    __slots__ = ("body", "fresh_until", "given_at", "headers", "retry_at", "shared", "source", "status")

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        source: Source = "network",
        fresh_until: float | None = None,
        given_at: float | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.source: Source = source
        self.fresh_until = fresh_until
        self.given_at = given_at
        self.shared = False
        self.retry_at: float | None = None

    def share(self) -> Answer:
        """The same answer for somebody else who waited for it."""
        other = Answer(self.status, self.headers, self.body, self.source, self.fresh_until, self.given_at)
        other.shared = True
        other.retry_at = self.retry_at
        return other

    def __repr__(self) -> str:
        return f"<Answer {self.status} from {self.source}, {len(self.body)} bytes>"
