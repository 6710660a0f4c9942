"""What is secret, and how a text is searched for all of it at once.

Rules: a secret is known by its first `KNOWN_BY` characters, and a text is searched by looking at each place of its
long words in a set: so a thousand secrets cost no more than one. Whatever looks like an access token of the SSO (a
JWT) is one, known or not. What hypothesis draws is none, and what looks like a name: it draws those of our own source.
What is shorter, or hardly varies (``aaaa...``), is not looked for: it is in innocent texts.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from hypothesis import currently_in_test_context

__all__ = ["KNOWN_BY", "Leak", "Secrets", "Watch"]

KNOWN_BY = 16
"""Characters: as many as no text has in common with a random one by chance."""

MOST_SHOWN = 80

_WORD = re.compile(r"[A-Za-z0-9_.~+/=%-]{16,}")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{16,}")
_NAME = re.compile(r"[a-z_./-]*")
_LEAST_VARIETY = 6


class Secrets:
    """All secrets that a run has made so far."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._raw: dict[bytes, str] = {}
        self._innocent: set[str] = set()
        """Words that show nothing of what is known so far: most words come again and again."""

    def add(self, kind: str, secret: object) -> None:
        """Look for this from now on, in the forms in which texts may repeat it; what is no text is none."""
        if not isinstance(secret, str) or len(secret) < KNOWN_BY or _JWT.match(secret):
            return
        if currently_in_test_context():
            return
        for form in {secret, quote(secret, safe=""), quote_plus(secret), b64encode(secret.encode()).decode()}:
            known_by = form[:KNOWN_BY]
            if known_by in self._kinds or len(set(known_by)) < _LEAST_VARIETY or not _WORD.fullmatch(known_by):
                continue
            if _NAME.fullmatch(known_by):
                continue
            self._kinds[known_by] = kind
            self._innocent.clear()

    def add_key(self, key: bytes) -> None:
        """Look for a key, as it is and written out."""
        for form in (key.hex(), b64encode(key).decode(), urlsafe_b64encode(key).decode()):
            self.add("key", form)
        if len(set(key)) >= _LEAST_VARIETY:
            self._raw[key] = "key"

    def forget_raw(self) -> None:
        """Look for keys no more, except for those that are written out: each costs a search of its own."""
        self._raw.clear()

    def found_in(self, text: str | bytes) -> list[tuple[str, str]]:
        """What kinds of secrets a text shows, each with the text around it, the secret itself taken out."""
        found: dict[str, str] = {}
        if isinstance(text, bytes):
            found |= {kind: "(bytes)" for key, kind in self._raw.items() if key in text}
            text = text.decode("latin-1")
        if "eyJ" in text:
            found |= [("access token", _around(text, *match.span())) for match in _JWT.finditer(text)]
        kinds = self._kinds
        for word in _WORD.finditer(text):
            run, start = word.group(), word.start()
            if run in self._innocent:
                continue
            for place in range(len(run) - KNOWN_BY + 1):
                kind = kinds.get(run[place : place + KNOWN_BY])
                if kind is not None:
                    found[kind] = _around(text, start + place, word.end())
            if not found and len(run) < 500 and len(self._innocent) < 10_000:
                self._innocent.add(run)
        return list(found.items())


def _around(text: str, start: int, end: int) -> str:
    # Others may be beside it.
    return _WORD.sub("...", f"{text[max(0, start - MOST_SHOWN) : start]}<HERE>{text[end : end + MOST_SHOWN]}")


class Leak(NamedTuple):
    """A secret where none belongs."""

    place: str
    kind: str
    around: str


class Watch:
    """What was found so far.

    Attributes:
        secrets: what is looked for.
        plain_files: names of token files in which tokens were kept without a key.
    """

    def __init__(self) -> None:
        self.secrets = Secrets()
        self.leaks: list[Leak] = []
        self.plain_files: set[str] = set()
        self._plain: set[bytes] = set()
        self._innocent: set[str] = set()

    def look(self, place: str, text: str | bytes, *, except_for: tuple[str, ...] = ()) -> None:
        """Search a text that somebody may get to see.

        Args:
            except_for: kinds that belong there.
        """
        for kind, around in self.secrets.found_in(text):
            if kind not in except_for:
                self.leaks.append(Leak(place, kind, around))

    def look_once(self, place: str, text: str) -> None:
        """As `look`, for texts that come again and again; of many, few are secret only later."""
        if text not in self._innocent:
            if len(self._innocent) > 10_000:
                self._innocent.clear()
            self._innocent.add(text)
            self.look(place, text)

    def look_at(self, place: str, value: Any) -> None:
        """Search what a value shows of itself."""
        try:
            text = repr(value)
        except Exception:
            return  # half-made, or a test's own that raises
        self.look(place, text)

    def keep_plain(self, kept_in: str, plain: bytes) -> None:
        """These tokens are kept in this store (its place or repr) without a key: nothing else is expected of it."""
        self.plain_files.add(kept_in.rpartition("/")[2].removesuffix(">").rpartition(" ")[2])
        self._plain.add(plain)

    def is_plain(self, command: bytes) -> bool:
        """Whether a command saves what is kept without a key."""
        return any(plain in command for plain in self._plain)

    def take(self) -> list[Leak]:
        """What was found since it was last asked; it is forgotten."""
        leaks, self.leaks = self.leaks, []
        return leaks

    def forget_stores(self) -> None:
        """Another test begins, with stores and keys of its own."""
        self.secrets.forget_raw()
        self.plain_files.clear()
        self._plain.clear()


WATCH = Watch()
"""Of this process."""
