"""What `verify` is asked and gives, in version 1's words: python-jose's options, the names of the old ``/verify``."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from esipy.core.claims import CHECKED, Checks, peek_subject, read_scopes

__all__ = ["Verified", "read_options"]


class Verified(dict[str, Any]):
    """The claims of a verified token: a dict of just these.

    Asked by name (``[]``, ``get``, ``in``), it also answers the names of the ``/verify`` route of old:
    ``CharacterID`` (int), ``CharacterName``, ``CharacterOwnerHash``, ``Scopes`` (one text, separated by spaces) and
    ``ExpiresOn`` (``2017-07-05T14:34:16``, UTC).
    """

    def __missing__(self, name: str) -> Any:
        """One of the old names.

        Raises:
            KeyError: it is neither a claim nor one of these, or the token does not tell.
        """
        match name:
            case "CharacterID" if (character_id := peek_subject(self.get("sub"))) is not None:
                return character_id
            case "CharacterName" if "name" in self:
                return self["name"]
            case "CharacterOwnerHash" if "owner" in self:
                return self["owner"]
            case "Scopes":
                return " ".join(sorted(read_scopes(self.get("scp"))))
            case "ExpiresOn" if "exp" in self:
                try:
                    return f"{datetime.fromtimestamp(int(self['exp']), UTC):%Y-%m-%dT%H:%M:%S}"
                except (TypeError, ValueError, OverflowError):  # its time was not checked
                    raise KeyError(name) from None
            case _:
                raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The claim or old name; ``default`` when there is none."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name) or not isinstance(name, str):
            return super().__contains__(name)
        try:
            self.__missing__(name)
        except KeyError:
            return False
        return True


_ALWAYS_CHECKED = {
    "verify_signature": "without its signature a token is anyone's word",
    "verify_sub": "without its subject a token is nobody's",
}
"""Options that are not honoured when they are False, and why."""

_NEVER_CHECKED = ("verify_iat", "verify_nbf", "verify_jti", "verify_at_hash")
"""EVE's tokens tell nothing there that could be checked."""


def read_options(options: Mapping[str, Any] | None, *, stacklevel: int) -> Checks:
    """What python-jose's options ask for: ``verify_aud``, ``verify_exp``, ``verify_iss``, ``require_...``, ``leeway``.

    The signature and the subject are checked whatever the options say; a program that asks otherwise is warned.
    """
    checks = Checks()
    for name, value in (options or {}).items():
        verb, _, claim = name.partition("_")
        if name in _ALWAYS_CHECKED:
            if not value:
                _warn(f"verify() checks all the same what {name}=False is to skip: {_ALWAYS_CHECKED[name]}", stacklevel)
        elif name == "leeway":
            seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
            checks = checks._replace(leeway_seconds=seconds)
        elif verb == "verify" and claim in CHECKED:
            if not value:
                checks = checks._replace(skipped=checks.skipped | {claim})
        elif verb == "require" and claim:
            if value:
                checks = checks._replace(required=checks.required | {claim})
        elif name not in _NEVER_CHECKED:
            _warn(f"verify() ignores the option {name}", stacklevel)
    return checks


def _warn(message: str, stacklevel: int) -> None:
    warnings.warn(message, UserWarning, stacklevel=stacklevel + 2)
