"""What users' own tests get: the sandbox, its fixtures, the environment, and the signal recorder."""

from __future__ import annotations

import os
from inspect import signature
from threading import Thread
from typing import Any

import pytest

from esipy.events import Signal
from esipy.sandbox import RunningSandbox, serve
from esipy.sandbox.app import Sandbox
from esipy.sandbox.esi_limits import LimitOptions
from esipy.sandbox.options import ServeOptions
from esipy.testing import SignalRecorder, environment, sandbox
from tests.ports import free_port
from tests.sandbox.wire import ask

pytest_plugins = ["esipy.fixtures"]


def test_the_sandbox_serves_for_a_block() -> None:
    """Inside the block it answers, after it nothing does."""
    with sandbox(seed=2, port=free_port()) as server:
        assert ask(server.url, "/status").status == 200
    with pytest.raises(ConnectionRefusedError):
        ask(server.url, "/status")


@pytest.mark.parametrize(
    ("option", "said"),
    [("character", "did you mean 'characters'?"), ("nonsense", "it takes release_late_seconds, ")],
)
def test_an_option_that_there_is_not_is_refused(option: str, said: str) -> None:
    """With the near one, or all: a test with a default in its place would show nothing."""
    given: dict[str, Any] = {option: 3}
    with pytest.raises(TypeError) as refused, sandbox(**given):
        pass
    assert str(refused.value).startswith(f"a sandbox has no option {option!r}; {said}")


def test_the_options_that_editors_offer_are_the_sandboxes() -> None:
    """All of them, and no others."""
    offered = ServeOptions.__annotations__.keys() - LimitOptions.__annotations__.keys()
    taken = [*signature(serve).parameters, *signature(Sandbox.__init__).parameters]
    assert set(taken) - {"self", "options", "limits"} == offered


def test_the_environment_leads_to_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``set_environment`` both variables point there during the block, and are as before afterwards."""
    monkeypatch.setenv("ESI_BASE_URL", "http://before")
    monkeypatch.delenv("ESI_SSO_URL", raising=False)
    with sandbox(set_environment=True) as server:
        assert environment(server) == {name: os.environ[name] for name in ("ESI_BASE_URL", "ESI_SSO_URL")}
        assert os.environ["ESI_BASE_URL"] == server.url
    assert os.environ["ESI_BASE_URL"] == "http://before"
    assert "ESI_SSO_URL" not in os.environ


def test_the_fixture_serves(esi_sandbox: RunningSandbox) -> None:
    """``esi_sandbox`` is a running sandbox without any history."""
    assert esi_sandbox.received() == []
    assert ask(esi_sandbox.url, "/status").status == 200


def test_the_environment_fixture_leads_there(esi_sandbox_environment: RunningSandbox) -> None:
    """``esi_sandbox_environment`` is the same and sets the variables."""
    assert os.environ["ESI_BASE_URL"] == os.environ["ESI_SSO_URL"] == esi_sandbox_environment.url


def test_a_recorder_keeps_payloads_in_order() -> None:
    """Every argument of each sending is kept, until the block ends."""
    signal = Signal("TEST")
    with SignalRecorder(signal) as recorder:
        signal.send(number=1, text="a")
        signal.send(number=2)
        assert recorder.payloads == [{"number": 1, "text": "a"}, {"number": 2}]
        assert recorder.values("number") == [1, 2]
        recorder.clear()
        signal.send(number=3)
    signal.send(number=4)
    assert recorder.payloads == [{"number": 3}]
    assert signal.receivers == ()


def test_a_recorder_waits_for_other_threads() -> None:
    """`wait` ends when the signal was heard often enough, and says when it was not."""
    signal = Signal("TEST")
    with SignalRecorder(signal) as recorder:
        thread = Thread(target=lambda: signal.send(number=1))
        thread.start()
        assert recorder.wait(1) == [{"number": 1}]
        thread.join()
        with pytest.raises(TimeoutError, match="heard 1 of 2"):
            recorder.wait(2, timeout=0.01)


def test_T44_a_recorder_shows_no_payload() -> None:
    """Its repr counts only: payloads may hold tokens."""
    signal = Signal("TEST")
    with SignalRecorder(signal) as recorder:
        signal.send(access_token="secret-token")
    assert "secret-token" not in repr(recorder)
    assert "1 payloads" in repr(recorder)
