"""What is reserved is settled whatever happens, in the bucket that has paid, and refusals are believed."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from esipy import App, ops
from esipy.core.moments import as_seconds
from esipy.events import LIMIT_CHANGED
from esipy.exceptions import LimitedError, RateLimitedError
from tests.engine.kit import STATUS, Script, answer
from tests.engine.limits_kit import HERO, OTHER, PATIENT, Town, notifications, wallet

HISTORY = ops.market.get_markets_region_id_history(region_id=10000002, type_id=34)
SMALLER = {"x_ratelimit_group": "char-wallet", "x_ratelimit_limit": "100/15m"}


def buckets(town: Town) -> dict[str, tuple[int, int]]:
    """(used, reserved) of every bucket that has either."""
    store = town.bench().engine.ledger.store
    return {state.bucket: (state.used, state.reserved) for state in store.states() if state.used or state.reserved}


def token(character_id: int, number: int) -> str:
    """A token of the sandbox's application for a character; another number makes another token."""
    claims = {"sub": f"CHARACTER:EVE:{character_id}", "azp": "app", "aud": ["app", "EVE Online"], "jti": str(number)}
    return "h." + base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=") + ".s"


def test_a_call_that_is_cancelled_while_a_signal_is_told_has_been_settled() -> None:
    """Signals are sent when nothing is reserved any more: a slow receiver leaks no place in a bucket."""
    town = Town()
    town.instead = lambda _: answer(1.0, **SMALLER, x_ratelimit_remaining="98")

    async def slow(**_: Any) -> None:
        await town.runtime.sleep(1000.0)

    async def story() -> None:
        flight = town.begin(wallet(), HERO)
        await town.runtime.sleep(10.0)
        assert town.runtime.cancel(flight)
        await town.runtime.sleep(1.0)

    with LIMIT_CHANGED.connected_to(slow):
        town.run(story())
    assert {f"char-wallet app:{HERO}": (2, 0)} == buckets(town)


def test_T25_a_token_of_ones_own_counts_against_its_character() -> None:
    """Version 1's calls may bring a token: four of one character, each another token, have one bucket."""
    town = Town()
    town.instead = Script(answer([]))
    build = App().op["get_characters_character_id_notifications"]

    async def story() -> None:
        for number in range(4):
            await town.call(build(character_id=HERO, token=token(HERO, number)))

    town.run(story())
    assert {f"char-notification app:{HERO}": (8, 0)} == buckets(town)


@pytest.mark.parametrize(
    "refusal",
    [
        answer(b"", 429, retry_after="0"),
        answer(b"", 429, retry_after="Tue, 04 Aug 2020 15:00:00 GMT"),
        answer(b"", 420, x_esi_error_limit_reset="0"),
        answer(b"", 429, retry_after="0", **SMALLER, x_ratelimit_remaining="0"),
    ],
    ids=["seconds", "a date that is past", "420", "with headers"],
)
def test_T27_a_wait_of_no_time_is_not_obeyed_to_the_letter(refusal: Any) -> None:
    """Ten calls that are told to come back now make no forty requests: something rests for a second at least."""
    town = Town(settings=PATIENT, retry=None)
    script = Script(refusal)
    town.instead = script
    arrived: list[float] = []

    def note(request: Any) -> Any:
        arrived.append(town.passed)
        return script(request)

    town.instead = note

    async def story() -> None:
        await town.all([town.begin(wallet(), HERO) for _ in range(10)])

    town.run(story())
    assert 10 >= len([moment for moment in arrived if moment < 0.9])
    assert town.passed >= 1.0


def test_T26_who_waits_for_a_bucket_holds_up_nobody_at_the_route() -> None:
    """A route's limiter is known; A has no tokens left and waits; B calls the same route at once."""
    town = Town(settings=PATIENT)
    ledger = town.bench(HERO).engine.ledger
    for _ in range(6):
        ledger.routes.refused("GetCharactersCharacterIdNotifications", -1e9, 0.0)
    ledger.routes["GetCharactersCharacterIdNotifications"].changed_at = 1e12  # not trusted with more during the test

    async def story() -> None:
        waiting = [town.begin(notifications(HERO), HERO) for _ in range(20)]
        await town.runtime.sleep(200.0)
        before = town.passed
        await town.call(notifications(OTHER), OTHER)
        assert town.passed - before < 70
        await town.all(waiting)

    town.run(story())
    assert {} == town.refusals


def test_calls_under_way_when_a_group_moves_are_counted_where_they_were() -> None:
    """Ten calls are under way when ESI names another group: all ten are its spends, none the old one's."""
    town = Town(latency=(0.2, 0.2))
    left = iter(range(18, -1, -2))
    told = {"x_ratelimit_group": "new-wallet", "x_ratelimit_limit": "20/15m"}
    town.instead = lambda _: answer(1.0, **told, x_ratelimit_remaining=str(next(left)))

    async def story() -> None:
        await town.all([town.begin(wallet(), HERO) for _ in range(10)])

    town.run(story())
    assert {f"new-wallet app:{HERO}": (20, 0)} == buckets(town)


