"""The daily downtime of the sandbox, as both clients meet it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from esipy import ops
from esipy.events import DOWNTIME_STARTED
from esipy.exceptions import DowntimeError
from esipy.sandbox import RunningSandbox
from tests.client.colours import Connect

STATUS = ops.status.get_status()
DAY = 86_400
ELEVEN = 39_600


@pytest.fixture
def down(box: RunningSandbox) -> Iterator[RunningSandbox]:
    """A sandbox whose clock says half a minute past eleven, whatever the machine's says, and which is down."""
    box.advance((ELEVEN + 30 - box.advance(0)) % DAY)
    box.daily_downtime(600)
    yield box
    box.daily_downtime(0)


def test_T06_a_call_that_is_not_to_wait_fails_with_its_moment(connect: Connect, down: RunningSandbox) -> None:
    """The first answer tells what time it is; the call is not sent again. ``request`` has the error in its answer."""
    client = connect(downtime="fail", cache=None)
    answer = client.request(STATUS)
    assert 503 == answer.status
    assert isinstance(answer.error, DowntimeError)
    assert answer.error.retry_at is not None
    with pytest.raises(DowntimeError):
        client.fetch(STATUS)
    assert 1 == len(down.received())


def test_interactive_calls_are_tried(connect: Connect, down: RunningSandbox) -> None:
    """They get what there is, and the signal tells why, once."""
    told: list[datetime] = []

    def tell(at: datetime, **_: object) -> None:
        told.append(at)

    DOWNTIME_STARTED.add_receiver(tell)
    client = connect(cache=None, retry_requests=False)
    statuses = [client.request(STATUS).status for _ in range(5)]
    DOWNTIME_STARTED.remove_receiver(tell)
    assert {502, 503, 504} >= set(statuses)
    assert (1, 5) == (len(told), len(down.received()))
