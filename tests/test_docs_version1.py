"""The tables of docs/from-version-1.md say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from esipy import EsiApp, EsiClient, EsiSecurity, ops
from esipy.cache import FileCache
from esipy.testing import sandbox
from esipy.version1.gone import GONE, RENAMED, ROUTE
from esipy.version1.names import BODY_NAMES

PAGE = (Path(__file__).parents[1] / "docs" / "from-version-1.md").read_text()

SAID = "ignores|has no effect|no User-Agent|without state|checks all the same"
"""What warnings say."""


def rows(heading: str) -> Iterator[tuple[list[str], str]]:
    """Of each row in the tables of a section: the names in its first cell, and its second cell as plain text."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            first, second = re.split(r"(?<=[`\w]) \| ", line.strip("| "), maxsplit=1)
            yield re.findall(r"`(\w+)`", first), second.replace("`", "")


def test_every_body_has_its_old_name_in_the_table() -> None:
    """All operations that have a body, but for the one that version 1 never had."""
    told = {names[0]: old for names, old in rows("What bodies are called")}
    assert {name: old for name, old in BODY_NAMES.items() if old != "body"} == told
    assert {operation.name for operation in ops.operations() if operation.body} == {*told, "post_route"}


def test_every_operation_that_is_gone_is_in_the_table() -> None:
    """With what replaced it, in the words of the error."""
    told = {name: instead for names, instead in rows("Operations that are gone") for name in names}
    assert f"its successor {ops.operation('post_route').name}" in told.pop(ROUTE)
    for old, today in RENAMED.items():
        assert told.pop(old).startswith(today)
    assert told == GONE


def test_what_is_said_to_warn_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of the table is taken, with one warning, which names the program's own line."""
    section = PAGE.split("\n## What warns\n")[1].split("\n## ")[0]
    written = re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    assert len(written) > 8
    monkeypatch.chdir(tmp_path)
    headers = {"User-Agent": "MyApp/1.0 (me@example.com)"}
    with sandbox(set_environment=True) as server:
        app = EsiApp()
        security = EsiSecurity(server.redirect_uri, server.client_id, server.secret_key, headers=headers)
        security.update_token(server.login(scopes=[]))
        names = {
            "CALLBACK": server.redirect_uri,
            "CLIENT_ID": server.client_id,
            "SECRET_KEY": server.secret_key,
            "EsiApp": EsiApp,
            "EsiClient": EsiClient,
            "EsiSecurity": EsiSecurity,
            "FileCache": FileCache,
            "adapter": object(),
            "app": app,
            "client": EsiClient(headers=headers),
            "headers": headers,
            "op": app.op["get_status"](),
            "security": security,
        }
        for line in written:
            with pytest.warns(UserWarning, match=SAID) as caught:
                eval(compile(line, "the program", "eval"), names)
            assert ["the program"] == [warning.filename for warning in caught], line
