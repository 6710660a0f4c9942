"""What is sent as the User-Agent, and how a program that has none is told."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from esipy._agent import sent_user_agent, warn_without_user_agent

PROGRAM = """
from esipy import EsiClient, EsiSecurity
{first}
EsiClient(cache=None).close()
EsiSecurity("http://localhost/callback", "app", "secret")
"""


def test_the_library_is_named_after_the_program() -> None:
    """Or alone, where the program says nothing."""
    assert ("EsiPy/2.0", "MyApp/1.0 (me) EsiPy/2.0") == (sent_user_agent(None), sent_user_agent("MyApp/1.0 (me)"))


def test_a_log_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    """Services read their log, and seldom what is written to stderr; with a User-Agent nobody is told anything."""
    logger = logging.getLogger("esipy.client")
    warn_without_user_agent("MyApp/1.0", logger, stacklevel=1)
    with pytest.warns(UserWarning, match="no User-Agent is set") as warned:
        warn_without_user_agent(None, logger, stacklevel=1)
    assert [str(warned[0].message)] == caplog.messages
    assert __file__ == warned[0].filename


@pytest.mark.parametrize(("first", "times"), [("", 2), ("import logging; logging.basicConfig()", 4)])
def test_a_program_without_logging_reads_it_once(first: str, times: int) -> None:
    """Of a client and of a login: logging would write to stderr by itself what the warning says there already."""
    code = PROGRAM.format(first=first)
    bare = {name: value for name, value in os.environ.items() if name not in ("ESI_USER_AGENT", "PYTHONWARNINGS")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=bare
    )
    assert times == done.stderr.count("no User-Agent is set")
