"""The ledger in Valkey: what processes and machines share, what a death costs, and what is kept on the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from esipy.stores.base import LEASE_SECONDS, Ask, Reservation, Told, Wait
from esipy.stores.redis_ledger import FORMAT, RedisLedger
from tests.forks import child, needs_fork
from tests.stores import ledger_kit
from tests.stores.kit import Clock
from tests.stores.shared_ledger_contract import SharedLedgerContract
from tests.stores.valkey import Worker, admin, ledger, new_prefix, url_of

NOTIFICATIONS = Ask("char-notification app:1", "*", 15, 900.0, 5, 2)
ORDERS = Ask("market-order ip", "*", 12000, 900.0, 5, 2)


def granted(given: Reservation | Wait) -> Reservation:
    """The leave that was expected."""
    assert isinstance(given, Reservation)
    return given


def used(of: RedisLedger) -> list[tuple[str, int, int, int]]:
    """Name, used, reserved and foreign of each bucket."""
    return [(state.bucket, state.used, state.reserved, state.foreign) for state in of.states()]


@pytest.fixture
def shared(valkey: Any) -> Iterator[RedisLedger]:
    """A ledger with nothing in it."""
    with ledger(valkey) as made:
        yield made


class TestRedisLedger(SharedLedgerContract):
    """In a server."""

    @pytest.fixture
    def open_ledger(self, clock: Clock, valkey: Any) -> Iterator[Callable[[], RedisLedger]]:
        options = {"prefix": new_prefix(), "clock": clock, "lease_seconds": ledger_kit.LEASE_SECONDS}
        with ExitStack() as opened:
            yield lambda: opened.enter_context(ledger(valkey, **options))


# -- processes and machines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "under_way"), [(15, 3), (150, 10)])
def test_T28_processes_use_a_bucket_to_the_last_whole_call(valkey: Any, limit: int, under_way: int) -> None:
    """Three processes on one server: together exactly the calls that the limit allows, each of which costs 2."""
    options = {"prefix": new_prefix()}
    ask = replace(NOTIFICATIONS, limit=limit)
    with Worker(valkey, **options) as one, Worker(valkey, **options) as two, Worker(valkey, **options) as three:
        workers = (one, two, three)
        for worker in workers:
            worker.tell("use", ask, under_way)
        calls = [worker.answer() for worker in workers]
    assert limit // 2 == sum(calls)
    with ledger(valkey, **options) as left:
        assert [(ask.bucket, limit // 2 * 2, 0, 0)] == used(left)


def test_a_process_that_is_killed_costs_its_calls_the_most(valkey: Any) -> None:
    """Until the lease ends nobody takes the place of its call; then it counts as 5, and the others use the rest."""
    options = {"prefix": new_prefix()}
    with Worker(valkey, **options) as dying:
        assert dying.ask("reserve", NOTIFICATIONS)
        dying.kill()
    with ledger(valkey, **options) as now:
        waiting = now.reserve(NOTIFICATIONS)
        assert isinstance(waiting, Wait)
        assert waiting.landing
        assert 0 < waiting.seconds <= LEASE_SECONDS
        assert [(NOTIFICATIONS.bucket, 0, 2, 0)] == used(now)
    with ledger(valkey, **options, clock=lambda: time.time() + LEASE_SECONDS + 1) as later:
        assert [(NOTIFICATIONS.bucket, 0, 0, 5)] == used(later)
        for _ in range(5):
            later.settle(granted(later.reserve(NOTIFICATIONS)), 2)
        full = later.reserve(NOTIFICATIONS)
        assert isinstance(full, Wait)
        assert not full.landing


def test_an_answer_after_its_lease_is_not_counted_again(valkey: Any) -> None:
    """But what its headers tell is believed: a limit, and what others spent."""
    clock = [1000.0]
    with ledger(valkey, clock=lambda: clock[0], lease_seconds=30.0) as slow:
        reservation = granted(slow.reserve(ORDERS))
        clock[0] += 30.0
        slow.settle(reservation, 2, Told(100, 6000, 900.0))
        (state,) = slow.states()
        assert (6000, 0, 0, 100) == (state.limit, state.used, state.reserved, state.foreign)


def test_only_an_answer_that_another_waits_for_is_worth_asking_again_for(valkey: Any) -> None:
    """What a process has under way itself wakes those who wait in it; of what others have it hears nothing."""
    options = {"prefix": new_prefix()}
    with ledger(valkey, **options) as one, ledger(valkey, **options) as two:
        granted(one.reserve(NOTIFICATIONS))
        waits = [of.reserve(NOTIFICATIONS) for of in (one, two)]
        assert [(False, True, False), (False, True, True)] == [wait[1:4] for wait in waits]  # type: ignore[union-attr]


def test_hosts_behind_other_addresses_share_characters_only(valkey: Any) -> None:
    """Of public calls, errors, routes and refusals each address has its own; those behind one address share them."""
    options = {"prefix": new_prefix()}
    asks = [
        NOTIFICATIONS,
        ORDERS,
        replace(ORDERS, bucket="market-order ip:app"),
        replace(ORDERS, bucket="errors"),
        replace(ORDERS, bucket="route get_markets_region_id_history"),
        replace(ORDERS, bucket="https://esi.example.com errors"),
    ]
    with (
        ledger(valkey, **options, address="paris") as paris,
        ledger(valkey, **options, address="paris") as paris_too,
        ledger(valkey, **options, address="oslo") as oslo,
    ):
        for ask in asks:
            paris.settle(granted(paris.reserve(ask)), 2)
        assert sorted((ask.bucket, 2, 0, 0) for ask in asks) == sorted(used(paris_too))
        assert [(NOTIFICATIONS.bucket, 2, 0, 0)] == used(oslo)
        paris.block("*", 600.0)
        assert 540.0 < paris_too.wait_for(ORDERS, 1).seconds <= 600.0
        assert Wait(0.0) == oslo.wait_for(ORDERS, 1)
        granted(oslo.reserve(ORDERS))


def test_it_is_known_how_many_processes_use_it(valkey: Any) -> None:
    """Each says so with its calls, goes when it closes, and is forgotten when it has been silent for long."""
    clock = [1000.0]
    options: dict[str, Any] = {"prefix": new_prefix(), "clock": lambda: clock[0]}
    with ledger(valkey, **options) as one:
        assert 1 == one.members()
        with ledger(valkey, **options) as two:
            one.reserve(ORDERS)
            two.reserve(ORDERS)
            assert (1, 2) == (one.members(), two.members())  # as of its own last call
        with ledger(valkey, **options) as three:
            three.reserve(ORDERS)
            assert 2 == three.members()
            clock[0] += 301
        with ledger(valkey, **options) as four:
            four.reserve(ORDERS)
            assert 1 == four.members()


def test_processes_say_so_again_to_a_server_that_lost_them(valkey: Any) -> None:
    """With the call after the first one that shows it."""
    options: dict[str, Any] = {"prefix": new_prefix(), "clock": lambda: 1000.0}
    with ledger(valkey, **options) as one, ledger(valkey, **options) as two:
        for each in (one, two):
            each.settle(granted(each.reserve(ORDERS)), 2)
        with admin(valkey) as server:
            server.delete(*server.keys(f"*{options['prefix']}*"))
        for each in (one, two) * 3:
            each.settle(granted(each.reserve(ORDERS)), 2)
        assert (2, 2) == (one.members(), two.members())


@needs_fork
def test_a_child_of_a_fork_is_a_process_of_its_own(shared: RedisLedger) -> None:
    """It neither uses nor closes the connection of its parent, whose calls stay the parent's."""
    reservation = granted(shared.reserve(ORDERS))

    def work() -> bool:
        shared.settle(granted(shared.reserve(ORDERS)), 2)
        return shared.members() == 2

    assert child(work)
    shared.settle(reservation, 2)
    assert [(ORDERS.bucket, 4, 0, 0)] == used(shared)


