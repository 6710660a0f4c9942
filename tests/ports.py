"""Ports for servers that have to be told theirs."""

from __future__ import annotations

import socket
from contextlib import suppress
from secrets import randbelow

__all__ = ["free_port"]


def free_port() -> int:
    """A port that nobody listens at; not one of those that systems give out by themselves, or another connection of
    this run may have it before the server does."""
    while True:
        port = 20000 + randbelow(10000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
