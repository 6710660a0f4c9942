"""Laws of stored logins, whatever several processes do at whatever moments: no token is lost or spent twice."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from esipy.exceptions import SSOError
from esipy.sso.vault import Kept, Vault
from esipy.stores.tokens import TokenRecord
from tests.sso.logins_kit import SEALER, BrokenTokens, Process, VirtualSso, kept, put
from tests.sso.sso_kit import reply

WHO = (1, 2)
ACTIONS = ("call",) * 8 + ("refused", "refused", "cancel", "login", "sso down", "sso up")
DISK = ("disk full", "disk free")
PAUSES = (0.0, 0.0, 0.0, 0.05, 0.05, 0.3, 20.0, 1150.0)


class Noting(BrokenTokens):
    """A store that notes every access token that was ever durable in it."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.durable: set[str | None] = set()

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        saved = super().save(client_id, character_id, record, expected)
        if saved and record is not None:
            self.durable.add(Vault(self, SEALER, client_id).open(record).access_token)
        return saved


class World:
    """Some processes with one store, and what happens to them."""

    def __init__(self, seed: int, processes: int) -> None:
        self.sso = VirtualSso(request_seconds=(0.01, 0.4), answer_seconds=(0.01, 0.4), seed=seed)
        self.runtime = self.sso.runtime
        self.store = Noting(clock=self.runtime.now)
        for who in WHO:
            self.sso.keep(self.store, who)
        self.processes = [Process(self.runtime, self.store) for _ in range(processes)]
        for process in self.processes:
            process.store_seconds = 0.05
        self.got: dict[int, str] = {}
        self.flights: list[Any] = []
        self.was_full = False

    async def call(self, process: Process, who: int, not_this: str | None) -> None:
        """One call's token. It is the character's, and was durable before it was given (T38)."""
        try:
            token = await process.token(who, not_this=not_this)
        except SSOError:
            return
        assert token != not_this
        assert token in self.store.durable
        self.got[who] = token

    def happen(self, process: Process, action: str, who: int) -> None:
        """Something happens."""
        match action:
            case "call" | "refused" | "cancel":
                not_this = self.got.get(who) if action == "refused" else None
                flight = self.runtime.spawn(self.call(process, who, not_this))
                self.flights.append(flight)
                if action == "cancel":
                    self.runtime.spawn(self.cancel(flight))
            case "login":
                self.flights.append(self.runtime.spawn(self.log_in(process, who)))
            case "sso down":
                self.sso.before = lambda form: reply(503, b"<html>")
            case "sso up":
                self.sso.before = lambda form: None
            case "disk full":
                self.store.broken = {"save"}
                self.was_full = True
            case "disk free":
                self.store.broken = set()

    async def log_in(self, process: Process, who: int) -> None:
        """The character logs in anew, there."""
        try:
            await process.logins.complete(process, str(who))
        except SSOError:
            pass

    async def cancel(self, flight: Any) -> None:
        """Whoever waits there is cancelled, somewhere on the way."""
        await self.runtime.sleep(self.runtime.random())
        self.runtime.cancel(flight)

    async def live(self, events: list[tuple[float, int, str, int]]) -> None:
        """All of it happens; then everything works again, and everyone calls once more."""
        for pause, number, action, who in events:
            await self.runtime.sleep(pause)
            self.happen(self.processes[number % len(self.processes)], action, who)
        self.sso.before, self.store.broken = lambda form: None, set()
        await self.runtime.sleep(600)
        for flight in self.flights:
            if not flight.cancelled():
                await self.runtime.join(flight)
        if self.was_full:
            for process in self.processes:
                for who in WHO:
                    await self.call(process, who, None)  # whoever could not save does now
        for who in WHO:
            for process in self.processes:
                token = await process.token(who)
                assert token in self.store.durable


def histories(*actions: str) -> st.SearchStrategy[list[tuple[float, int, str, int]]]:
    """Events: the pause before, in which process, what, of which character."""
    event = st.tuples(st.sampled_from(PAUSES), st.integers(0, 3), st.sampled_from(actions), st.sampled_from(WHO))
    return st.lists(event, min_size=6, max_size=25)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    processes=st.integers(2, 4),
    events=st.one_of(histories(*ACTIONS), histories(*ACTIONS, *DISK)),
)
def test_T37_T38_T39_T40_no_token_is_lost_or_spent_twice(
    seed: int, processes: int, events: list[tuple[float, int, str, int]]
) -> None:
    """Calls, 401s, cancelled callers, new logins, outages and full disks in several processes, in any order.

    The SSO rotates strictly. At the end what is kept is good there. No refresh token was ever sent twice, unless
    another process could not save what replaced it; and no access token was given that was not durable.
    """
    world = World(seed, processes)
    world.runtime.run(world.live(events))
    assert world.was_full or 0 == world.sso.refused
    for who in WHO:
        assert kept(world.store, "app", who).refresh_token in world.sso.good
    assert {1, 2} == {world.sso.good[kept(world.store, "app", who).refresh_token or ""] for who in WHO}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16), late=st.floats(0, 2), processes=st.integers(1, 3), where=st.integers(0, 2))
def test_T39_whoever_is_first_a_new_login_wins(seed: int, late: float, processes: int, where: int) -> None:
    """A character logs in anew while others, or the same process, refresh its old token: the new login is kept."""
    world = World(seed, processes)
    process = world.processes[where % processes]

    async def live() -> None:
        flights = [world.runtime.spawn(world.call(each, 1, None)) for each in world.processes]
        await world.runtime.sleep(late)
        await process.logins.complete(process, "1")
        for flight in flights:
            await world.runtime.join(flight)

    world.runtime.run(live())
    newest, there = world.sso.logged_in[-1], kept(world.store, "app", 1).refresh_token
    assert there in world.sso.good
    assert newest == there or newest not in world.sso.good  # or what it was replaced by


def test_what_is_put_in_by_hand_is_kept_as_it_is() -> None:
    """The kit's own store and way of keeping tokens hold what they are given."""
    sso = VirtualSso()
    store = sso.store()
    put(store, "app", 1, Kept("a", "r", ("r", "s")))
    assert Kept("a", "r", ("r", "s")) == kept(store, "app", 1)
