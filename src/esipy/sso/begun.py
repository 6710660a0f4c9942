"""Logins that were begun in a session: what is kept of each until its callback comes.

Owns the one entry `KEY` of a user's session, whatever framework the session is of, and its rules:

- A login is found by its ``state`` alone: random, compared in constant time, and kept nowhere but in the session in
  which it was begun, so that nobody can have a user finish another's login (CSRF, RFC 9700 section 4.7).
- It is used once: whoever finds it takes it out, before anything else can fail. After `LIFETIME_SECONDS` it is over.
- Several may be under way, as of several tabs: the `AT_ONCE` that were begun last, so that a session stays small enough
  for a cookie.
- An entry is replaced, never changed in place: sessions of frameworks notice only that. It fits into JSON.
- What is in the entry may be anything: an older version's, or another program's. What is no login is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from hmac import compare_digest
from typing import Any, NamedTuple, Protocol, cast

from esipy.exceptions import LoginFailedError

__all__ = ["AT_ONCE", "KEY", "LIFETIME_SECONDS", "Begun", "Session", "keep", "require_session", "take"]

KEY = "esipy_logins"
"""The one name in a session that is ours."""

LIFETIME_SECONDS = 600.0
"""How long a user may take at the SSO's pages."""

AT_ONCE = 5
"""How many logins of one session may be under way."""


class Session(Protocol):
    """What is kept between the requests of one user's browser: any `MutableMapping`, and Django's session."""

    def get(self, key: str, /) -> Any:
        """The value of a key; None when it has none."""
        ...

    def __setitem__(self, key: str, value: Any, /) -> None: ...

    def __delitem__(self, key: str, /) -> None: ...


class Begun(NamedTuple):
    """One login that was begun.

    Attributes:
        state: what its callback has to bring back.
        began_at: seconds since 1970 (UTC).
        code_verifier: for PKCE; None when the application has a secret.
    """

    state: str
    began_at: float
    code_verifier: str | None

    def __repr__(self) -> str:
        return "<Begun>"


def require_session(session: object) -> None:
    """Refuse what cannot keep anything.

    Raises:
        TypeError: it is no session.
    """
    if not all(callable(getattr(session, verb, None)) for verb in ("get", "__setitem__", "__delitem__")):
        raise TypeError(
            "session: has to be the session of the user's browser (flask.session, request.session, a dict in tests); "
            f"{type(session).__name__} keeps nothing"
        )


def keep(session: Session, begun: Begun) -> None:
    """Add a login that begins now."""
    now = begun.began_at
    others = [other for other in _read(session) if _is_alive(other, now)]
    _write(session, [*others, begun][-AT_ONCE:])


def take(session: Session, state: str | None, now: float) -> Begun:
    """Take the login that a callback belongs to out of the session.

    Args:
        state: what the callback brought back.
        now: seconds since 1970 (UTC).

    Raises:
        LoginFailedError: it belongs to none, or to one that is over (``state``).
    """
    # All are compared, and as bytes: text that is not ASCII is refused by compare_digest.
    given = (state or "").encode("utf-8", "surrogatepass")
    all_begun = list(_read(session))
    found = [begun for begun in all_begun if compare_digest(begun.state.encode("utf-8", "surrogatepass"), given)]
    if not found:
        raise LoginFailedError(
            "this callback belongs to no login that was begun here, or to one that is over: begin the login anew",
            "state",
        )
    _write(session, [begun for begun in all_begun if begun not in found and _is_alive(begun, now)])
    if not _is_alive(found[0], now):
        raise LoginFailedError(
            f"this login took longer than {LIFETIME_SECONDS / 60:.0f} minutes, and is over: begin it anew", "state"
        )
    return found[0]


def _is_alive(begun: Begun, now: float) -> bool:
    # Also where clocks of several machines differ a little, or one was set back.
    return abs(now - begun.began_at) <= LIFETIME_SECONDS


def _read(session: Session) -> Iterator[Begun]:
    entries = session.get(KEY)
    for entry in cast("list[object]", entries) if isinstance(entries, (list, tuple)) else ():
        match entry:
            case [str(state), float() | int() as began_at, str() | None as code_verifier] if state:
                yield Begun(state, began_at, code_verifier)
            case _:
                pass


def _write(session: Session, logins: list[Begun]) -> None:
    if logins:
        session[KEY] = [[begun.state, round(begun.began_at), begun.code_verifier] for begun in logins]
    elif session.get(KEY) is not None:
        del session[KEY]
