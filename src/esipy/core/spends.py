"""What comes back, and when, of a bucket's tokens: a flat list ``[moment, tokens, moment, tokens, ...]``, oldest first.

A flat list of numbers is a tenth of what a list of pairs weighs, and there may be tens of thousands of buckets.
"""

from __future__ import annotations

__all__ = ["as_pairs", "drop_returned", "enter", "postpone", "take"]


def enter(spends: list[float], moment: float, tokens: int) -> None:
    """Add a spend that comes back at ``moment``. Moments mostly come in order (those of a fixed minute may not): one
    that is too early is put on the safe side, to the last one."""
    if spends and spends[-2] >= moment:
        spends[-1] += tokens
    else:
        spends.append(moment)
        spends.append(tokens)


def drop_returned(spends: list[float], now: float) -> int:
    """Take away what has come back by now; gives the tokens."""
    gone = tokens = 0
    while gone < len(spends) and spends[gone] <= now:
        tokens += int(spends[gone + 1])
        gone += 2
    del spends[:gone]
    return tokens


def take(spends: list[float], tokens: int) -> int:
    """Take away so many tokens, the oldest first; gives how many there were."""
    taken = 0
    while taken < tokens and spends:
        part = min(tokens - taken, int(spends[1]))
        taken += part
        if part == spends[1]:
            del spends[:2]
        else:
            spends[1] -= part
    return taken


def postpone(spends: list[float], seconds: float) -> None:
    """Let everything come back later."""
    for place in range(0, len(spends), 2):
        spends[place] += seconds


def as_pairs(spends: list[float], start: int = 0) -> list[tuple[float, int]]:
    """(moment, tokens) of each spend, from the item ``start`` on."""
    return [(spends[place], int(spends[place + 1])) for place in range(start, len(spends), 2)]
