"""What a limit let leave once leaves once, also where a kept connection dies under it (libcurl would repeat a GET)."""

from __future__ import annotations

import pytest

from esipy import ops
from esipy.events import API_CALL_STATS
from esipy.exceptions import BrokenAnswerError
from esipy.sandbox import RunningSandbox
from esipy.testing import SignalRecorder
from tests.client.colours import Colour, Connect


def warm(client: Colour, box: RunningSandbox) -> ops.Call[object]:
    """A call whose connection is kept; the next one with it is read by the sandbox, and never answered."""
    call = ops.character.get_characters_character_id_notifications(character_id=box.sandbox.roster.ids[0])
    client.fetch(call)
    box.fail(call.path, kind="reset", after=True)
    return call


def counted(box: RunningSandbox) -> int:
    """The tokens that ESI has counted."""
    (bucket,) = box.limits()["buckets"].values()
    used: int = bucket["used"]
    return used


def test_T32_a_read_whose_connection_dies_is_repeated_with_a_leave_of_its_own(
    connect: Connect, box: RunningSandbox
) -> None:
    """Three exchanges leave, and three are told."""
    client = connect(login=True, cache=None, retry_requests=lambda failure: 0.0)
    with SignalRecorder(API_CALL_STATS) as stats:
        call = warm(client, box)
        assert 200 == client.request(call).status
    assert 3 == len(stats.payloads) == len(box.received())
    assert [1, 1, 2] == stats.values("attempt")


def test_T32_without_retries_the_error_is_given(connect: Connect, box: RunningSandbox) -> None:
    """It says that the request was sent, and what ESI has counted the client has counted too."""
    client = connect(login=True, cache=None, retry_requests=False)
    with SignalRecorder(API_CALL_STATS) as stats:
        call = warm(client, box)
        with pytest.raises(BrokenAnswerError) as raised:
            client.fetch(call)
    assert raised.value.sent
    assert 2 == len(stats.payloads) == len(box.received())
    limit = client.limits()[-1]
    assert "char-notification" == limit.group
    assert limit.max_tokens - limit.left >= counted(box) > 2
