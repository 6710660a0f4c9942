"""The answer's bytes become its data; what does not fit is announced and never an error."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from esipy import EsiApp, ops
from esipy.exceptions import InvalidCallError, ServerError, UndecodableAnswerError
from tests.engine.kit import COLOURS, ORDERS, STATUS, STATUS_BODY, WALLET, Bench, Login, Script, answer

HTML = b"<html><h1>502 Bad Gateway</h1></html>"


@pytest.mark.parametrize(
    "body", [HTML, b"", b'"just text"', b"[1, 2]", b'{"message": "odd"}', b'{"error": 5}', b"\xff\xfe"]
)
def test_T33_any_error_body_gives_one_kind_of_error(body: bytes) -> None:
    """HTML, empty and odd JSON bodies: an answer with status and text, an error of one class, no traceback."""
    response = Bench("blocking", Script(answer(body, 502)), retry=False).perform(STATUS)
    assert (response.status, response.raw) == (502, body)
    with pytest.raises(ServerError) as raised:
        response.raise_for_status()
    assert (raised.value.status_code, raised.value.response) == (502, body)


def test_T33_an_error_that_is_text_is_data_under_error() -> None:
    """``response.data.error`` has the text of whatever came."""
    response = Bench("blocking", Script(answer(HTML, 502)), retry=False).perform(STATUS)
    assert response.data.error == HTML.decode()


def test_T33_an_empty_error_is_data_too() -> None:
    """``'error' in response.data`` holds for every error."""
    response = Bench("blocking", Script(answer(b"", 502)), retry=False).perform(STATUS)
    assert response.data.error == "status 502, without a word"


def test_T33_a_good_status_with_html_is_an_error_of_ours() -> None:
    """A 200 that is not JSON has no data, and ``raise_for_status`` says so."""
    response = Bench("blocking", Script(answer(HTML))).perform(STATUS)
    assert response.data is None
    with pytest.raises(UndecodableAnswerError, match="not JSON"):
        response.raise_for_status()


@pytest.mark.parametrize("colour", COLOURS)
def test_T48_drift_is_told_and_costs_nothing(colour: str) -> None:
    """A new field, a missing one and a wrong type: the call succeeds, the signal names the places."""
    told: list[dict[str, Any]] = []
    bench = Bench(colour, Script(answer({**STATUS_BODY, "players": "12", "mood": "fine"})))
    bench.drift.add_receiver(lambda **event: told.append(event))
    response = bench.perform(STATUS)
    assert response.data.players == "12"
    assert [event["operation_id"] for event in told] == ["GetStatus"]
    assert sorted(place.partition(":")[0] for place in told[0]["places"]) == ["$.mood", "$.players"]


def test_version_1_calls_get_data_objects() -> None:
    """The same call from ``app.op`` answers with attributes and items, and date-times with ``.v``."""
    response = Bench("blocking", Script(answer())).perform(EsiApp().op["get_status"]())
    assert response.data.players == response.data["players"] == 12
    assert response.data.start_time.v == datetime.fromisoformat("2026-08-04T11:05:00+00:00")


def test_a_good_status_that_is_not_declared_has_data_too() -> None:
    """Should ESI answer 203 where 200 is declared, the body is still the data."""
    assert Bench("blocking", Script(answer(status=203))).perform(STATUS).data.players == 12


def test_raw_body_only_decodes_nothing() -> None:
    """``data`` is None, ``raw`` has the bytes."""
    response = Bench("blocking", Script(answer([]))).perform(ORDERS, raw_body_only=True)
    assert (response.data, response.raw) == (None, b"[]")


def test_T18_no_content_on_a_list_is_an_empty_list() -> None:
    """A typed list operation answers 204 with a list without rows; others with None."""
    bench = Bench("blocking", Script(answer(b"", 204)), signer=Login())
    assert bench.perform(ORDERS).data == []
    assert bench.perform(WALLET).data is None


@pytest.mark.parametrize(("body", "status"), [(b"", 200), (b"[1", 206), (b"[]", 206)])
def test_T34_a_part_is_no_whole_and_nothing_is_no_list(body: bytes, status: int) -> None:
    """A 200 without a body, or a 206: ``raise_for_status`` refuses it, and it is not kept."""
    script = Script(answer(body, status, cache_control="max-age=300"))
    bench = Bench("blocking", script)
    for _ in range(2):
        with pytest.raises(UndecodableAnswerError):
            bench.perform(ORDERS).raise_for_status()
    assert len(script.requests) == 2


def test_a_page_of_a_captive_portal_is_not_kept() -> None:
    """HTML with 200 is an error, and the next call asks ESI again."""
    bench = Bench("blocking", Script(answer(HTML, cache_control="max-age=300"), answer()))
    with pytest.raises(UndecodableAnswerError):
        bench.perform(STATUS).raise_for_status()
    assert bench.perform(STATUS).data.players == 12


def test_a_head_of_a_write_is_refused() -> None:
    """Only a GET can be asked for its headers; nothing is sent."""
    script = Script()
    with pytest.raises(InvalidCallError, match="only a GET"):
        Bench("blocking", script).perform(ops.universe.post_universe_names(body=[1]), method="HEAD")
    assert script.requests == []
