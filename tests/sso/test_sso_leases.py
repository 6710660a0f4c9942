"""The right to refresh a token: one holder, for longer than anything that is done under it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from esipy.exceptions import TokenStoreError
from esipy.runtime.simulated import SimulatedRuntime
from esipy.sso.leases import LONGEST_PAUSE_SECONDS, SLOTS, Lease, Pauses
from esipy.sso.vault import Vault
from tests.sso.logins_kit import SEALER, BrokenTokens, VirtualSso


class Leasing:
    """Leases of one store, in virtual time."""

    def __init__(self) -> None:
        self.runtime: SimulatedRuntime = VirtualSso().runtime
        self.store = BrokenTokens(clock=self.runtime.now)

    def lease(self, name: str) -> Lease:
        return Lease(Vault(self.store, SEALER, "app"), name, 100)

    def do(self, done: Any) -> Any:
        return self.runtime.run(done)

    def pass_by(self, seconds: float) -> None:
        self.runtime.run(self.runtime.sleep(seconds))


@pytest.fixture
def leasing() -> Leasing:
    """A store and a clock."""
    return Leasing()


def test_one_holds_it_until_it_is_given_back(leasing: Leasing) -> None:
    """Others do not get it meanwhile; afterwards they do."""
    one, two = leasing.lease("a"), leasing.lease("a")
    assert leasing.do(one.hold(leasing.runtime))
    assert not leasing.do(two.hold(leasing.runtime))
    leasing.do(one.give_back(leasing.runtime))
    assert leasing.do(two.hold(leasing.runtime))


def test_it_is_held_for_half_of_its_time_at_least(leasing: Leasing) -> None:
    """Who asks again holds it as long again, and writes only when that is needed."""
    one, two = leasing.lease("a"), leasing.lease("a")
    assert leasing.do(one.hold(leasing.runtime))
    leasing.pass_by(40)
    leasing.store.broken = {"lease"}
    assert leasing.do(one.hold(leasing.runtime))
    leasing.pass_by(20)
    with pytest.raises(TokenStoreError):
        leasing.do(one.hold(leasing.runtime))
    leasing.store.broken = set()
    assert leasing.do(one.hold(leasing.runtime))
    leasing.pass_by(90)
    assert not leasing.do(two.hold(leasing.runtime))


def test_a_holder_that_was_too_slow_is_told_so(leasing: Leasing) -> None:
    """It ended, and another has it now: nothing is to be done under it any more."""
    one, two = leasing.lease("a"), leasing.lease("a")
    assert leasing.do(one.hold(leasing.runtime))
    leasing.pass_by(101)
    assert leasing.do(two.hold(leasing.runtime))
    assert not leasing.do(one.hold(leasing.runtime))


def test_a_holder_that_was_too_slow_is_told_so_although_nobody_has_it(leasing: Leasing) -> None:
    """Another may have had it and given it back: what was read under it is read again, then it is held."""
    one, two = leasing.lease("a"), leasing.lease("a")
    assert leasing.do(one.hold(leasing.runtime))
    leasing.pass_by(101)
    assert leasing.do(two.hold(leasing.runtime))
    leasing.do(two.give_back(leasing.runtime))
    assert [False, True] == [leasing.do(one.hold(leasing.runtime)) for _ in range(2)]
    assert not leasing.do(two.hold(leasing.runtime))


def test_there_are_five_slots(leasing: Leasing) -> None:
    """The sixth gets one when one is given back; a slot is kept with the lease."""
    holders = [leasing.lease(str(number)) for number in range(SLOTS + 1)]
    for holder in holders:
        assert leasing.do(holder.hold(leasing.runtime))
    assert [True] * SLOTS + [False] == [leasing.do(holder.take_slot(leasing.runtime)) for holder in holders]
    leasing.pass_by(60)
    assert leasing.do(holders[0].hold(leasing.runtime))  # the slot, too
    leasing.pass_by(60)
    assert [True] * (SLOTS - 1) == [leasing.do(holder.take_slot(leasing.runtime)) for holder in holders[1:SLOTS]]
    assert not leasing.do(holders[SLOTS].take_slot(leasing.runtime))
    leasing.do(holders[0].give_back(leasing.runtime, slot_only=True))
    assert leasing.do(holders[SLOTS].take_slot(leasing.runtime))
    assert not leasing.do(leasing.lease("0").hold(leasing.runtime))


def test_what_cannot_be_given_back_ends_by_itself(leasing: Leasing) -> None:
    """A store that fails then is no error of the refresh that is done."""
    one, two = leasing.lease("a"), leasing.lease("a")
    assert leasing.do(one.hold(leasing.runtime))
    leasing.store.broken = {"lease"}
    leasing.do(one.give_back(leasing.runtime))
    leasing.store.broken = set()
    leasing.pass_by(101)
    assert leasing.do(two.hold(leasing.runtime))


def test_what_nobody_heard_of_is_given_back_too(leasing: Leasing) -> None:
    """The store gave it, and its answer was lost, or whoever waited for it was stopped: nobody waits for its end."""
    one, two = leasing.lease("a"), leasing.lease("a")
    real = leasing.store.lease

    def lost(name: str, holder: str, seconds: float) -> bool:
        real(name, holder, seconds)
        raise TokenStoreError("no answer")

    leasing.store.lease = lost  # type: ignore[method-assign]
    for take in (one.hold, one.take_slot):
        with pytest.raises(TokenStoreError):
            leasing.do(take(leasing.runtime))
    leasing.store.lease = real  # type: ignore[method-assign]
    assert 2 == len(leasing.store._leases)
    leasing.do(one.give_back(leasing.runtime))
    assert {} == leasing.store._leases
    assert leasing.do(two.hold(leasing.runtime))


def test_who_is_stopped_while_giving_back_gives_back_all(leasing: Leasing) -> None:
    """A loop that ends cancels its tasks wherever they are: nobody waits for what they held."""
    one = leasing.lease("a")
    leasing.do(one.hold(leasing.runtime))
    leasing.do(one.take_slot(leasing.runtime))
    assert 2 == len(leasing.store._leases)

    class Stopped(BaseException):
        pass

    async def stopped(*_: Any) -> None:
        raise Stopped

    leasing.runtime.join = stopped  # type: ignore[assignment, method-assign]
    with pytest.raises(Stopped):
        leasing.do(one.give_back(leasing.runtime))
    assert {} == leasing.store._leases


def test_pauses_grow_and_end(leasing: Leasing) -> None:
    """They differ from waiter to waiter, and none waits for ever."""
    pauses, moments = Pauses(leasing.runtime, 20), [leasing.runtime.now()]
    while leasing.do(pauses.rest()):
        moments.append(leasing.runtime.now())
    gaps = [after - before for before, after in pairwise(moments)]
    assert gaps[0] < 0.1
    assert max(gaps) <= 1.5 * LONGEST_PAUSE_SECONDS
    assert 20 <= moments[-1] - moments[0] < 22
