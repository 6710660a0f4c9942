"""What ``fetch`` gives, by the kind of operation: the easy way is the right way."""

from __future__ import annotations

from typing import Any

import pytest

from esipy import App, EsiClient, ops
from esipy.lists.whole import reading_of
from esipy.testing import sandbox
from tests.lists.kit import TYPES

MAIL = ops.mail.get_characters_character_id_mail(character_id=91)
JOBS = ops.freelance_jobs.get_freelance_jobs_listing()
MONEY = ops.wallet.get_characters_character_id_wallet_transactions(character_id=91)
NAMES = ops.universe.post_universe_names


@pytest.mark.parametrize(
    ("call", "way"),
    [
        (TYPES, "_in_pages"),
        (TYPES.replace(page=1), None),
        (JOBS, "_by_cursor"),
        (JOBS.replace(limit=50), "_by_cursor"),
        (JOBS.replace(after="x"), None),
        (MAIL, "_walked"),
        (MAIL.replace(last_mail_id=7), None),
        (MONEY, "_walked"),
        (MONEY.replace(from_id=7), None),
        (NAMES(body=[1, 2]), None),
        (NAMES(body=[*range(1001)]), "_in_bulk"),
        (ops.status.get_status(), None),
    ],
)
def test_each_kind_has_its_way(call: Any, way: str | None) -> None:
    """A call that names a part of its list is one exchange; so is one that one exchange answers."""
    reading = reading_of(call)
    assert way == (None if reading is None else reading.__name__)


def test_over_http_in_both_forms() -> None:
    """A list by cursor is the answer to its first page with all rows in it; a walk is all rows; each row once."""
    with sandbox() as esi:
        with EsiClient(headers={"User-Agent": "tests/1.0 (tests@example.com)"}, base_url=esi.url) as client:
            one = client.request(JOBS)
            whole = client.fetch(JOBS)
            old = client.fetch(App().op["get_freelance_jobs_listing"]())
        ids = [job.id for job in whole.freelance_jobs or []]
        assert (10, len(set(ids))) == (len(one.data.freelance_jobs or []), len(ids))
        assert len(ids) > 10
        assert ids == [job.id for job in old.freelance_jobs]
        assert whole.cursor is not None
        assert one.data.cursor is not None
        assert one.data.cursor.after == whole.cursor.after
