"""What comes back, and when, of a bucket's tokens: flat lists, oldest first.

Each is ``moment, tokens, since`` (float, int, float): it was spent after ``since``, and is believed to be back at
``moment``.

A flat list of numbers is a tenth of what a list of tuples weighs, and there may be tens of thousands of buckets.
"""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = [
    "ITEMS",
    "Flat",
    "as_pairs",
    "drop_returned",
    "due",
    "enter_part",
    "part_uncertain",
    "postpone",
    "take",
]

Flat: TypeAlias = list[Any]
"""Spends, one after the other."""

ITEMS = 3
"""Of each spend."""

ANY_TIME = float("inf")


def due(spends: Flat, start: int, until: float, since: float = ANY_TIME) -> int:
    """Tokens that come back until then, from the item ``start`` on, and may have been spent by ``since``."""
    tokens = 0
    while start < len(spends) and spends[start] <= until:
        if spends[start + 2] <= since:
            tokens += spends[start + 1]
        start += ITEMS
    return tokens


def enter_part(parts: Flat, moment: float, tokens: int, since: float) -> None:
    """Add what others spent; what comes back at the same moment is one part."""
    place = len(parts)
    while place and parts[place - ITEMS] > moment:
        place -= ITEMS
    if place and parts[place - ITEMS] == moment:
        parts[place - 2] += tokens
        parts[place - 1] = min(since, parts[place - 1])
    else:
        parts[place:place] = (moment, tokens, since)


def part_uncertain(parts: Flat, until: float) -> int:
    """Take away what may have been spent until then; gives the tokens."""
    tokens = 0
    for place in range(len(parts) - ITEMS, -1, -ITEMS):
        if parts[place + 2] <= until:
            tokens += parts[place + 1]
            del parts[place : place + ITEMS]
    return tokens


def drop_returned(parts: Flat, now: float) -> int:
    """Take away what others spent and has come back by now; gives the tokens."""
    gone = tokens = 0
    while gone < len(parts) and parts[gone] <= now:
        tokens += parts[gone + 1]
        gone += ITEMS
    del parts[:gone]
    return tokens


def take(parts: Flat, tokens: int) -> int:
    """Take away so many tokens of others', the oldest first; gives how many there were."""
    taken = 0
    while taken < tokens and parts:
        some = min(tokens - taken, parts[1])
        taken += some
        if some == parts[1]:
            del parts[:ITEMS]
        else:
            parts[1] -= some
    return taken


def postpone(spends: Flat, seconds: float) -> None:
    """Let everything come back later."""
    for place in range(0, len(spends), ITEMS):
        spends[place] += seconds


def as_pairs(spends: Flat, start: int = 0) -> list[tuple[float, int]]:
    """(moment, tokens) of each spend, from the item ``start`` on."""
    return [(spends[place], spends[place + 1]) for place in range(start, len(spends), ITEMS)]
