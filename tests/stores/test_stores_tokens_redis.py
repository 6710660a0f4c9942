"""Tokens on a server: one that is gone, full or a replica, an answer that is lost, keys, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from esipy.exceptions import TokenStoreError
from esipy.stores.redis_tokens import RedisTokens
from tests.forks import child, needs_fork
from tests.stores.token_stores import APP, record
from tests.stores.valkey import admin, new_prefix, url_of


@pytest.fixture
def store(valkey: Any) -> Iterator[RedisTokens]:
    """On a real server, empty."""
    made = RedisTokens(url_of(valkey), prefix=new_prefix())
    yield made
    made.close()


def test_a_save_that_is_sent_again_is_done_once(store: RedisTokens) -> None:
    """Its answer was lost with its connection: the package sends it again, and it was done."""
    name, attempt = f"{APP}\x00{1:020}", b"attempt"
    assert 1 == store._run("save", name, "", 1, b"packed", attempt)
    assert 1 == store._run("save", name, "", 1, b"packed", attempt)
    assert 0 == store._run("save", name, "", 1, b"packed", b"another")
    assert 1 == store._run("save", name, 1, 2, b"packed", b"another")
    assert 0 == store._run("save", name, "", 1, b"packed", attempt)


def test_a_server_that_is_gone_is_told() -> None:
    """Without its password, and what to do."""
    store = RedisTokens("redis://:geheim@127.0.0.1:1/0")
    for verb in (
        lambda: store.load(APP, 1),
        lambda: store.save(APP, 1, record(), None),
        lambda: list(store.records()),
        lambda: store.lease("refresh", "one", 5),
    ):
        with pytest.raises(
            TokenStoreError, match=r"the tokens in redis://127.0.0.1:1/0 cannot be reached\. Nothing"
        ) as no:
            verb()
        assert "geheim" not in f"{no.value!r} {no.value} {store!r}"


def test_a_full_server_and_a_replica_are_told(own_valkey: Any) -> None:
    """Nothing is saved or leased, so no refresh token is spent; what is kept can be read, and is as it was."""
    store = RedisTokens(url_of(own_valkey))
    control = admin(own_valkey)
    assert store.save(APP, 1, record(), None)
    for name, value, back, said in (
        ("maxmemory", "1", "0", "is out of memory"),
        ("replicaof", "127.0.0.1 1", "no one", "is a replica that cannot be written to"),
    ):
        if name == "replicaof":
            control.replicaof(*value.split())
        else:
            control.config_set(name, value)
        for verb in (lambda: store.save(APP, 1, record(sealed=b"2"), 1), lambda: store.lease("refresh", "one", 5)):
            with pytest.raises(TokenStoreError, match=said):
                verb()
        if name == "replicaof":
            control.replicaof(*back.split())
        else:
            control.config_set(name, back)
        assert record(version=1) == store.load(APP, 1)
    assert store.save(APP, 1, record(sealed=b"2"), 1)
    store.close()
    control.close()


def test_what_cannot_be_read_is_told_and_left(store: RedisTokens, valkey: Any) -> None:
    """The character is named."""
    assert store.save(APP, 1, record(), None)
    control = admin(valkey)
    (key,) = control.keys(f"*{store._root}token:*")
    control.hset(key, "record", b"nonsense")
    with pytest.raises(
        TokenStoreError, match=r"of character 1 cannot be read .* It is left as it is; the character can"
    ):
        store.load(APP, 1)
    assert b"nonsense" == control.hget(key, "record")
    control.close()


def test_tokens_stay_and_leases_go(store: RedisTokens, valkey: Any) -> None:
    """Keys of tokens do not end; those of leases do, soon after. All of them lie in one slot of a cluster."""
    assert store.save(APP, 1, record(), None)
    assert store.lease("refresh", "one", 5)
    control = admin(valkey)
    keys = {key.decode().removeprefix(store._root): control.pttl(key) for key in control.keys(f"{store._root}*")}
    assert {"index", f"token:{APP}\x00{1:020}", "lease:refresh"} == set(keys)
    assert 0 < keys.pop("lease:refresh") <= 6000
    assert {-1} == set(keys.values())
    assert store._root.startswith("{")
    control.close()


def test_what_is_listed_and_gone_is_left_out(store: RedisTokens, valkey: Any) -> None:
    """As when a server evicts what it should keep."""
    for character_id in (1, 2, 3):
        assert store.save(APP, character_id, record(character_id), None)
    control = admin(valkey)
    control.delete(f"{store._root}token:{APP}\x00{2:020}")
    assert [1, 3] == [each.character_id for each in store.records()]
    assert store.save(APP, 2, record(2), None)
    control.close()


@needs_fork
def test_parent_and_child_use_one_store_after_a_fork(store: RedisTokens) -> None:
    """The child has connections of its own."""
    assert store.save(APP, 1, record(), None)
    assert child(lambda: store.save(APP, 1, record(sealed=b"2"), 1) and store.lease("refresh", "child", 60))
    assert record(sealed=b"2", version=2) == store.load(APP, 1)
    assert not store.lease("refresh", "parent", 60)
