"""The examples for Flask, FastAPI and Django as a stranger runs them: one command, a real server, a real login."""

from __future__ import annotations

import re
import signal
from urllib.parse import urlsplit

import pytest

from esipy.sandbox.browser import approve
from esipy.sandbox.characters import FIRST_CHARACTER, Roster
from tests.urls import query_of
from tests.web.web_kit import FRAMEWORKS, Person, over_http, served


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_example_serves_logins_in_one_command(framework: str) -> None:
    """It says where; a user logs in, sees the wallet and logs out; Ctrl-C ends it, and its log holds no code."""
    with served(framework) as (process, address):
        me = Person(over_http(urlsplit(address).netloc))
        callback = approve(me.begin(), FIRST_CHARACTER + 3)
        assert "/" == me.get(callback).location
        page = me.get("/")
        assert 200 == page.status
        assert Roster().get(FIRST_CHARACTER + 3).name in page.text
        assert re.search(r"[\d,]+\.\d\d ISK", page.text)
        assert me.log_out().status in (302, 303)
        assert "Log in with EVE Online" in me.get("/").text
        process.send_signal(signal.SIGINT)
        said = "".join(process.communicate(timeout=60))
        secrets = list(query_of(callback).values())
        assert (2, []) == (len(secrets), [secret for secret in secrets if secret in said])
        assert "Traceback" not in said, said
