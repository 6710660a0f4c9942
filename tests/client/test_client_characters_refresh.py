"""Stored logins in a client: refreshed once, before their end, and when ESI refuses them."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from esipy import AsyncEsiClient, EsiClient
from esipy.runtime.blocking import run
from esipy.sandbox import RunningSandbox
from esipy.sso.sealing import Sealer
from esipy.sso.vault import Kept, Stored, Vault
from esipy.stores.tokens import TokenRecord
from tests.client.characters_kit import (
    MAIL,
    TOKEN,
    WALLET,
    ids,
    log_in,
    wallet_of,
)
from tests.client.characters_kit import options as options
from tests.client.colours import UA, Connect


def test_T37_threads_and_tasks_make_one_refresh(box: RunningSandbox, options: dict[str, Any]) -> None:
    """Ten threads of a blocking client, and ten tasks of an asyncio one, with one token that is over."""
    (who,) = ids(box, 1)
    given = {**options, "base_url": box.url, "headers": UA}
    with EsiClient(**given) as client:
        client.add_character(box.login(who)["refresh_token"], who)
        barrier = threading.Barrier(11)

        def call() -> float:
            barrier.wait(10)
            return client.as_character(who).fetch(wallet_of(who))

        async def calls() -> list[float]:
            async with AsyncEsiClient(**given) as other:
                barrier.wait(10)
                view = other.as_character(who)
                return await asyncio.gather(*[view.fetch(wallet_of(who)) for _ in range(10)])

        with ThreadPoolExecutor(11) as pool:
            tasks = pool.submit(asyncio.run, calls())
            threads = [pool.submit(call) for _ in range(10)]
            got = {thread.result(30) for thread in threads} | set(tasks.result(30))
    assert 1 == len(got)
    assert 1 == len(box.received(TOKEN))


def test_a_401_refreshes_once_and_the_call_is_tried_again(connect: Connect, options: dict[str, Any]) -> None:
    """ESI refuses a token before its time: the caller sees nothing of it, and the next call needs no refresh."""
    client = connect(**options)
    (who,) = ids(client.box, 1)
    log_in(client, who)
    client.box.expire_tokens(who)
    client.box.forget()
    view = client.client.as_character(who)
    for _ in range(2):
        assert client.do(view.fetch(wallet_of(who))) > 0
    assert 1 == len(client.box.received(TOKEN))
    assert [401, 200, 200] == [entry.status for entry in client.box.received(f"/characters/{who}/wallet")]


def test_T03_what_is_kept_is_not_for_a_login_that_lacks_the_scope(connect: Connect, options: dict[str, Any]) -> None:
    """A process that has not used the login yet looks it up before it gives an answer that another login was given."""
    client = connect(**{**options, "cache": False, "check_scopes": False})
    (who,) = ids(client.box, 1)
    log_in(client, who, WALLET)
    client.do(client.client.as_character(who).fetch(wallet_of(who)))
    log_in(client, who, MAIL)
    assert 403 == client.do(client.client.as_character(who).request(wallet_of(who))).status


def test_asyncio_refreshes_in_the_background(box: RunningSandbox, options: dict[str, Any]) -> None:
    """The call goes out at once with the token that is good; the refresh is ended before the client is closed."""
    (who,) = ids(box, 1)
    answer = box.login(who)
    now = time.time()
    record = TokenRecord(box.client_id, who, "One", "", (WALLET,), "ok", now + 600, now - 599, b"")
    kept = Stored(record, Kept(answer["access_token"], answer["refresh_token"]))
    Vault(options["tokens"], Sealer(), box.client_id)._save(kept, None)
    box.fail(TOKEN, kind="hang", after=True)

    async def main() -> float:
        async with AsyncEsiClient(base_url=box.url, headers=UA, **options) as client:
            view = client.as_character(who)
            seen = await client._logins._seen(client._engine.runtime, who)
            client._logins._known.see(who, seen._replace(renew_at=0.0))  # its moment has come
            balance = await view.fetch(wallet_of(who))
            assert await view.fetch(wallet_of(who)) == balance
            await asyncio.to_thread(box.wait_received, 1, TOKEN)
            box.heal()
            box.release()
            return balance

    assert asyncio.run(main()) > 0
    record_now = options["tokens"].load(box.client_id, who)
    assert record_now.version > 1
    assert 1 == len(box.received(TOKEN))


def test_blocking_one_caller_refreshes_early_and_others_do_not_wait(
    box: RunningSandbox, options: dict[str, Any]
) -> None:
    """While the one who comes first asks the SSO, which hangs, others go on with the token that is good."""
    (who,) = ids(box, 1)
    answer = box.login(who)
    now = time.time()
    record = TokenRecord(box.client_id, who, "One", "", (WALLET,), "ok", now + 600, now - 599, b"")
    kept = Stored(record, Kept(answer["access_token"], answer["refresh_token"]))
    Vault(options["tokens"], Sealer(), box.client_id)._save(kept, None)
    box.fail(TOKEN, kind="hang", after=True)
    with EsiClient(base_url=box.url, headers=UA, **options) as client, ThreadPoolExecutor(1) as pool:
        view = client.as_character(who)
        seen = run(client._logins._seen(client._engine.runtime, who))
        client._logins._known.see(who, seen._replace(renew_at=0.0))  # its moment has come
        first = pool.submit(view.fetch, wallet_of(who))
        box.wait_received(1, TOKEN)
        client._logins._known.see(who, seen._replace(renew_at=0.0))
        assert view.fetch(wallet_of(who)) > 0
        assert not first.done()
        box.heal()
        box.release()
        assert first.result(30) > 0
    assert 1 == len(box.received(TOKEN))


def test_T37_hundreds_of_expired_tokens_are_refreshed_five_at_once_while_calls_go_on(options: dict[str, Any]) -> None:
    """Three hundred characters call at the same moment; one whose token is good is held up by none of them."""
    from esipy.sandbox import serve

    with serve(characters=301, rotate_refresh_tokens=True, enforce_limits=False) as box:
        good, *others = box.sandbox.roster.ids
        given = {**options, "sso_url": box.sso_url, "base_url": box.url, "headers": UA}
        with EsiClient(**given, policy="off") as client:
            for who in (good, *others):
                client.add_character(box.login(who, [WALLET])["refresh_token"], who)
            view = client.as_character(good)
            view.fetch(wallet_of(good))
            box.forget()
            box.fail(TOKEN, 5, kind="hang", after=True)
            stop, calls = threading.Event(), 0

            def call() -> None:
                nonlocal calls
                while not stop.is_set():
                    view.fetch(wallet_of(good))
                    calls += 1

            going = threading.Thread(target=call)
            going.start()
            with ThreadPoolExecutor(20) as pool:
                got = pool.map(lambda who: client.as_character(who).fetch(wallet_of(who)), others)
                box.wait_received(5, TOKEN)
                before = calls
                box.wait_received(len(box.received()) + 3)  # calls go on while five hang
                assert calls > before
                box.release()
                balances = list(got)
            stop.set()
            going.join()
        assert 300 == len(balances)
        assert 300 == len(box.received(TOKEN))
        assert 5 == box.most_at_once(TOKEN)
