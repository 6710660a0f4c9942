"""What the command says beside its output: one line at a time, on stderr."""

from __future__ import annotations

import sys

__all__ = ["say"]


def say(text: str) -> None:
    """One line on stderr: what servers answered may have several, and characters that steer the terminal."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    sys.stderr.write(f"esipy: {line}\n")
