"""Words that many rows have, kept once: else each of a million orders has its own ``"station"``, of 64 bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

__all__ = ["share_words"]

Words: TypeAlias = tuple[tuple[str, Mapping[str, str]], ...]

_WORDS: dict[Any, Words] = {}
"""By type of row, the fields with listed values, and these. Making them twice in two threads does no harm."""


def share_words(rows: list[Any]) -> None:
    """Let the fields of typed rows for which ESI's document lists values hold the same objects in all rows."""
    if not rows:
        return
    first: Any = rows[0]
    kind = first.__class__
    words_by_field = _WORDS.get(kind)
    if words_by_field is None:
        words_by_field = _WORDS[kind] = _words_of(kind)
    for name, words in words_by_field:
        for row in rows:
            word = getattr(row, name)
            if word.__class__ is str:
                setattr(row, name, words.get(word, word))


def _words_of(kind: Any) -> Words:
    choices: Mapping[str, Iterable[str]] = getattr(sys.modules.get(kind.__module__), "CHOICES", {})
    listed = ((name, choices.get(f"{kind.__name__}.{name}")) for name in getattr(kind, "__struct_fields__", ()))
    return tuple((name, {word: word for word in words}) for name, words in listed if words)
