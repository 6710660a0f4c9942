"""``esipy demo``, for real: what it prints, and that nothing of it stays."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

COMMAND = [sys.executable, "-W", "error", "-c", "from esipy.cli import main; main()", "demo"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGKILL"])
def test_a_demo_that_is_killed_leaves_no_sandbox(number: str) -> None:
    """The sandbox's process ends with the demo's, although that could not tell it."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "sandbox" in process.stdout.readline()
        address = urlsplit(process.stdout.readline().rpartition(" ")[2].strip())
        assert address.hostname is not None
        with socket.create_connection((address.hostname, address.port or 0), timeout=20) as connection:
            process.send_signal(signal.Signals[number])
            assert -signal.Signals[number] == process.wait(20)
            try:
                assert b"" == connection.recv(1)  # comes when the sandbox ends
            except ConnectionResetError:
                pass
        # The sandbox held these too: their end is the end of its process.
        assert "" == process.communicate(timeout=20)[1]
