"""A server that is gone, begins anew, hangs or refuses: one error, in words without secrets; and nothing to restart."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from esipy.stores.base import Ask, Reservation, StoreUnavailable, Told
from esipy.stores.redis_ledger import FORMAT, RedisLedger
from tests.stores.valkey import ROOT, admin, ledger, server, url_of

NOTIFICATIONS = Ask("char-notification app:1", "*", 15, 900.0, 5, 2)
SECRET = "s3cret-w0rd"


def granted(given: Any) -> Reservation:
    """The leave that was expected."""
    assert isinstance(given, Reservation)
    return given


@pytest.fixture
def client(own_valkey: Any) -> Iterator[Any]:
    """To set the server up with."""
    made = admin(own_valkey)
    yield made
    made.close()


def refusal(of: RedisLedger) -> str:
    """What is said when a verb fails, whichever it is; nothing else comes with it."""
    said: list[str] = []
    for verb in (lambda: of.reserve(NOTIFICATIONS), lambda: of.block("*", 1.0), lambda: of.resize(NOTIFICATIONS, 9)):
        with pytest.raises(StoreUnavailable) as raised:
            verb()
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
        said.append(str(raised.value))
    assert 1 == len(set(said))
    return said[0]


def test_a_server_that_is_gone_and_comes_back(own_valkey: Any) -> None:
    """Unavailable meanwhile, for every verb; afterwards it is used again by itself, with what it lost."""
    port = own_valkey.port
    with ledger(own_valkey) as made:
        reservation = granted(made.reserve(NOTIFICATIONS))
        own_valkey.stop()
        assert f"redis://127.0.0.1:{port}/0 cannot be reached" == refusal(made)
        for verb in (lambda: made.settle(reservation, 2), lambda: made.wait_for(NOTIFICATIONS, 2), made.states):
            with pytest.raises(StoreUnavailable):
                verb()
        made.close()  # is no error
        own_valkey._desired_port = port
        own_valkey.start()
        assert [] == made.states()
        made.settle(reservation, 2, Told(8))
        (state,) = made.states()
        assert (2, 0, 6) == (state.used, state.reserved, state.foreign)


def test_a_connection_that_broke_while_idle_is_made_again(own_valkey: Any, client: Any) -> None:
    """Nobody hears of it."""
    with ledger(own_valkey) as made:
        granted(made.reserve(NOTIFICATIONS))
        client.client_kill_filter(_type="normal", skipme=True)
        assert 2 == made.states()[0].reserved


def test_a_server_that_hangs_is_not_waited_for() -> None:
    """It takes the connection and says nothing: unavailable after the time limit, here that of the URL."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        made = RedisLedger(f"redis://127.0.0.1:{hanging.getsockname()[1]}/0?socket_timeout=0.05")
        assert refusal(made).endswith("/0 did not answer in time")
        made.close()


def test_the_time_limit_is_short_unless_said_otherwise() -> None:
    """A second, for connecting and for an answer."""
    made = RedisLedger("redis://127.0.0.1:1")
    options = made._server._client.connection_pool.connection_kwargs
    assert (1.0, 1.0) == (options["socket_timeout"], options["socket_connect_timeout"])
    made.close()


def test_a_server_that_refuses(own_valkey: Any, client: Any) -> None:
    """No memory left, only a replica: unavailable, and again available when that is over."""
    with ledger(own_valkey) as made:
        client.config_set("maxmemory", 1)
        assert refusal(made).endswith("is out of memory")
        client.config_set("maxmemory", 0)
        client.replicaof("127.0.0.1", 1)
        assert refusal(made).endswith("is a replica that cannot be written to")
        client.replicaof("NO", "ONE")
        granted(made.reserve(NOTIFICATIONS))


def test_what_lies_under_our_keys_and_is_not_ours(valkey: Any) -> None:
    """It is not touched, and refused with the server's code."""
    with ledger(valkey) as made:
        client = admin(valkey)
        client.lpush(made._key(NOTIFICATIONS.bucket), "a list")
        assert refusal_of_reserve(made).endswith("refuses: WRONGTYPE")
        assert 1 == client.llen(made._key(NOTIFICATIONS.bucket))
        client.close()


def refusal_of_reserve(of: RedisLedger) -> str:
    """What is said when no leave can be had."""
    with pytest.raises(StoreUnavailable) as raised:
        of.reserve(NOTIFICATIONS)
    return str(raised.value)


