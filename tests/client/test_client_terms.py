"""How a call says on what terms it waits, on every verb of both clients: T25, T30, and what each keyword does."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from esipy import ops
from esipy.core.moments import as_seconds
from esipy.exceptions import RateLimitedError, SettingError
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour, Connect

VERBS = ("request", "fetch", "head", "multi_request")
SMALLEST = 7
"""How many good calls the smallest bucket lets through in a window."""


def notifications(client: Colour) -> Any:
    return ops.character.get_characters_character_id_notifications(character_id=client.security.character_id)


def sent(box: RunningSandbox) -> int:
    """How many requests ESI has seen."""
    return len([seen for seen in box.received() if "notifications" in seen.path])


def spend(client: Colour, calls: int = SMALLEST, **terms: Any) -> None:
    """Spend from the smallest bucket."""
    for _, answer in client.multi_request([notifications(client)] * calls, **terms):
        assert answer.status == 200


def use(client: Colour, verb: str, **terms: Any) -> Any:
    """Use a verb, so that a limit raises."""
    call = notifications(client)
    if verb == "multi_request":
        return client.multi_request([call], raise_on_error=True, **terms)
    return getattr(client, verb)(call, **({} if verb == "fetch" else {"raise_on_error": True}), **terms)


@pytest.fixture
def hero(connect: Connect) -> Colour:
    """A client with a login, and without a cache."""
    return connect(login=True, cache=None)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("terms", [{"policy": "fail"}, {"max_wait": 0}, {"max_wait": 60.0}], ids=str)
def test_T30_a_wait_beyond_patience_fails_at_once_with_the_moment(
    hero: Colour, box: RunningSandbox, verb: str, terms: dict[str, Any]
) -> None:
    """The bucket is empty for a window: each verb raises before anything is sent, and says when to come back."""
    spend(hero)
    before, began = sent(box), time.time()
    with pytest.raises(RateLimitedError, match="nothing was sent") as raised:
        use(hero, verb, **terms)
    assert sent(box) == before
    assert as_seconds(raised.value.retry_at) == pytest.approx(began + 900, abs=30)
    assert time.time() - began < 30


def test_T30_an_answer_that_stands_for_the_error_has_the_moment_too(hero: Colour) -> None:
    """``request`` and ``multi_request`` give 429 for a call that would have to wait."""
    spend(hero)
    answer = hero.request(notifications(hero), policy="fail")
    [(_, other)] = hero.multi_request([notifications(hero)], max_wait=5)
    assert (429, 429) == (answer.status, other.status)
    for each in (answer, other):
        assert as_seconds(each.error.retry_at) == pytest.approx(time.time() + 900, abs=30)
        assert each.retry_at == each.error.retry_at


def test_T25_a_token_refresh_keeps_the_ledger(hero: Colour, box: RunningSandbox) -> None:
    """What a character has spent is spent, whatever token it comes with: the bucket names no token."""
    spend(hero)
    old = hero.security.access_token
    hero.security.token_expiry -= 1200
    wallet = ops.wallet.get_characters_character_id_wallet(character_id=hero.security.character_id)
    assert hero.request(wallet).status == 200
    assert hero.security.access_token != old
    before = sent(box)
    with pytest.raises(RateLimitedError):
        hero.fetch(notifications(hero), policy="fail")
    assert sent(box) == before
    buckets = {row.bucket: row.used for row in hero.limits()}
    assert buckets[f"char-notification {box.client_id}:{hero.security.character_id}"] == 2 * SMALLEST


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("keyword", "value", "right"),
    [
        ("policy", "slow", "burst, spread, fail, off"),
        ("priority", "high", "interactive, batch"),
        ("downtime", True, "try, fail, wait"),
        ("max_wait", -1, "a number of seconds, 0 or above"),
        ("max_wait", "10", "a number of seconds, 0 or above"),
        ("max_wait", math.nan, "a number of seconds, 0 or above"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    hero: Colour, box: RunningSandbox, verb: str, keyword: str, value: Any, right: str
) -> None:
    """SettingError names the keyword and its choices; nothing is sent."""
    with pytest.raises(SettingError, match=f"^{keyword}=.*{right}"):
        use(hero, verb, **{keyword: value})
    assert sent(box) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_off_is_held_back_by_nothing(hero: Colour, box: RunningSandbox, verb: str) -> None:
    """The ledger counts, and lets it leave all the same."""
    box.enforce_limits(False)
    spend(hero)
    use(hero, verb, policy="off")
    box.enforce_limits(True)
    assert sent(box) == SMALLEST + 1


@pytest.mark.parametrize("verb", VERBS)
def test_batch_leaves_a_share_to_interactive_calls(connect: Connect, box: RunningSandbox, verb: str) -> None:
    """With half of each limit kept, a batch ends after four calls; an interactive call still goes."""
    hero = connect(login=True, cache=None, interactive_share=0.5)
    spend(hero, 4, priority="batch")
    with pytest.raises(RateLimitedError):
        use(hero, verb, priority="batch", policy="fail")
    use(hero, verb, priority="interactive", policy="fail")
    assert sent(box) == 5


@pytest.mark.parametrize("verb", VERBS)
def test_spread_evens_out_the_second_half(hero: Colour, box: RunningSandbox, verb: str) -> None:
    """After half of a limit a call has to wait for its turn; ``burst`` spends on."""
    spend(hero, 4)
    with pytest.raises(RateLimitedError):
        use(hero, verb, policy="spread", max_wait=1)
    use(hero, verb, policy="burst", max_wait=1)
    assert sent(box) == 5


@pytest.mark.parametrize("verb", VERBS)
def test_downtime_is_taken(hero: Colour, box: RunningSandbox, verb: str) -> None:
    """Each choice, while ESI is up: it makes no difference."""
    for choice in ("try", "fail", "wait"):
        use(hero, verb, downtime=choice)
    assert sent(box) == 3


def test_patience_may_have_no_end(hero: Colour, box: RunningSandbox) -> None:
    """Three calls at once to a bucket that lets one through at first: the others wait for its answer."""
    for _, answer in hero.multi_request([notifications(hero)] * 3, threads=3, max_wait=math.inf):
        assert answer.status == 200
    assert sent(box) == 3


def test_the_clients_own_terms_are_settings(connect: Connect, box: RunningSandbox) -> None:
    """As keywords of the client, each call may say otherwise."""
    hero = connect(login=True, cache=None, policy="fail", priority="batch", headroom=0.5, interactive_share=0)
    spend(hero, 4, max_wait=0, policy="burst", threads=1)
    with pytest.raises(RateLimitedError):
        hero.fetch(notifications(hero))
    box.enforce_limits(False)
    assert hero.request(notifications(hero), policy="off").status == 200
    box.enforce_limits(True)
