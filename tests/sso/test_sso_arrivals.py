"""The wait for the callback that finishes a login."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any

import pytest

from esipy.core.claims import Claims
from esipy.exceptions import LoginFailedError
from esipy.sso.arrivals import Arrival, await_login
from esipy.sso.loopback_pages import failed, logged_in

CLAIMS = Claims(2112000001, "Ana", "hash=", frozenset(), 1e9, "app")


def test_nothing_more_can_come() -> None:
    """When callbacks come by hand only, and the hand is gone, there is nothing to wait for."""
    arrivals: SimpleQueue[Arrival] = SimpleQueue()
    arrivals.put(Arrival(None, lambda page: None))
    with pytest.raises(LoginFailedError, match="no address"):
        await_login(arrivals, lambda query: CLAIMS, lambda: True, 60, lambda error: None)


def test_ctrl_c_while_it_is_being_finished_is_told() -> None:
    """The browser that waits gets a page; what interrupts goes on its way."""
    told: list[Any] = []
    arrivals: SimpleQueue[Arrival] = SimpleQueue()
    arrivals.put(Arrival("code=c0de", told.append))

    def interrupt(query: str) -> Claims:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await_login(arrivals, interrupt, lambda: True, 60, lambda error: None)
    assert [failed("it was ended in the terminal")] == told


def test_an_arrival_does_not_show_its_code() -> None:
    """Neither what came nor a page is in a repr."""
    assert "c0de" not in repr(Arrival("code=c0de", print))


def test_a_login_without_scopes_says_so() -> None:
    """A login that allows nothing is still one."""
    assert b"nothing but to know who you are" in logged_in("Ana", ()).html
