"""``cache=`` and ``ESI_CACHE``: where a client keeps answers, with both clients."""

from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from esipy import ops
from esipy.exceptions import SettingError
from esipy.stores.redis_cache import RedisCache
from esipy.stores.sqlite_cache import SqliteCache
from tests.client.colours import Colour, Connect, another_process
from tests.stores.valkey import admin, new_prefix, url_of

FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)
REGION = ops.universe.get_universe_regions_region_id(region_id=10000002)
ITEM = {"flag": "LoSlot0", "quantity": 1, "type_id": 2046}
NOWHERE = "redis://someone:hunter2@127.0.0.1:1/0"


@pytest.fixture(params=["sqlite", "redis"])
def text(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A name of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'answers.sqlite3'}"
    valkey = request.getfixturevalue("valkey")
    with admin(valkey) as client:
        client.flushall()
    return url_of(valkey)


def sources(*clients: Colour) -> list[str]:
    """Where each gets the first page of a market from, one after the other."""
    return [client.request(FORGE).source for client in clients]


def test_T08_processes_share_answers_and_find_them_after_a_restart(connect: Connect, text: str) -> None:
    """Fresh ones are hits, stale ones are revalidated; word for word what came."""
    first = connect(cache=text)
    came = [first.request(call) for call in (FORGE, REGION)]
    first.do(first.client.close())
    another_process()
    second = connect(cache=text)
    found = [second.request(call) for call in (FORGE, REGION)]
    assert [each.source for each in came + found] == ["network", "network", "cache", "revalidated"]
    assert [each.data for each in came] == [each.data for each in found]
    assert dict(came[0].headers) == dict(found[0].headers)
    assert abs((came[0].expires_at - found[0].expires_at).total_seconds()) < 5


def test_T02_a_write_drops_the_read_in_every_process(connect: Connect, text: str) -> None:
    """After one client's POST fittings, another's GET reaches the network, and is kept again."""
    reader = connect(cache=text, login=True)
    another_process()
    writer = connect(cache=text, login=True)
    character = reader.security.character_id
    read = ops.fittings.get_characters_character_id_fittings(character_id=character)
    write = ops.fittings.post_characters_character_id_fittings(
        character_id=character, body={"name": "a", "description": "b", "ship_type_id": 587, "items": [ITEM]}
    )
    found = [reader.request(read).source, writer.request(read).source]
    assert writer.request(write).status == 201
    found += [reader.request(read).source, writer.request(read).source]
    assert found == ["network", "cache", "network", "cache"]


def test_T03_characters_share_a_store_and_no_answer(connect: Connect, text: str) -> None:
    """What the file holds for one is not the other's; nor does it hold a token."""
    one, other = connect(cache=text, login=True), connect(cache=text, login=True)
    wallet = [
        ops.wallet.get_characters_character_id_wallet(character_id=each.security.character_id) for each in (one, other)
    ]
    assert [one.request(wallet[0]).source, one.request(wallet[0]).source] == ["network", "cache"]
    assert other.request(wallet[1]).source == ("network" if wallet[0] != wallet[1] else "cache")
    if text.startswith("sqlite"):
        kept = Path(text.removeprefix("sqlite://")).with_name("answers.sqlite3-wal").read_bytes()
        assert one.security.access_token.encode() not in kept


def test_stats_count_what_all_have_put(connect: Connect, text: str) -> None:
    """Each client its own hits; the entries are those of the store. One that does not answer cannot tell."""
    first, second = connect(cache=text), connect(cache=text)
    assert sources(first, second) == ["network", "cache"]
    second.request(REGION)

    def stats(client: Colour) -> Any:
        async def within() -> Any:
            return await client.client.cache.stats()

        return client.client.cache.stats() if client.name == "blocking" else client.do(within())

    assert [(0, 1, 2), (1, 1, 2)] == [(one.hits, one.misses, one.entries) for one in map(stats, (first, second))]
    assert 2000 < stats(first).stored_bytes < 200_000
    assert (None, None) == stats(connect(cache=NOWHERE))[-2:]


def test_many_threads_and_tasks_share_a_store(connect: Connect, text: str) -> None:
    """Forty calls at once, of four pages."""
    client = connect(cache=text)
    calls = [FORGE.replace(page=1 + number % 4) for number in range(40)]
    answers = client.multi_request(calls, 20)
    assert [response.status for _, response in answers] == [200] * 40
    assert {response.source for _, response in client.multi_request(calls, 20)} == {"cache"}


