"""Answers that overtake each other: which, how far, and that nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.reordering import Reordering


def passed(reordering: Reordering, groups: Sequence[str]) -> list[int]:
    """The order in which answers of these groups go that were ready in this order."""
    gone: list[int] = []

    async def one(number: int, group: str) -> None:
        answer = SandboxAnswer(200, [("X-Ratelimit-Group", group)] if group else [])
        assert answer is await reordering.pass_on(SandboxRequest("GET", "/"), answer)
        gone.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number, group) for number, group in enumerate(groups)))

    asyncio.run(all_of_them())
    return gone


def test_the_next_of_the_bucket_goes_first() -> None:
    """Each that is held goes after the next one of its bucket; other buckets are not concerned."""
    reordering = Reordering(1, 1.0)
    assert [2, 4, 0, 1] == [number for number in passed(reordering, ["a", "b", "a", "", "b"]) if number != 3]
    assert 2 == reordering.overtaken


def test_it_follows_from_the_seed() -> None:
    """A share of the answers is held, the same ones each time."""
    orders = [passed(Reordering(seed, 0.3), ["a"] * 30) for seed in (1, 1, 2)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert list(range(30)) == sorted(orders[0])
    assert list(range(30)) != orders[0]


def test_nobody_waits_for_ever() -> None:
    """An answer that no other follows goes after a moment, and is forgotten."""
    reordering = Reordering(1, 1.0)
    assert [0] == passed(reordering, ["a"])
    assert [1, 0] == passed(reordering, ["a", "a"])
    assert 1 == reordering.overtaken


def test_off_is_off() -> None:
    """By default, and as soon as it is switched off, the order stays."""
    reordering = Reordering(1)
    assert list(range(9)) == passed(reordering, ["a"] * 9)
    reordering.set(1.0)
    reordering.set(0.0)
    assert list(range(9)) == passed(reordering, ["a"] * 9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        reordering.set(2)
