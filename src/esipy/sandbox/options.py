"""What a sandbox can be given, for editors and type checkers: `esipy.sandbox.app.Sandbox` says what each means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from esipy.sandbox.esi_limits import LimitOptions
from esipy.sandbox.exchange import Half
from esipy.sandbox.tokens import Client

__all__ = ["SandboxOptions", "ServeOptions", "refuse_unknown"]


class SandboxOptions(LimitOptions, total=False):
    """Those of a sandbox without a socket."""

    seed: int
    characters: int
    clients: Sequence[Client]
    token_lifetime_seconds: int
    rotate_refresh_tokens: bool
    issuer: str
    first_kid: str | None
    enforce_roles: bool
    enforce_limits: bool
    daily_downtime_seconds: float
    reorder_share: float
    max_lifetime_seconds: int | None
    mail_every_seconds: float | None
    esi: Half | None


class ServeOptions(SandboxOptions, total=False):
    """Those of one that serves."""

    host: str
    port: int


def refuse_unknown(given: Mapping[str, Any]) -> None:
    """Refuse an option that there is not, with the near one that may have been meant.

    Raises:
        TypeError: names it.
    """
    known = ServeOptions.__annotations__
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.6)
            raise TypeError(
                f"a sandbox has no option {name!r}; "
                + (f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}")
            )