def test_T44_errors_and_reprs_hold_no_secret(own_valkey: Any, client: Any) -> None:
    """Neither user nor password nor options, when these are wrong, or not allowed what is needed, or right."""
    client.acl_setuser("somebody", enabled=True, passwords=[f"+{SECRET}"], commands=["+ping"], keys=["*"])
    there = f"127.0.0.1:{own_valkey.port}/0"
    wrong = RedisLedger(f"redis://somebody:wrong{SECRET}@{there}?client_name=somebody")
    poor = RedisLedger(f"redis://somebody:{SECRET}@{there}")
    assert f"redis://{there} refuses the user or the password" == refusal(wrong)
    assert f"redis://{there} does not allow this user that" == refusal(poor)
    assert f"<RedisLedger redis://{there}>" == repr(wrong) == repr(poor)
    assert f"<RedisServer redis://{there}>" == repr(poor._server)
    wrong.close()
    poor.close()


@pytest.mark.parametrize(
    "url",
    [
        f"redis://user:{SECRET}/with-a-slash@host:6379/0",
        f"redis://user:1/{SECRET}@host:6379/0",  # up to the slash it could be a port
        f"redis://user:1#{SECRET}@host:6379/0",
        f"redis://user:1?{SECRET}@host:6379/0",
        f"redis://user:{SECRET}@host:6379/no-number",  # the package would take database 0
        f"unix://{SECRET}",
        f"http://user:{SECRET}@host",
        f"user:{SECRET}@host:6379",
        f"redis://user:{SECRET}@[host",
        f"redis://user:{SECRET}@host:6379/0?no_such_option=1",
        f"redis://user:{SECRET}@host:6379/0?socket_timeout={SECRET}",
    ],
)
def test_T44_a_url_that_is_none_is_refused_without_its_secret(url: str) -> None:
    """At once, and with what to write instead."""
    with pytest.raises(ValueError, match="URL") as raised:
        RedisLedger(url)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize(("client", "says"), [(object(), "no client"), (None, "no client")])
def test_what_is_no_client_is_refused(client: Any, says: str) -> None:
    """At once, not with the first call."""
    with pytest.raises(TypeError, match=says):
        RedisLedger(client)


def test_an_asyncio_client_is_refused(valkey: Any) -> None:
    """A ledger's verbs wait for nobody."""
    from redis.asyncio import Redis

    with pytest.raises(TypeError, match="asyncio"):
        RedisLedger(Redis(port=valkey.port))


def test_without_the_package_the_extra_is_named() -> None:
    """Only a URL needs it."""
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from esipy.stores.redis_ledger import RedisLedger\n"
        "try: RedisLedger('redis://127.0.0.1')\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert 'Redis and Valkey need the extra redis: pip install "EsiPy[redis]"\n' == done.stdout


def test_a_user_needs_no_more_than_the_page_says(own_valkey: Any, client: Any) -> None:
    """docs/shared-limits.md: with those rights every verb works, in another database than the first, too."""
    page = (ROOT / "docs" / "shared-limits.md").read_text("utf-8")
    words = page.partition("ACL SETUSER esipy")[2].partition("```")[0].split()
    client.execute_command("ACL", "SETUSER", "somebody", *(word.replace(">password", f">{SECRET}") for word in words))
    made = RedisLedger(f"redis://somebody:{SECRET}@127.0.0.1:{own_valkey.port}/1")
    made.settle(granted(made.reserve(NOTIFICATIONS)), 2)
    made.block("*", 1.0)
    made.resize(NOTIFICATIONS, 9)
    assert made.wait_for(NOTIFICATIONS, 1).everyone
    assert [9] == [state.limit for state in made.states()]
    with admin(own_valkey, db=1) as there:
        assert 1 == there.zcard(f"{{esipy:}}{FORMAT}:processes")
        made.close()
        assert 0 == there.zcard(f"{{esipy:}}{FORMAT}:processes")


def test_a_server_behind_a_socket_file(tmp_path: Any) -> None:
    """unix:// names its path."""
    path = tmp_path / "valkey.sock"
    running = server(unix_socket_path=path)
    with running:
        made = RedisLedger(f"unix://{path}")
        granted(made.reserve(NOTIFICATIONS))
        assert f"<RedisLedger unix://{path}>" == repr(made)
        made.close()


def test_url_of_a_server_is_shown_without_more(valkey: Any) -> None:
    """Host, port and database tell which one it is."""
    with ledger(valkey) as made:
        assert f"<RedisLedger {url_of(valkey).partition('?')[0]}>" == repr(made)
