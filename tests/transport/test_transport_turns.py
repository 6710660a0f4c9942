"""Who may send when as many exchanges as allowed are under way."""

from __future__ import annotations

import asyncio

import pytest

from esipy.transport.curl_turns import Turns


async def _until_idle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_turns_are_handed_on_in_the_order_of_asking() -> None:
    """Who waits is first come first served, and a turn that is given back while somebody waits is free for nobody."""

    async def story() -> None:
        turns, served = Turns(1), list[int]()
        turns.free -= 1

        async def one(number: int) -> None:
            await turns.wait()
            served.append(number)

        tasks = [asyncio.ensure_future(one(number)) for number in range(3)]
        await _until_idle()
        for done in range(3):
            assert list(range(done)) == served
            turns.give_back()
            assert 0 == turns.free
            await _until_idle()
        await asyncio.gather(*tasks)
        turns.give_back()
        assert 1 == turns.free

    asyncio.run(story())


@pytest.mark.parametrize("came", [False, True])
def test_a_turn_is_not_lost_with_who_was_cancelled(came: bool) -> None:
    """Cancelled in line, or when the turn has just come: the next gets it."""

    async def story() -> None:
        turns = Turns(0)
        first, second = (asyncio.ensure_future(turns.wait()) for _ in range(2))
        await _until_idle()
        if came:
            turns.give_back()
        first.cancel()
        if not came:
            turns.give_back()
        await _until_idle()
        assert first.cancelled()
        assert second.done()
        assert 0 == turns.free

    asyncio.run(story())


def test_who_is_closed_in_line_leaves_it() -> None:
    """A coroutine that is given up without a cancellation, as with its loop, takes no turn with it."""

    async def story() -> None:
        turns = Turns(0)
        given_up = turns.wait()
        given_up.send(None)
        given_up.close()
        turns.give_back()
        assert 1 == turns.free

    asyncio.run(story())


def test_a_turn_comes_back_when_its_loop_has_ended_without_its_tasks() -> None:
    """Those that stand in line are told nothing any more, where telling would be an error."""
    turns, loop = Turns(0), asyncio.new_event_loop()

    async def begin() -> None:
        waiting.send(None)

    waiting = turns.wait()
    loop.run_until_complete(begin())
    loop.close()
    turns.give_back()
    assert 1 == turns.free
    waiting.close()
