"""Stored logins are refreshed once for all who need them, in time, and no more often than it helps."""

from __future__ import annotations

from typing import Any

import pytest

from esipy.exceptions import LoginRequiredError
from esipy.sso.known import MOST_SEEN
from esipy.sso.vault import Kept
from tests.sso.logins_kit import WHO, VirtualSso, ask, heard, put, renewed, state
from tests.sso.sso_kit import reply


def together(sso: VirtualSso, *askers: Any) -> list[Any]:
    """What tasks get that ask at the same moment: tokens, or errors."""
    flights = [sso.runtime.spawn(asker.token(WHO)) for asker in askers]

    async def land() -> list[Any]:
        landed: list[Any] = []
        for flight in flights:
            try:
                landed.append(await sso.runtime.join(flight))
            except Exception as error:
                landed.append(error)
        return landed

    return sso.runtime.run(land())


def test_T37_who_needs_one_token_shares_one_refresh(sso: VirtualSso) -> None:
    """Ten tasks of one process, and three processes with one store: one refresh, one signal, the same token."""
    store = sso.store()
    sso.keep(store, WHO)
    processes = [sso.process(store) for _ in range(3)]
    with heard() as told:
        got = together(sso, *[processes[number % 3] for number in range(10)])
    assert {sso.minted[-1]} == set(got)
    assert (1, ["AFTER_TOKEN_REFRESH"]) == (sso.refreshes, told())
    assert "ok" == state(store, "app", WHO)


def test_T37_five_at_once_over_all_processes(sso: VirtualSso) -> None:
    """Forty tokens that are over, eight processes: all are refreshed, never more than five at a time."""
    store, at_work, most = sso.store(), 0, 0
    for who in range(40):
        sso.keep(store, who)

    real = sso.runtime.send

    async def send(request: Any) -> Any:
        nonlocal at_work, most
        if not request.url.endswith("/token"):
            return await real(request)
        at_work += 1
        most = max(most, at_work)
        answer = await real(request)
        at_work -= 1
        return answer

    sso.runtime.send = send  # type: ignore[method-assign]
    processes = [sso.process(store) for _ in range(8)]
    flights = [sso.runtime.spawn(processes[who % 8].token(who)) for who in range(40)]

    async def all_of_them() -> list[str]:
        return [await sso.runtime.join(flight) for flight in flights]

    assert 40 == len(set(sso.runtime.run(all_of_them())))
    assert (40, 5) == (sso.refreshes, most)


def test_a_token_that_is_good_costs_nothing(sso: VirtualSso) -> None:
    """It is read once, and then remembered; neither store nor SSO are asked."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    first = ask(sso, process)
    store.broken = {"load", "save", "lease"}
    assert [first, first] == [ask(sso, process), ask(sso, process)]


def test_a_login_elsewhere_is_heard_of_soon(sso: VirtualSso) -> None:
    """Another process logs the character in anew: half a minute later its token is used; a logout is heard of, too."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    first = ask(sso, process)
    put(store, "app", WHO, Kept("another", "r"), expires_at=sso.runtime.now() + 1000, refreshed_at=sso.runtime.now())
    assert first == ask(sso, process)
    sso.runtime.run(sso.runtime.sleep(31))
    assert "another" == ask(sso, process)
    record = store.load("app", WHO)
    assert record is not None
    assert store.save("app", WHO, None, record.version)
    sso.runtime.run(sso.runtime.sleep(31))
    with pytest.raises(LoginRequiredError, match="no login of character 90000001"):
        ask(sso, process)


