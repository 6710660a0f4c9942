"""``esipy call``: what a stranger types and gets, and the list of what can be called."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings

import pytest

import esipy
from esipy.cli import main
from esipy.cli.call import arguments_of
from esipy.events import RATE_LIMIT_WAIT
from esipy.ops import operation
from esipy.runtime.shared import PROCESS
from esipy.sandbox import RunningSandbox
from esipy.stores.memory_ledger import MemoryLedger
from tests.cli.call_kit import CALL, JITA, PERIMETER, THE_FORGE, Call
from tests.cli.login_kit import Done

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


def test_a_call_from_a_shell(box: RunningSandbox) -> None:
    """A process of its own, with warnings as errors."""
    done = subprocess.run(
        [*CALL, "get_status", "--user-agent", "Mine/1.0"], capture_output=True, timeout=60, check=False
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
