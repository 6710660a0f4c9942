"""Watches over restarts: what changed meanwhile is told when the program is back, and nothing is missed."""

from __future__ import annotations

import logging

import pytest

from esipy.lists.positions import MemoryPositions
from esipy.runtime.simulated import SimulatedRuntime
from tests.engine.kit import WALLET, Login
from tests.watching.watch_kit import Post, alliance, day
from tests.watching.watch_server import ALLIANCE, HISTORY, Server, post_of, summary


def test_what_changed_while_the_program_was_away_is_told_once_when_it_is_back() -> None:
    """With a store: by the first look, against what was seen last; and nothing else is told twice."""
    server = Server({ALLIANCE.path: alliance(99, 0), HISTORY.path: [day(1, 0), day(2, 0)]})
    store = MemoryPositions()

    def session() -> Post:
        post = post_of(server, runtime=SimulatedRuntime(server, start=1785844800.0 + 10_000 * len(server.arrivals)))
        for call in (ALLIANCE, HISTORY):
            post.on_change(call, store=store).add_receiver(post.hear)
        post.run(500)
        return post

    assert [] == session().told
    assert [] == session().told
    server.data[ALLIANCE.path] = alliance(99, 1)
    server.data[HISTORY.path] = [day(2, 5), day(3, 0)]
    post = session()
    assert [(0, 0, 1), (1, 1, 1)] == sorted(summary(post))
    ticker = next(told["modified"][0] for _, told in post.told if told["call"] == ALLIANCE)
    assert ("T0", "T1") == (ticker.before.ticker, ticker.after.ticker)
    assert [] == session().told


def test_a_program_that_was_killed_before_it_saved_tells_that_change_again() -> None:
    """With what has happened since: better twice than never."""
    server = Server({HISTORY.path: [day(1, 0)]})

    class Failing(MemoryPositions):
        broken = False

        def save(self, name: str, position: str) -> None:
            if not self.broken:
                super().save(name, position)

    store = Failing()
    post = post_of(server)
    post.on_change(HISTORY, store=store).add_receiver(post.hear)
    post.run(50)
    store.broken = True
    server.data[HISTORY.path] = [day(1, 1)]
    post.run(200)
    server.data[HISTORY.path] = [day(1, 1), day(2, 0)]
    store.broken = False
    again = post_of(server)
    again.on_change(HISTORY, store=store).add_receiver(again.hear)
    again.run(200)
    assert [(0, 0, 1)] == summary(post)
    assert [(1, 0, 1)] == summary(again)


class Kept(dict[str, str]):
    """A store that a test can look into."""

    def load(self, name: str) -> str | None:
        return self.get(name)

    def save(self, name: str, position: str) -> None:
        self[name] = position


def test_a_signals_change_is_saved_when_its_receivers_have_been_told_and_not_before() -> None:
    """A program that dies while they are being told has missed nothing."""
    server, store = Server({ALLIANCE.path: alliance(99, 0)}), Kept()
    post = post_of(server)
    saved: list[dict[str, str]] = []
    for _ in range(2):
        post.on_change(ALLIANCE, store=store).add_receiver(lambda **_: saved.append(dict(store)))
    post.run(50)
    first = dict(store)
    server.data[ALLIANCE.path] = alliance(99, 1)
    post.run(200)
    assert [first, first] == saved
    assert 1 == len(first)
    assert first != dict(store)


def test_a_restart_within_a_lifetime_does_not_ask(caplog: pytest.LogCaptureFixture) -> None:
    """What was saved says until when it is fresh. What cannot be read is begun anew, with a warning."""
    server = Server({HISTORY.path: [day(1, 0)]}, max_age=3000)
    store = MemoryPositions()
    post = post_of(server)
    post.on_change(HISTORY, store=store).add_receiver(post.hear)
    post.run(10)
    again = post_of(server)
    again.on_change(HISTORY, store=store).add_receiver(again.hear)
    again.run(2900)
    assert 1 == len(server.arrivals)
    again.run(200)
    assert 2 == len(server.arrivals)

    name = post.watched(HISTORY).name
    assert "token" not in name
    for broken in ("", "[]", '[99,null,null,"x"]', '[1,null,null,"x"]'):
        store.save(name, broken)
        third = post_of(server)
        third.on_change(HISTORY, store=store, tell_first=True).add_receiver(third.hear)
        third.run(10)
        assert [(1, 0, 0)] == summary(third)
    assert 4 == [record.levelno for record in caplog.records if record.name == "esipy.watching"].count(logging.WARNING)


def test_what_is_kept_between_runs_is_the_characters_own() -> None:
    """Two characters, two names: nobody is told another's news."""
    mine, theirs = (Post(Server({}), login=Login(character)).watched(WALLET).name for character in (91, 92))
    assert mine != theirs
    assert mine == Post(Server({}), login=Login(91, "another-token")).watched(WALLET).name