def test_the_variable_names_it_for_clients_that_are_given_none(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyword wins, None too; an empty variable counts as not set."""
    monkeypatch.setenv("ESI_CACHE", f"sqlite:///{tmp_path / 'a.sqlite3'}")
    assert (
        sources(connect(), connect(cache=None), connect(cache=f"sqlite:///{tmp_path / 'b.sqlite3'}")) == ["network"] * 3
    )
    assert sources(connect(), connect(cache=True), connect(cache=None)) == ["cache", "cache", "network"]
    monkeypatch.setenv("ESI_CACHE", "")
    assert sources(connect()) == ["network"]


def test_sqlite_alone_is_a_file_of_the_user(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder where the system keeps what programs can do without; the same as an object without a path."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    named, made = connect(cache="sqlite:"), SqliteCache()
    monkeypatch.undo()
    assert sources(named, connect(cache=made)) == ["network", "cache"]
    assert (tmp_path / "esipy" / "answers.sqlite3").exists()
    made.close()


def test_clients_that_name_the_same_store_share_one(connect: Connect, tmp_path: Path) -> None:
    """One connection a process; it is closed with the last of them, and opened again for who comes later."""
    path = tmp_path / "answers.sqlite3"
    name = f"sqlite:///{path}"
    first, second = connect(cache=name), connect(cache=name)
    assert sources(first, second) == ["network", "cache"]
    log = path.with_name("answers.sqlite3-wal")
    first.do(first.client.close())
    first.do(first.client.close())
    assert log.exists()
    second.do(second.client.close())
    assert not log.exists()
    assert sources(connect(cache=name)) == ["cache"]


def test_objects_are_stores_and_their_owners_to_close(connect: Connect, tmp_path: Path, valkey: Any) -> None:
    """One may be given to several clients."""
    path = tmp_path / "answers.sqlite3"
    for store in (SqliteCache(path), RedisCache(url_of(valkey), prefix=new_prefix())):
        first = connect(cache=store)
        assert sources(first, connect(cache=store)) == ["network", "cache"]
        first.do(first.client.close())
        assert sources(connect(cache=store)) == ["cache"]
        store.close()


def test_cache_bytes_is_the_bound(connect: Connect, tmp_path: Path) -> None:
    """Of a file too: an answer that is larger than a quarter of it is not kept."""
    client = connect(cache=f"sqlite:///{tmp_path / 'answers.sqlite3'}", cache_bytes=400)
    assert sources(client, client) == ["network", "network"]


def test_a_store_that_is_gone_costs_no_call(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Answers come from ESI, once for each call; the log is told once, without the password."""
    client = connect(cache=NOWHERE)
    with caplog.at_level(logging.WARNING, "esipy.cache"):
        assert sources(client, client) == ["network", "network"]
    told = [each.getMessage() for each in caplog.records if each.name == "esipy.cache"]
    assert told == ["the cache does not answer, so nothing is kept for now: redis://127.0.0.1:1/0 cannot be reached"]
    assert "hunter2" not in repr(client.client) + repr(client.client._engine.cache)


def test_a_server_that_hangs_holds_up_no_other_task(connect: Connect) -> None:
    """It is asked beside the event loop, and given up after its time limit."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        client = connect(cache=f"redis://127.0.0.1:{hanging.getsockname()[1]}/0?socket_timeout=0.2")
        if client.name == "blocking":
            assert sources(client) == ["network"]
            return

        async def both() -> list[str]:
            calling = asyncio.ensure_future(client.client.request(FORGE))
            turns = 0
            while not calling.done():
                await asyncio.sleep(0)
                turns += 1
            assert turns > 100
            return [(await calling).source]

        assert client.do(both()) == ["network"]


def test_threads_of_a_blocking_client_hit_at_once(connect: Connect, tmp_path: Path) -> None:
    """Eight of them, over one file."""
    client = connect(cache=f"sqlite:///{tmp_path / 'answers.sqlite3'}")
    assert sources(client) == ["network"]
    if client.name == "asyncio":
        assert sources(client) == ["cache"]
        return
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: client.request(FORGE).source, range(80))) == {"cache"}


@pytest.mark.parametrize("given", ["variable", "keyword"])
@pytest.mark.parametrize(
    "wrong",
    [
        "mysql://someone:hunter2@host/0", "someone:hunter2@host", "redis:someone:hunter2@host", "redis//hunter2",
        "redis://someone:hunter2@host:port", "redis://someone:hunter2@host?no_such_option=1", "memory",
    ],
)  # fmt: skip
def test_T44_what_is_no_cache_is_refused_and_not_shown(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, given: str, wrong: str
) -> None:
    """It may hold a password; the error names the keyword or the variable, and says what there is."""
    options: dict[str, Any] = {"cache": wrong} if given == "keyword" else {}
    if given == "variable":
        monkeypatch.setenv("ESI_CACHE", wrong)
    with pytest.raises(SettingError, match="^cache: " if options else "^ESI_CACHE: ") as raised:
        connect(**options)
    error: BaseException | None = raised.value
    while error is not None:
        assert "hunter2" not in f"{error!s}{error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("wrong", ["sqlite:answers.sqlite3", "sqlite:///", "sqlite://host/x", "sqlite:///:memory:"])
def test_a_file_without_a_path_is_refused(connect: Connect, wrong: str) -> None:
    """With the forms that there are."""
    with pytest.raises(SettingError, match=r"^cache=sqlite:.*: has to be sqlite:///answers.sqlite3"):
        connect(cache=wrong)


def test_another_object_is_refused(connect: Connect) -> None:
    """A path, for one."""
    with pytest.raises(SettingError, match=r"has to be a text such as sqlite:///answers.sqlite3"):
        connect(cache=Path("answers.sqlite3"))
