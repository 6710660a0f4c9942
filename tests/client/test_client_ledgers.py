"""``ledger=`` and ``ESI_LEDGER``: where a client counts what it spends, with both clients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from esipy import ops
from esipy.events import STORE_DEGRADED
from esipy.exceptions import SettingError
from esipy.stores.memory_ledger import MemoryLedger
from esipy.stores.sqlite_ledger import SqliteLedger
from esipy.testing import SignalRecorder
from tests.client.colours import Colour, Connect, another_process

# The garbage of a server of an earlier module is sometimes collected here: one connection that it left open.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

FORGE = ops.market.get_markets_region_id_orders(region_id=10000002, order_type="all", page=1)
NOWHERE = "redis://someone:hunter2@127.0.0.1:1/0"


def used(client: Colour) -> int:
    """What is spent of the bucket of market orders."""
    return sum(row.used for row in client.limits() if row.group == "market-order")


def test_a_file_is_shared_by_processes(connect: Connect, tmp_path: Path) -> None:
    """What one process has spent, another one knows."""
    text = f"sqlite:///{tmp_path / 'limits.sqlite3'}"
    connect(ledger=text).request(FORGE)
    another_process()
    assert used(connect(ledger=text)) == 2
    assert used(connect()) == 0


def test_a_relative_path_is_in_the_working_directory(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And names the same ledger as its whole path."""
    monkeypatch.chdir(tmp_path)
    connect(ledger="sqlite:///limits.sqlite3").request(FORGE)
    assert (tmp_path / "limits.sqlite3").exists()
    assert used(connect(ledger=f"sqlite:///{tmp_path / 'limits.sqlite3'}")) == 2


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_CACHE_HOME", "."),
        ("win32", "LOCALAPPDATA", "."),
        ("linux", "HOME", ".cache"),
        ("darwin", "HOME", "Library/Caches"),
        ("win32", "HOME", "AppData/Local"),
    ],
)
def test_sqlite_alone_is_a_file_of_the_user(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, folder: str
) -> None:
    """In the folder where the system keeps what programs can do without."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    client = connect()  # the transport is made for the real platform
    monkeypatch.setattr(sys, "platform", platform)
    other = connect(ledger="sqlite:")
    monkeypatch.undo()
    other.request(FORGE)
    assert (tmp_path / folder / "esipy" / "limits.sqlite3").exists()
    assert used(client) == 0


def test_a_tilde_is_the_home(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    connect(ledger="sqlite:///~/limits.sqlite3").request(FORGE)
    assert (tmp_path / "limits.sqlite3").exists()


def test_the_variable_names_it_for_clients_that_are_given_none(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyword wins; an empty variable counts as not set."""
    monkeypatch.setenv("ESI_LEDGER", f"sqlite:///{tmp_path / 'a.sqlite3'}")
    connect().request(FORGE)
    connect(ledger=f"sqlite:///{tmp_path / 'b.sqlite3'}").request(FORGE)
    assert used(connect()) == 2
    monkeypatch.setenv("ESI_LEDGER", "")
    assert used(connect()) == 0


def test_clients_that_name_the_same_ledger_share_one(connect: Connect, tmp_path: Path) -> None:
    """One connection a process; it is closed with the last of them, and opened again for who comes later."""
    path = tmp_path / "limits.sqlite3"
    first, second = connect(ledger=f"sqlite:///{path}"), connect(ledger=f"sqlite:///{path}")
    first.request(FORGE)
    second.request(FORGE.replace(page=2))
    log = path.with_name("limits.sqlite3-wal")
    first.do(first.client.close())
    first.do(first.client.close())
    assert log.exists()
    second.do(second.client.close())
    assert not log.exists()
    assert used(connect(ledger=f"sqlite:///{path}")) == 4


