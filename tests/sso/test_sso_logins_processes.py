"""Real processes with one token store: one refresh for all of them, and no token lost, whoever is killed whenever."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox, serve
from esipy.stores.redis_tokens import RedisTokens
from esipy.stores.sqlite_tokens import SqliteTokens
from tests.sso.logins_kit import keep, kept
from tests.sso.sso_kit import TOKEN
from tests.stores.valkey import url_of

PROGRAM = Path(__file__).with_name("logins_program.py")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here, so that they start at once")

Family = Callable[..., list[list[str]]]

STEPS = 150
"""How many steps traffic may take before it is killed; a refresh and the calls around it are about twenty."""


@pytest.fixture(scope="module")
def family() -> Iterator[Family]:
    """A process that has others forked: told what they are to do, it tells what each of them has told."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pipes = process.stdin, process.stdout

    def order(**what: Any) -> list[list[str]]:
        pipes[0].write(json.dumps(what) + "\n")
        told: list[list[str]] = json.loads(pipes[1].readline())
        return told

    yield order
    process.stdin.close()
    assert 0 == process.wait(30)
    process.stdout.close()


@pytest.fixture(scope="module")
def sandbox_of_all() -> Iterator[RunningSandbox]:
    """A sandbox whose SSO rotates refresh tokens."""
    with serve(rotate_refresh_tokens=True, characters=30, enforce_limits=False) as running:
        yield running


@pytest.fixture
def server(sandbox_of_all: RunningSandbox) -> RunningSandbox:
    """The same, as if nothing had been asked."""
    for who in sandbox_of_all.sandbox.roster.ids:
        sandbox_of_all.revoke(who)
    sandbox_of_all.set_tokens(overlap=False)
    sandbox_of_all.forget()
    return sandbox_of_all


def refreshes(server: RunningSandbox) -> int:
    """How often the token endpoint was asked."""
    return len(server.received(TOKEN))


@pytest.mark.parametrize("kind", ["sqlite", "valkey"])
def test_T37_eight_processes_make_one_refresh(
    family: Family, server: RunningSandbox, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """One store, one token that is over, eight processes that need it at the same moment: the SSO is asked once."""
    if kind == "sqlite":
        place = str(tmp_path / "tokens.sqlite3")
        store: Any = SqliteTokens(place)
    else:
        place = url_of(request.getfixturevalue("valkey"))
        store = RedisTokens(place)
    who = server.sandbox.roster.ids[0]
    keep(server, store, who)
    told = family(do="call", url=server.url, store=place, who=who, children=8)
    assert 1 == len({lines[-1] for lines in told}), told
    assert is_wallet(told[0][-1]), told
    assert 1 == refreshes(server)
    assert server.is_good(kept(store, server.client_id, who).refresh_token or "")
    store.close()


def is_wallet(line: str) -> bool:
    """Whether a child has got what it called for."""
    return line.startswith("result ") and line[7:].replace(".", "").isdigit()


def forget_leases(path: Path) -> None:
    """The leases of who was killed are over: nobody wants to wait for that here."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DELETE FROM leases")


@pytest.mark.parametrize("overlap", [True, False], ids=["with overlap", "strict"])
def test_T38_a_kill_at_any_step_of_a_refresh_loses_nothing(
    family: Family, server: RunningSandbox, tmp_path: Path, overlap: bool
) -> None:
    """kill -9 before and after each thing that a refresh does: what is kept is good at the SSO, and the next one works.

    Where the SSO refuses the old token at once, no client can keep what it was killed with in its hands: then, and
    only then, between the SSO's answer and the commit, it is lost.
    """
    server.set_tokens(overlap=overlap)
    path = tmp_path / "tokens.sqlite3"
    store = SqliteTokens(path)
    steps: list[str] = []
    for step in range(1, 100):
        who = server.sandbox.roster.ids[step % 30]
        keep(server, store, who)
        told = family(do="call", url=server.url, store=str(path), who=who, kill_at=step)[0]
        if told[-1].startswith("result"):
            break
        steps.append(told[-1])
        forget_leases(path)
        in_hand = f"after {TOKEN}" in told and "after save" not in told
        good = server.is_good(kept(store, server.client_id, who).refresh_token or "")
        assert good == (overlap or not in_hand), told
        if good:
            told = family(do="call", url=server.url, store=str(path), who=who)[0]
            assert is_wallet(told[-1]), told
    else:
        pytest.fail("it has no end")
    assert {f"before {TOKEN}", f"after {TOKEN}", "before save", "after save", "before lease", "after lease"} <= {*steps}
    assert len(steps) >= 12
    store.close()


def test_T38_kills_at_fifty_moments_of_refresh_traffic_lose_nothing(
    family: Family, server: RunningSandbox, tmp_path: Path
) -> None:
    """kill -9 while three threads refresh and call, at moments by chance: all that is kept is good at the SSO."""
    server.set_tokens(overlap=True)
    path = tmp_path / "tokens.sqlite3"
    store = SqliteTokens(path)
    characters = server.sandbox.roster.ids[:12]
    for who in characters:
        keep(server, store, who)
    for seed in range(50):
        family(do="traffic", url=server.url, store=str(path), who=list(characters), seed=seed, steps=STEPS)
        forget_leases(path)
        lost = [who for who in characters if not server.is_good(kept(store, server.client_id, who).refresh_token or "")]
        assert [] == lost, seed
    assert refreshes(server) >= 50
    assert len(characters) == len(server.grants())
    store.close()