# -- the server --------------------------------------------------------------------------------------------------------


def commands(valkey: Any, verb: Any) -> list[str]:
    """What a verb sends to the server."""
    watching, marking = admin(valkey), admin(valkey)
    marking.ping()  # what makes a connection is sent before
    try:
        with watching.monitor() as monitor:
            verb()
            marking.echo("the end")
            sent: list[str] = []
            while "ECHO" not in sent:
                command = monitor.next_command()
                if command["client_type"] != "lua":
                    sent.append(command["command"].split()[0].upper())
            return sent[:-1]
    finally:
        watching.close()
        marking.close()


def test_each_verb_is_one_round_trip(valkey: Any, shared: RedisLedger) -> None:
    """One EVALSHA: no time, no script, no second question; all buckets are two."""
    shared.settle(granted(shared.reserve(ORDERS)), 2)
    reservation = granted(shared.reserve(ORDERS))
    told = Told(4, 12000, 900.0)
    for verb in (
        lambda: shared.reserve(ORDERS),
        lambda: shared.settle(reservation, 2, told),
        lambda: shared.wait_for(ORDERS, 5),
        lambda: shared.block(ORDERS.bucket, 1.0),
        lambda: shared.reserve(ORDERS),
        lambda: shared.resize(ORDERS, 100),
    ):
        assert ["EVALSHA"] == commands(valkey, verb)
    assert ["EVALSHA", "EVALSHA"] == commands(valkey, shared.states)
    assert [] == commands(valkey, shared.members)


def test_a_script_that_the_server_forgot_is_sent_again(valkey: Any, shared: RedisLedger) -> None:
    """SCRIPT FLUSH costs one round trip, once."""
    reservation = granted(shared.reserve(ORDERS))
    client = admin(valkey)
    client.script_flush()
    client.close()
    assert ["EVALSHA", "EVAL"] == commands(valkey, lambda: shared.settle(reservation, 2))
    assert ["EVALSHA"] == commands(valkey, lambda: shared.reserve(ORDERS))