def test_T30_the_impatient_are_not_held_up_behind_the_patient() -> None:
    """Calls that are not answered yet fill the bucket, patient ones wait: who will not wait is told the moment."""
    town = Town(settings=PATIENT, latency=(10.0, 10.0))
    failed: list[float] = []

    async def impatient() -> None:
        with pytest.raises(RateLimitedError) as raised:
            await town.call(notifications(), HERO, policy="fail")
        failed.append((as_seconds(raised.value.retry_at) or 0.0) - town.began)

    async def story() -> None:
        flights: list[Any] = [town.begin(notifications(), HERO) for _ in range(9)]
        await town.runtime.sleep(1.0)
        flights.append(town.runtime.spawn(impatient()))
        await town.runtime.sleep(5.0)
        await town.all(flights)

    town.run(story())
    assert 1 == len(failed)
    assert failed[0] > 800


def test_T30_patience_is_for_a_call_not_for_each_of_its_waits() -> None:
    """Refused again and again for 55 s each, a call with a minute's patience fails within it."""
    town = Town(settings={"max_wait": 60}, retry=None)
    town.instead = Script(answer(b"", 429, retry_after="55"))

    async def story() -> None:
        with pytest.raises(LimitedError):
            await town.call(wallet(), HERO)

    town.run(story())
    assert town.passed <= 61


def test_T31_a_429_is_no_4xx_to_expect() -> None:
    """It cost nothing: the next call of the operation reserves two tokens, not five."""
    town = Town(settings=PATIENT, retry=False)
    refused = answer(
        b"", 429, retry_after="5", x_ratelimit_group="char-notification", x_ratelimit_limit="15/15m",
        x_ratelimit_remaining="15",
    )  # fmt: skip
    town.instead = Script(refused, answer([]))

    async def story() -> None:
        await town.call(notifications(), HERO)
        await town.runtime.sleep(10.0)
        flight = town.begin(notifications(), HERO)
        await town.runtime.sleep(0.01)
        assert [2] == [reserved for _, reserved in buckets(town).values()]
        await town.all([flight])

    town.run(story())


def test_a_public_call_does_without_a_token_that_esi_refuses() -> None:
    """With ``public_token`` a login is shown on public calls; what needs none does not fail for it."""
    town = Town(settings={"public_token": True})
    script = Script(answer({"error": "expired"}, 401), answer())
    town.instead = script

    async def story() -> int:
        return (await town.call(STATUS, HERO)).status

    assert 200 == town.run(story())
    assert [True, False] == ["Authorization" in dict(request.headers) for request in script.requests]


def test_off_waits_for_a_closed_gate_too() -> None:
    """After a 420 all calls wait, those that do not care for their bucket as well."""
    town = Town(settings=PATIENT, retry=False)
    town.instead = Script(answer(b"", 420, x_esi_error_limit_reset="30"), answer())

    async def story() -> None:
        await town.call(STATUS, policy="off")
        await town.call(STATUS, policy="off")

    town.run(story())
    assert town.passed > 30


def test_off_waits_for_a_closed_gate_and_not_for_its_bucket() -> None:
    """However full that is: a caller with patience for the one is not told to wait for the other."""
    town = Town(settings=PATIENT, retry=False)

    async def story() -> float:
        for _ in range(7):
            await town.call(notifications(), HERO)
        ledger = town.bench(HERO).engine.ledger
        ledger.store.block(ledger.gate, 30.0)
        began = town.passed
        await town.call(notifications(), HERO, policy="off", max_wait=60)
        return town.passed - began

    assert 30.0 == pytest.approx(town.run(story()), abs=0.2)


def test_a_520_with_headers_of_the_gateway_rests_its_route_all_the_same() -> None:
    """The game server refused it: the bucket is not blocked, other operations of it go on."""
    town = Town(settings=PATIENT, retry=False)
    refused = answer({"error": "ConStopSpamming"}, 520, **{**SMALLER, "x_ratelimit_limit": "150/15m"},
                     x_ratelimit_remaining="148")  # fmt: skip
    journal = ops.wallet.get_characters_character_id_wallet_journal(character_id=HERO)
    town.instead = lambda asked: None if asked.url.endswith("/journal?page=1") or "journal" in asked.url else refused

    async def story() -> None:
        await town.call(wallet(), HERO)
        await town.call(journal, HERO)

    town.run(story())
    assert town.passed < 1
    assert "GetCharactersCharacterIdWallet" in town.bench(HERO).engine.ledger.routes
