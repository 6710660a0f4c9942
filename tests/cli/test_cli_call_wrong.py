"""``esipy call`` when something is wrong: one line on stderr and exit status 1, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from esipy.sandbox import RunningSandbox, serve
from tests.cli.call_kit import CALL, THE_FORGE, Call
from tests.cli.login_kit import Done

ORDERS = "get_markets_region_id_orders"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nosuch"], "no operation 'nosuch'; see `esipy call --list`"),
        (["get_statu"], "no operation 'get_statu'; near ones are get_status"),
        (["get_search"], "'get_search' is gone from ESI"),
        (["orders"], "'orders' is the end of"),
        (["get_status", "foo=1"], "get_status: unknown parameter 'foo'; it takes none"),
        (["get_status", "=1"], "unknown parameter ''"),
        (["get_status", "foo"], "'foo': arguments are name=value; get_status takes none"),
        ([ORDERS], f"{ORDERS}: parameter 'region_id' is missing (an integer)"),
        ([ORDERS, "region_id=abc"], "parameter 'region_id' has to be an integer, not str 'abc'"),
        ([ORDERS, "region_id=1=2"], "parameter 'region_id' has to be an integer, not str '1=2'"),
        ([ORDERS, "region_id="], "parameter 'region_id' has to be an integer, not str ''"),
        ([ORDERS, "region_id=1", "region_id=2"], "'region_id' is given twice"),
        ([ORDERS, "region_id=1", "page=0"], "parameter 'page' has to be at least 1, not 0"),
        (["post_universe_names", "body=[1"], "'body' has to be JSON: "),
        (["post_universe_names", "body=" + "[" * 100_000], "'body' has to be JSON: "),
        (["post_universe_names", "body=1,x"], "parameter 'body' at [1] has to be an integer, not str 'x'"),
        (["post_universe_names", "body="], "'body' has 0 items, ESI wants at least 1"),
        (["post_route", "origin_system_id=1", "destination_system_id=2", "body=x"], "'body' has to be JSON: "),
        (["post_route", "origin_system_id=1", "destination_system_id=2", 'body={"a":1}'], "'body' has no field 'a'"),
        (["wallet"], "needs a character's login with the scope esi-wallet.read_character_wallet.v1"),
        (["get_status", "--base-url", "nonsense"], "base_url='nonsense': has to be a URL with a host"),
        (["get_status", "--user-agent", ""], "user_agent='': has to be text of one line"),
    ],
)
def test_what_cannot_be_sent_is_said_in_one_line(call: Call, box: RunningSandbox, words: list[str], says: str) -> None:
    """It names what is wrong; nothing is sent, nothing is printed, and the exit status is 1."""
    done = call(*words)
    assert (1, "") == (done.status, done.out)
    (line,) = done.err.splitlines()
    assert line.startswith("esipy: ")
    assert says in line
    assert [] == box.received()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"status": 404, "body": '{"error": "gone\\nfor good"}'}, 'HTTP Error 404: {"error": "gone\\nfor good"}'),
        ({"status": 400, "kind": "html"}, "HTTP Error 400: <"),
        ({"status": 400, "body": "one\r\ntwo\x1b[2Jthree"}, "HTTP Error 400: one two [2Jthree"),
        ({"status": 200, "body": "<html>"}, "JSON"),
        ({"status": 200, "body": ""}, "empty"),
    ],
)
def test_what_esi_answers_badly_is_said_in_one_line(
    call: Call, box: RunningSandbox, fault: dict[str, Any], says: str
) -> None:
    """Whatever the body holds: lines, control characters, HTML, nothing."""
    options: dict[str, Any] = {"kind": "status", **fault}
    box.fail("/status", **options)
    done = call("get_status")
    assert (1, "") == (done.status, done.out)
    (line,) = done.err.splitlines()
    assert line.startswith("esipy: ")
    assert says in line


def test_a_server_that_is_not_there_is_said_once(call: Call, box: RunningSandbox) -> None:
    """Although it was tried several times."""
    with serve() as other:
        url = other.url
    done = call("get_status", "--base-url", url)
    assert (1, "") == (done.status, done.out)
    (line,) = done.err.splitlines()
    assert line.startswith("esipy: no connection: ")


def test_an_error_nobody_thought_of_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text alone would say nothing."""

    def broken(*_: object) -> None:
        raise AttributeError("x")

    monkeypatch.setattr("esipy.cli.call.arguments_of", broken)
    assert Done(1, "", "esipy: AttributeError: x\n") == call("get_status")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize("words", [["--list"], [ORDERS, f"region_id={THE_FORGE}", "order_type=all", "page=1"]])
def test_a_reader_that_goes_away_is_no_traceback(box: RunningSandbox, words: list[str]) -> None:
    """As ``| head -1`` does: nothing is said of it."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*CALL, *words], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    finally:
        os.close(writing)
    assert b"" == done.stderr
    assert 1 == done.returncode