def test_time_is_the_servers(shared: RedisLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is an hour ahead is told the same waits."""
    shared.block(ORDERS.bucket, 600.0)
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right + 3600)
    monkeypatch.setattr(time, "monotonic", lambda: right + 3600)
    assert 540.0 < shared.wait_for(ORDERS, 1).seconds <= 600.0


def test_what_is_kept_ends_by_itself_and_lies_in_one_slot(valkey: Any) -> None:
    """A bucket about two windows after it was last used, a gate when it opens; a cluster finds all on one machine."""
    prefix = new_prefix()
    client = admin(valkey)

    def now() -> float:
        seconds, microseconds = client.time()
        return float(seconds + microseconds / 1e6)

    with ledger(valkey, prefix=prefix, lease_seconds=10.0) as made:
        before = now()
        made.settle(granted(made.reserve(NOTIFICATIONS)), 2)
        made.block("*", 60.0)
        after = now()
        keys = [key.decode() for key in client.scan_iter(match=f"{{{prefix}}}*")]
        ends = {key.removeprefix(f"{{{prefix}}}{FORMAT}:"): client.pexpiretime(key) / 1000 for key in keys}
    client.close()
    assert {"bucket:char-notification app:1", "bucket:* @ip", "index", "processes"} == set(ends)
    assert before + 2 * 900 < ends["bucket:char-notification app:1"] <= after + 2 * 900 + 5
    assert before + 59 <= ends["bucket:* @ip"] <= after + 60
    assert before < ends["index"] <= after + 86400
    assert before < ends["processes"] <= after + 300
    assert all(key.startswith(f"{{{prefix}}}") for key in keys)


def test_a_bucket_that_ended_is_in_no_list(valkey: Any) -> None:
    """Nor does the list of buckets grow with those that ended long ago."""
    clock = [1000.0]
    prefix = new_prefix()
    client = admin(valkey)
    with ledger(valkey, prefix=prefix, clock=lambda: clock[0]) as made:
        made.settle(granted(made.reserve(NOTIFICATIONS)), 2)
        clock[0] += 5000
        assert [] == made.states()
        made._beat_at = 0.0
        made.reserve(ORDERS)
        assert 1 == client.zcard(f"{{{prefix}}}{FORMAT}:index")
        assert [ORDERS.bucket] == [state.bucket for state in made.states()]
    client.close()


def test_a_wait_for_a_bucket_that_is_not_there_is_kept_for_it(shared: RedisLedger) -> None:
    """The server may have lost the bucket whose 429 this is."""
    shared.block(NOTIFICATIONS.bucket, 600.0)
    shared.block(NOTIFICATIONS.bucket, 5.0)
    given = shared.reserve(NOTIFICATIONS)
    assert isinstance(given, Wait)
    assert 540.0 < given.seconds <= 600.0


def test_many_buckets_are_listed(shared: RedisLedger) -> None:
    """More than fit into one round trip."""
    asks = [replace(NOTIFICATIONS, bucket=f"assets app:{number}") for number in range(1001)]
    for ask in asks:
        granted(shared.reserve(ask))
    assert sorted((ask.bucket, 0, 2, 0) for ask in asks) == sorted(used(shared))


def test_a_client_of_ones_own_is_used_and_left_open(valkey: Any) -> None:
    """It may be of the package redis or valkey; closing the ledger is not closing it."""
    for client in (admin(valkey), valkey.client()):
        with_client = RedisLedger(client, prefix=new_prefix())
        granted(with_client.reserve(ORDERS))
        with_client.close()
        assert client.ping()
        client.close()


def test_the_url_of_the_ledger_may_be_valkeys(valkey: Any) -> None:
    """valkey:// is redis://: what is counted by the one name is there by the other."""
    prefix = new_prefix()
    by_valkey, by_redis = (
        RedisLedger(url_of(valkey).replace("redis", name), prefix=prefix) for name in ("valkey", "redis")
    )
    by_valkey.settle(granted(by_valkey.reserve(ORDERS)), 2)
    assert used(by_valkey) == used(by_redis) == [(ORDERS.bucket, 2, 0, 0)]
    by_valkey.close()
    by_redis.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"address": None}, "address=None: has to be a name"),
        ({"address": ""}, "address='': has to be a name"),
        ({"lease_seconds": 0}, "lease_seconds=0: has to be a number of seconds above 0"),
        ({"lease_seconds": "90"}, "lease_seconds='90': has to be a number"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_made(options: dict[str, Any], says: str) -> None:
    """Machines whose address is None would count apart from those without a name, which have the same."""
    with pytest.raises(ValueError, match=says):
        RedisLedger("redis://127.0.0.1:1/0", **options)
