"""A client whose ledger is shared by processes: it waits for its own answers, not for the end of their leases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from esipy import ops
from esipy.sandbox import RunningSandbox
from tests.client.colours import Connect
from tests.stores.valkey import url_of

SMALL = ops.character.get_characters_character_id_notifications


@pytest.mark.parametrize("kind", ["memory", "sqlite", "valkey"])
def test_T22_many_at_once_use_a_small_bucket_to_the_last_whole_call(
    connect: Connect, box: RunningSandbox, kind: str, tmp_path: Path, valkey: Any
) -> None:
    """Of fifty calls seven are answered and the others fail at once, whatever counts; ESI refuses none."""
    ledger = {
        "memory": None,
        "sqlite": f"sqlite:///{tmp_path / 'limits'}",
        "valkey": url_of(valkey),
    }[kind]
    hero = connect(login=True, cache=None, ledger=ledger, max_wait=60)
    call = SMALL(character_id=hero.security.character_id)
    Redis(host="127.0.0.1", port=valkey.port).flushall()
    answers = hero.multi_request([call] * 50, threads=50)
    assert 7 == len([response for _, response in answers if response.status == 200])
    assert {200, 429} == {response.status for _, response in answers}
    assert {} == box.refusals()