@pytest.mark.parametrize("ledger", [None, "sqlite:///limits.sqlite3"])
def test_calls_under_way_are_waited_for_longer_than_they_may_take(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: str | None
) -> None:
    """The client with the longest timeout counts; a ledger that was made elsewhere is its owner's."""
    monkeypatch.chdir(tmp_path)

    def lease_seconds(**options: Any) -> float:
        store: Any = connect(ledger=ledger, **options).client._engine.ledger.store
        return float(store.lease_seconds)

    assert lease_seconds() == (900.0 if ledger is None else 90.0)
    assert [lease_seconds(timeout=2000.0), lease_seconds()] == [2030.0] * 2
    given = MemoryLedger(lambda: 0.0, lease_seconds=10.0)
    connect(ledger=given, timeout=2000.0)
    assert given.lease_seconds == 10.0


def test_an_object_is_a_ledger(connect: Connect, tmp_path: Path) -> None:
    """Of this process, or shared; it is its owner's to close."""
    memory = MemoryLedger(lambda: 0.0)
    assert used(connect(ledger=memory)) == 0
    connect(ledger=memory).request(FORGE)
    assert [2] == [state.used for state in memory.states()]
    path = tmp_path / "limits.sqlite3"
    shared = SqliteLedger(path)
    client = connect(ledger=shared)
    client.request(FORGE)
    client.do(client.client.close())
    assert path.with_name("limits.sqlite3-wal").exists()
    assert used(connect(ledger=shared)) == 2
    shared.close()


def test_T29_a_server_that_is_gone_stops_nobody_and_is_told_of(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls go on with this process's part of each limit; the signal and the log name no password."""
    alerts: list[str] = []

    async def alert(store: str, **_: Any) -> None:
        alerts.append(store)

    client = connect(ledger=NOWHERE)
    with SignalRecorder(STORE_DEGRADED) as told:
        if client.name == "asyncio":
            STORE_DEGRADED.add_receiver(alert)
        assert client.request(FORGE).status == 200
        assert used(client) == 2
        STORE_DEGRADED.remove_receiver(alert)
    assert alerts == (["redis://127.0.0.1:1/0"] if client.name == "asyncio" else [])
    assert [{"degraded": True, "store": "redis://127.0.0.1:1/0"}] == [
        {"degraded": payload["degraded"], "store": payload["store"]} for payload in told.payloads
    ]
    assert "the ledger redis://127.0.0.1:1/0 fails" in caplog.text
    assert "hunter2" not in repr(told.payloads) + caplog.text


@pytest.mark.parametrize("given", ["variable", "keyword"])
@pytest.mark.parametrize(
    "text",
    [
        "mysql://someone:hunter2@host/0", "someone:hunter2@host", "redis:someone:hunter2@host", "redis//hunter2",
        "redis://someone:hunter2@host:port", "redis://someone:hunter2@host?no_such_option=1", "memory",
    ],
)  # fmt: skip
def test_T44_what_is_no_ledger_is_refused_and_not_shown(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, given: str, text: str
) -> None:
    """It may hold a password; the error names the keyword or the variable, and says what there is."""
    options: dict[str, Any] = {"ledger": text} if given == "keyword" else {}
    if given == "variable":
        monkeypatch.setenv("ESI_LEDGER", text)
    with pytest.raises(SettingError, match="^ledger: " if options else "^ESI_LEDGER: ") as raised:
        connect(**options)
    error: BaseException | None = raised.value
    while error is not None:
        assert "hunter2" not in f"{error!s}{error!r}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("text", ["sqlite:limits.sqlite3", "sqlite:///", "sqlite://host/x", "sqlite:///:memory:"])
def test_a_file_without_a_path_is_refused(connect: Connect, text: str) -> None:
    """With the forms that there are."""
    with pytest.raises(SettingError, match=r"^ledger=sqlite:.*: has to be sqlite:///limits.sqlite3"):
        connect(ledger=text)


def test_another_object_is_refused(connect: Connect) -> None:
    """A path, for one."""
    with pytest.raises(SettingError, match="Path: has to be a text such as sqlite:///"):
        connect(ledger=Path("limits.sqlite3"))
