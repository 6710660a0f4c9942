"""``esipy call``: what a stranger types, right and wrong; what is wrong is one line and exit status 1."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

import esipy
from esipy.cli import main
from esipy.cli.call import arguments_of
from esipy.events import RATE_LIMIT_WAIT
from esipy.ops import operation
from esipy.runtime.shared import PROCESS
from esipy.sandbox import RunningSandbox, serve
from esipy.stores.memory_ledger import MemoryLedger

COMMAND = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()", "call"]
JITA, THE_FORGE, PERIMETER = 30000142, 10000002, 30000144


class Done(NamedTuple):
    """How the command ended, and what it wrote."""

    status: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture(scope="module")
def served() -> Iterator[RunningSandbox]:
    with serve() as running:
        yield running


@pytest.fixture
def box(served: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """A sandbox, named by the environment."""
    served.heal()
    served.forget()
    monkeypatch.setenv("ESI_BASE_URL", served.url)
    return served


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command in this process."""

    def run(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["esipy", "call", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run


# -- what goes well --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "method", "path", "sent"),
    [
        (["get_status"], "GET", "/status", b""),
        (["GetStatus"], "GET", "/status", b""),
        (["post_universe_ids", "body=Jita, Amarr"], "POST", "/universe/ids", b'["Jita","Amarr"]'),
        (["post_universe_ids", 'body=["a, b"]'], "POST", "/universe/ids", b'["a, b"]'),
        (["post_universe_ids", "names=a=b"], "POST", "/universe/ids", b'["a=b"]'),
        (["post_universe_names", f"body={JITA},{PERIMETER}"], "POST", "/universe/names", b"[30000142,30000144]"),
        (["post_universe_names", f"ids=[{JITA}]"], "POST", "/universe/names", b"[30000142]"),
        (
            [
                "post_route",
                f"origin_system_id={JITA}",
                f"destination_system_id={PERIMETER}",
                'body={"preference":"Safer"}',
            ],
            "POST",
            f"/route/{JITA}/{PERIMETER}",
            b'{"preference":"Safer"}',
        ),
        (
            ["get_route_origin_destination", f"origin={JITA}", f"destination={PERIMETER}", "flag=secure"],
            "POST",
            f"/route/{JITA}/{PERIMETER}",
            b'{"preference":"Safer"}',
        ),
    ],
)
def test_one_call_is_sent_and_its_answer_printed(
    call: Call, box: RunningSandbox, words: list[str], method: str, path: str, sent: bytes
) -> None:
    """Old ids and new, arrays with commas or as JSON, bodies, old names of bodies, values with ``=`` in them."""
    done = call(*words)
    assert (0, "") == (done.status, done.err)
    assert isinstance(json.loads(done.out), (dict, list))
    (entry,) = box.received()
    assert (method, path, len(sent), 200) == (entry.method, entry.path, entry.body_bytes, entry.status)


def test_values_are_read_as_the_operation_declares_them() -> None:
    """What a value cannot be stays text, for the call to refuse by name; an empty array is empty."""
    read = {
        "get_markets_region_id_orders": (
            ["region_id=10000002", "order_type=all", "page=x"],
            {"region_id": "10000002", "order_type": "all", "page": "x"},
        ),
        "post_universe_names": (["body="], {"body": []}),
        "get_status": ([], {}),
        "get_characters_character_id_search": (
            ["strict=True", "categories=agent,character", "search=x=y"],
            {"strict": "true", "categories": ["agent", "character"], "search": "x=y"},
        ),
        "post_fleets_fleet_id_members": (['body={"character_id": 1}'], {"body": {"character_id": 1}}),
        "post_characters_character_id_contacts": (["standing=-2.5"], {"standing": -2.5}),
        "put_characters_character_id_contacts": (["standing=low"], {"standing": "low"}),
    }
    assert {name: arguments for name, (_, arguments) in read.items()} == {
        name: arguments_of(operation(name), words) for name, (words, _) in read.items()
    }


def test_headers_go_to_stderr(call: Call, box: RunningSandbox) -> None:
    """So that the answer alone can be piped; with a bad status too."""
    done = call("get_status", "--headers")
    assert 0 == done.status
    assert "players" in json.loads(done.out)
    lines = done.err.splitlines()
    assert "200" == lines[0]
    assert "content-type: application/json; charset=utf-8" in lines
    box.fail("/status", status=404)
    done = call("get_status", "--headers")
    assert (1, "404") == (done.status, done.err.splitlines()[0])
    assert done.err.splitlines()[-1].startswith("esipy: HTTP Error 404")


def test_the_whole_of_a_list_is_printed(call: Call, box: RunningSandbox) -> None:
    """All pages, in the words of ESI: the same as its pages one by one; a part where the call names it."""
    words = ("get_contracts_public_region_id", f"region_id={THE_FORGE}")
    parts = [json.loads(call(*words, f"page={number}").out) for number in (1, 2, 3, 4)]
    whole = call(*words)
    assert (0, "") == (whole.status, whole.err)
    assert [row for part in parts for row in part] == json.loads(whole.out)
    first = call(*words, "--headers")
    assert parts[0] == json.loads(first.out)
    assert "x-pages: 4" in first.err.splitlines()


def test_a_list_by_cursor_is_printed_to_its_end(call: Call, box: RunningSandbox) -> None:
    """With the object around it, as one answer has it."""
    whole = json.loads(call("get_freelance_jobs_listing").out)
    assert box.versions("/freelance-jobs")[-1] == [job["id"] for job in whole["freelance_jobs"]]


def test_an_answer_without_a_body_prints_nothing(call: Call, box: RunningSandbox) -> None:
    """A 204."""
    box.fail("/status", status=204)
    assert Done(0, "", "") == call("get_status")


def test_what_stdout_cannot_write_is_escaped(call: Call, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files on Windows are not Unicode; JSON has a way to say it."""
    body = '{"name": "Ж"}'
    box.fail("/status", 2, kind="status", status=200, body=body)
    assert '{\n  "name": "Ж"\n}\n' == call("get_status").out
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252", newline=""))
    assert 0 == call("get_status").status
    sys.stdout.flush()
    assert json.loads(body) == json.loads(written.getvalue().decode("ascii"))


def test_a_warning_of_esi_is_one_line_beside_the_answer(call: Call, box: RunningSandbox) -> None:
    """The answer is whole, the exit status 0."""
    box.fail("/status", kind="status", status=200, body="{}", headers={"Warning": '299 - "This route ends"'})
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # as outside of tests, where warnings are no errors
        done = call("get_status")
    assert (0, "{}\n") == (done.status, done.out)
    (line,) = done.err.splitlines()
    assert line.startswith("esipy: warning: ")
    assert "This route ends" in line


# -- the list --------------------------------------------------------------------------------------------------


def test_the_list_names_every_operation_or_those_asked_for(call: Call) -> None:
    """All of them without an argument too; a part of a name in any spelling; none is an error."""
    everything = call("--list")
    assert 225 == len(everything.out.splitlines())
    assert everything == call()
    assert Done(0, "get_status\n", "") == call("--list", "GetStatus")
    assert Done(0, "get_meta_status\nget_status\n", "") == call("status", "--list")
    none = call("--list", "nothing such")
    assert Done(1, "", "esipy: no operation has 'nothing such' in its name; all of them: esipy call --list\n") == none


# -- what is wrong ---------------------------------------------------------------------------------------------

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


# -- as a process ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize("words", [["--list"], [ORDERS, f"region_id={THE_FORGE}", "order_type=all", "page=1"]])
def test_a_reader_that_goes_away_is_no_traceback(box: RunningSandbox, words: list[str]) -> None:
    """As ``| head -1`` does: nothing is said of it."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*COMMAND, *words], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    finally:
        os.close(writing)
    assert b"" == done.stderr
    assert 1 == done.returncode


def test_a_call_from_a_shell(box: RunningSandbox) -> None:
    """A process of its own, with warnings as errors."""
    done = subprocess.run(
        [*COMMAND, "get_status", "--user-agent", "Mine/1.0"], capture_output=True, timeout=60, check=False
    )
    assert (0, b"") == (done.returncode, done.stderr)
    assert "players" in json.loads(done.stdout)
    assert box.received()[0].headers["user-agent"].startswith("Mine/1.0 ")


def test_a_call_that_waits_says_so(call: Call, box: RunningSandbox) -> None:
    """One line on stderr, so that nobody wonders why nothing happens; the answer comes all the same."""
    moments = [0.0]

    def pass_by(wait_seconds: float, **_: object) -> None:
        moments.append(wait_seconds)

    ledger = MemoryLedger(lambda: moments[-1])
    ledger.block(f"{box.url} *", 1.5)
    PROCESS["ledger"] = ledger
    with RATE_LIMIT_WAIT.connected_to(pass_by):
        done = call("get_markets_region_id_orders", "region_id=10000002", "order_type=all", "page=1")
    assert (0, "waiting 2 s for the limit of market-order ip (Ctrl-C ends it)\n") == (done.status, done.err)
    assert isinstance(json.loads(done.out), list)


def test_the_command_tells_its_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What a report of a fault has to name; nothing else is done."""
    monkeypatch.setattr(sys, "argv", ["esipy", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (0, f"EsiPy {esipy.__version__}\n") == (ended.value.code, capsys.readouterr().out)
