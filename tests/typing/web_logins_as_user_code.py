"""Logins of web applications as programs write them: what a type checker must accept, and what it must refuse.

Checked by mypy --strict and by basedpyright, never run.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from collections.abc import Mapping, MutableMapping
from typing import Any, assert_type

from esipy import AsyncEsiClient, EsiClient
from esipy.login import AsyncWebLogin, Claims, WebLogin

login = WebLogin(EsiClient(client_id="id", secret_key="secret"), "https://example.com/callback", ["scope"])
assert_type(login.client, EsiClient)


class Djangos:
    """A session that is no mapping."""

    def get(self, key: str, default: Any = None) -> Any: ...

    def __setitem__(self, key: str, value: Any) -> None: ...

    def __delitem__(self, key: str) -> None: ...


def view(session: MutableMapping[str, Any], other: dict[str, Any], query: Mapping[str, str]) -> None:
    """Any session and any query."""
    assert_type(login.start(session), str)
    login.start(other, scopes=["a", "b"])
    login.start(Djangos(), scopes="a b")
    assert_type(login.finish(session, query), Claims)
    login.finish(Djangos(), "state=s&code=c")
    login.finish(other, b"state=s&code=c")
    claims = login.finish(session, {"state": ["s"], "code": ["c"]})
    assert_type(login.client.as_character(claims.character_id, owner=claims.owner), EsiClient)


async def async_view(session: MutableMapping[str, Any], query: Mapping[str, str]) -> None:
    """The same, awaited."""
    of_tasks = AsyncWebLogin(AsyncEsiClient(), "https://example.com/callback")
    assert_type(of_tasks.start(session), str)
    assert_type(await of_tasks.finish(session, query), Claims)


login.start(None)  # type: ignore[arg-type]
login.start("session")  # type: ignore[arg-type]
login.finish({}, None)  # type: ignore[arg-type]
WebLogin(AsyncEsiClient(), "https://example.com/callback")  # type: ignore[arg-type]
AsyncWebLogin(EsiClient(), "https://example.com/callback")  # type: ignore[arg-type]
