"""What answers of several parts of the sandbox are made of: JSON, and the pages that a proxy before ESI shows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from esipy.sandbox.exchange import SandboxAnswer

__all__ = ["HTML", "JSON", "html_page", "json_answer"]

JSON: tuple[str, str] = ("Content-Type", "application/json; charset=utf-8")
HTML: tuple[str, str] = ("Content-Type", "text/html")


def json_answer(value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> SandboxAnswer:
    """An answer with this value as JSON."""
    return SandboxAnswer(status, [JSON, *headers], json.dumps(value, separators=(",", ":")).encode())


def html_page(status: int) -> bytes:
    """What a proxy shows in the place of an answer."""
    return b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n" % (
        status,
        status,
    )
