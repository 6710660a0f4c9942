"""What tests of several parts share: one Valkey server for each process of a run, nothing that another test learned of
ESI or of an SSO, and nothing of this user's, neither data nor keyring; and how files of stores are named."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from esipy.runtime.shared import PROCESS
from tests.stores.valkey import own_valkey as own_valkey
from tests.stores.valkey import valkey as valkey

# Every test is searched for secrets where none belong (T44).
pytest_plugins = ["tests.secrecy.plugin"]

# A shell that runs tests in the background has them ignore Ctrl-C, which tests and their processes wait for.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in each run, and no limit of real time: ``--hypothesis-profile=default`` looks for others.
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def nothing_of_another_test() -> None:
    """Each test is a process of its own to clients: what others have spent, learned of an SSO (its keys, that it is
    out), or saw of a downtime, it has not."""
    PROCESS.clear()


@pytest.fixture(autouse=True, scope="session")
def nothing_of_this_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Programs that name no token store find one that is empty, and no key in a keyring."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("LOCALAPPDATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        for name in ("ESI_TOKENS", "ESI_TOKEN_KEY", "ESI_TOKEN_KEY_FILE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def named_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Texts that name a file here, by its whole path and at home, each with that file: no matter of which store."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return {
        "sqlite:///here.sqlite3": tmp_path / "here.sqlite3",
        f"sqlite:///{tmp_path}/whole.sqlite3": tmp_path / "whole.sqlite3",
        "sqlite:///~/mine.sqlite3": tmp_path / "home" / "mine.sqlite3",
    }
