"""Paths and methods: today's, those of older programs, and wrong ones."""

from __future__ import annotations

import pytest

from tests.sandbox.sandbox_esi_caller import Caller, data, header


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize(
    "path", ["/status", "/latest/status/", "/v1/status/", "/v6/status/", "/legacy/status/", "/dev/status/", "/status/"]
)
def test_old_paths_mean_the_same_as_todays(caller: Caller, path: str) -> None:
    """A version in front and a slash at the end, as older programs send, change nothing."""
    assert caller.send("/status").body == caller.send(path, ("datasource", "tranquility")).body


def test_old_paths_take_arrays_with_commas(caller: Caller) -> None:
    """The older API wrote arrays with commas; today's repeats the key and does not."""
    path = f"/characters/{caller.character().character_id}/contacts"
    identity = caller.identity()
    assert 204 == caller.send(f"/latest{path}/", ("contact_ids", "1,2"), method="DELETE", identity=identity).status
    assert 422 == caller.send(path, ("contact_ids", "1,2"), method="DELETE", identity=identity).status
    repeated = (("contact_ids", 1), ("contact_ids", 2))
    assert 204 == caller.send(path, *repeated, method="DELETE", identity=identity).status


def test_a_literal_segment_wins_over_a_parameter(caller: Caller) -> None:
    """``/corporations/npccorps`` is no corporation, and ``/contracts/public/bids/1`` no region's page."""
    assert isinstance(data(caller.send("/corporations/npccorps")), list)
    assert "bid_id" in data(caller.send("/contracts/public/bids/200000001"))[0]
    assert "contract_id" in data(caller.send("/contracts/public/10000002"))[0]


@pytest.mark.parametrize("path", ["/", "/nothing", "/latest/", "/characters", "/status/more", "/v0/status/", "//"])
def test_an_unknown_path_is_404_as_json(caller: Caller, path: str) -> None:
    """What is no route answers 404 with ESI's error object."""
    answer = caller.send(path)
    assert 404 == answer.status
    assert "error" in data(answer)
    assert "application/json; charset=utf-8" == header(answer, "Content-Type")


def test_a_wrong_method_is_405_and_names_the_right_ones(caller: Caller) -> None:
    """A known path with a method that it has not answers 405 with Allow."""
    answer = caller.send("/characters/1/contacts", method="PATCH")
    assert 405 == answer.status
    assert "DELETE, GET, POST, PUT" == header(answer, "Allow")


def test_head_tells_what_get_would(caller: Caller) -> None:
    """HEAD is answered as GET is: the server leaves the body out."""
    got, headed = caller.send("/universe/types"), caller.send("/universe/types", method="HEAD")
    assert (got.status, header(got, "ETag"), header(got, "X-Pages")) == (
        headed.status,
        header(headed, "ETag"),
        header(headed, "X-Pages"),
    )


def test_T50_an_escaped_slash_in_a_path_stays_in_its_segment(caller: Caller) -> None:
    """An escaped value is one value: the hash is refused or taken whole, never read as two segments."""
    assert 200 == caller.send("/killmails/100000001/abc%2Fdef").status
    assert 404 == caller.send("/killmails/100000001/abc/def").status