def test_a_401_of_esi_refreshes_a_stored_login_once(sso: VirtualSso) -> None:
    """The refused token is asked to be replaced by several callers: one refresh; by then the new one is known."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    refused = ask(sso, process)

    async def again() -> set[str]:
        flights = [sso.runtime.spawn(process.token(WHO, not_this=refused)) for _ in range(5)]
        return {await sso.runtime.join(flight) for flight in flights}

    assert sso.runtime.run(again()) == {sso.minted[-1]} != {refused}
    assert renewed(sso, process)
    assert 2 == sso.refreshes


def test_an_sso_that_gives_the_refused_token_again_is_asked_once(sso: VirtualSso) -> None:
    """ESI refuses a token, and the SSO has no other: one refresh, and the caller learns that it helps no more."""
    store = sso.store()
    sso.keep(store, WHO)
    process = sso.process(store)
    refused = ask(sso, process)

    def the_same(form: dict[str, str]) -> Any:
        assert len(sso.asked) < 10, "it would have no end"
        return reply(200, {"access_token": refused, "expires_in": 1199})

    sso.before = the_same
    assert refused == ask(sso, process, not_this=refused)
    assert 2 == len(sso.asked)


def test_a_token_is_refreshed_shortly_before_its_end_in_the_background(sso: VirtualSso) -> None:
    """Callers go on with the one that is good, and never wait; ten thousand made at once are not refreshed at once."""
    store, starts = sso.store(), []
    process = sso.process(store)
    for who in range(50):
        expires_at = sso.runtime.now() + 1199
        put(store, "app", who, Kept("good", sso.new_refresh_token(who)), expires_at=expires_at,
            refreshed_at=sso.runtime.now())  # fmt: skip
        assert "good" == ask(sso, process, who)
    began = sso.runtime.now()

    async def call(who: int) -> None:
        while sso.runtime.now() < began + 1195:
            before = sso.runtime.now()
            await process.token(who)
            assert before == sso.runtime.now()
            await sso.runtime.sleep(1)

    async def main() -> None:
        for flight in [sso.runtime.spawn(call(who)) for who in range(50)]:
            await sso.runtime.join(flight)

    sso.runtime.run(main())
    starts = [moment - began for moment, _ in sso.asked]
    assert 50 == sso.refreshes
    assert 1199 - 5 - 90 <= min(starts)
    assert max(starts) <= 1195
    assert max(starts) - min(starts) > 45


def test_a_refresh_before_the_time_that_fails_harms_nobody(sso: VirtualSso) -> None:
    """The token that is good is used on; it is tried again later, not with each call."""
    store = sso.store()
    expires_at = sso.runtime.now() + 80
    put(store, "app", WHO, Kept("good", "r"), expires_at=expires_at, refreshed_at=sso.runtime.now() - 1119)
    sso.before = lambda form: reply(500, {})
    process = sso.process(store)

    async def main() -> None:
        for _ in range(300):
            assert "good" == await process.token(WHO)
            await sso.runtime.sleep(0.2)

    sso.runtime.run(main())
    assert 1 <= len(sso.asked) <= 8


def test_an_hour_off_the_right_time_is_known_before_a_token_is_spent(sso: VirtualSso) -> None:
    """A machine whose clock is ahead takes no token of the store for over that is good by the SSO's clock."""
    store = sso.store()
    expires_at = sso.runtime.now() - 3600 + 600
    put(store, "app", WHO, Kept("good", "r"), expires_at=expires_at, refreshed_at=sso.runtime.now() - 4200)
    from email.utils import formatdate

    from sso_kit import METADATA

    real = sso.runtime.server

    def dated(request: Any) -> Any:
        if request.url.endswith(METADATA):
            base = "https://sso.example"
            document = {
                "issuer": "https://login.eveonline.com",
                "authorization_endpoint": f"{base}/a", "token_endpoint": f"{base}/v2/oauth/token",
                "revocation_endpoint": f"{base}/r", "jwks_uri": f"{base}/oauth/jwks",
            }  # fmt: skip
            return reply(200, document, date=formatdate(sso.runtime.now() - 3600, usegmt=True))
        return real(request)

    sso.runtime.server = dated
    assert "good" == ask(sso, sso.process(store))
    assert [] == sso.asked


def test_who_waits_for_another_process_looks_at_the_record(sso: VirtualSso) -> None:
    """The lease is another's, who is killed: it ends by itself, and the refresh is made then; pauses grow."""
    store = sso.store()
    sso.keep(store, WHO)
    assert store.lease(f"refresh app {WHO}", "somebody who was killed", 100)
    began = sso.runtime.now()
    assert renewed(sso, sso.process(store))
    assert 100 <= sso.runtime.now() - began < 103


def test_a_process_remembers_few_tokens(sso: VirtualSso) -> None:
    """Memory does not grow with the number of characters."""
    store = sso.store()
    process = sso.process(store)
    for who in range(MOST_SEEN + 100):
        expires_at = sso.runtime.now() + 1199
        put(store, "app", who, Kept(f"good {who}", "r"), expires_at=expires_at, refreshed_at=sso.runtime.now())
        assert f"good {who}" == ask(sso, process, who)
    assert MOST_SEEN == len(process.logins._known._seen)
    assert "good 0" == ask(sso, process, 0)
