"""Where files lie that no path was given for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["ANSWERS", "LIMITS", "TOKENS", "user_data_file", "user_file"]

ANSWERS = "answers.sqlite3"
"""The cache of this user's programs."""

LIMITS = "limits.sqlite3"
"""The ledger of this user's programs."""

TOKENS = "tokens.sqlite3"
"""The logins of this user's characters."""


def user_file(name: str) -> Path:
    """A file in the folder where programs of this user keep what they can do without.

    Source: XDG Base Directory Specification; Apple's File System Programming Guide; Microsoft's known folders.
    """
    return _user_folder() / "esipy" / name


def _user_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def user_data_file(name: str) -> Path:
    """A file in the folder where programs of this user keep what must not be lost.

    Source: as for `user_file`.
    """
    return _user_data_folder() / "esipy" / name


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        return _user_folder()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
