"""Version 1's logins, callables that write into a request, sign every part of a list, in all verbs alike."""

from __future__ import annotations

from itertools import islice
from typing import Any

from esipy import EsiApp, ops
from esipy.sandbox import RunningSandbox
from tests.client.colours import Colour
from tests.client.test_client_requests import Connect

WALLET = ops.wallet.get_characters_character_id_wallet_transactions
ASSETS = ops.assets.get_characters_character_id_assets
PROJECTS = ops.corporation_projects.get_corporations_projects_listing


class Hand:
    """A security as version 1's programs wrote their own."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.signed = 0

    def __call__(self, request: Any) -> Any:
        self.signed += 1
        if request._security:
            request._p["header"]["Authorization"] = f"Bearer {self._token}"
        return request

    async def close(self) -> None:
        """There is nothing to close."""


def rows_of(client: Colour, iterator: Any) -> list[Any]:
    """The first rows of an iterator, in either colour."""
    if client.name == "blocking":
        return list(islice(iterator, 3))

    async def read() -> list[Any]:
        found: list[Any] = []
        async for row in iterator:
            found.append(row)
            if len(found) == 3:
                break
        return found

    return list(client.do(read()))


def test_all_verbs_sign_by_hand(connect: Connect, box: RunningSandbox) -> None:
    """A snapshot, its iterator, a walk and a cursor; with calls of today and of an app."""
    login = box.login()
    hand = Hand(login["access_token"])
    client = connect(security=hand)
    character_id = int(box.sandbox.roster.ids[0])
    corporation_id = client.fetch(ops.character.get_characters_detail(character_id=character_id)).corporation_id
    assets, wallet = ASSETS(character_id=character_id), WALLET(character_id=character_id)
    got = client.snapshot(assets)
    assert (True, True) == (got.consistent, len(got.rows) > 0)
    assert got.rows[:3] == rows_of(client, client.client.rows(assets))
    assert 3 == len(rows_of(client, client.client.walk(wallet)))
    old = EsiApp().op["get_characters_character_id_wallet_transactions"](character_id=character_id)
    assert 3 == len(rows_of(client, client.client.walk(old)))
    before = hand.signed
    batch = client.do(client.client.cursor(PROJECTS(corporation_id=corporation_id, state="All")).initial())
    assert len(batch.rows) > 0
    assert hand.signed > before + 1  # each page by itself: a list may be read for days
    assert login["access_token"] not in repr([got, batch, wallet])
