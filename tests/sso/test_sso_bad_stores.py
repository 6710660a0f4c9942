"""Token stores that are read-only, full, damaged, or sealed with another key: each is one clear error, nothing is lost.

A table, in both colours: by calls that refresh, logins that are added or removed, web logins, and lists.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from esipy.exceptions import TokenKeyError, TokenStoreError
from esipy.sso.sealing import key_id_of
from tests.sso.bad_input_kit import RIGHT_KEY, WRONG_KEY, Desk, fails, text_of


@contextmanager
def _read_only(desk: Desk) -> Iterator[None]:
    """A file that may be read: as SQLite says it to who has no right to write."""
    for file in (desk.store._file, desk.store._view):
        file.look(lambda connection: connection.execute("PRAGMA query_only = ON"))
    yield
    for file in (desk.store._file, desk.store._view):
        file.look(lambda connection: connection.execute("PRAGMA query_only = OFF"))


@contextmanager
def _full(desk: Desk) -> Iterator[None]:
    """A disk on which no byte more can be written, to any file."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _corrupt(desk: Desk) -> Iterator[None]:
    """A file that something else has written over; who mends it puts the copy back. It is not touched meanwhile."""
    desk.store.close()
    copy, junk = desk.path.read_bytes(), b"what it is not\n" * 1000
    desk.path.write_bytes(junk)
    yield
    assert junk == desk.path.read_bytes()
    desk.store.close()
    desk.path.write_bytes(copy)


@contextmanager
def _wrong_key(desk: Desk) -> Iterator[None]:
    """Another key than the one that sealed it."""
    yield


def _deeds(desk: Desk, **keywords: Any) -> dict[str, Callable[[Desk], Any]]:
    client, web, session = desk.client(**keywords), desk.web(**keywords), dict[str, Any]()
    callback = desk.server.approve(web.start(session), desk.who)
    return {
        "call": lambda desk: desk.wallet(client),
        "add": lambda desk: desk.run(client.add_character(desk.refresh_token)),
        "add an object": lambda desk: desk.run(client.add_character(desk.security())),
        "remove": lambda desk: desk.run(client.remove_character(desk.who)),
        "web": lambda desk: desk.run(web.finish(session, callback)),
        "list": lambda desk: desk.run(client.characters()),
    }


POSIX = pytest.mark.skipif(os.name != "posix", reason="limits are of another kind here")
TROUBLES: dict[str, tuple[Any, type[Exception], str, tuple[str, ...]]] = {
    "read-only": (
        _read_only, TokenStoreError, "Nothing is lost: give this user the right to write to the file",
        ("call", "add", "add an object", "remove", "web"),
    ),
    "full": (
        _full, TokenStoreError, r"cannot be read or written .*Nothing is lost|could not be saved",
        ("call", "add", "add an object", "remove", "web"),
    ),
    "corrupt": (
        _corrupt, TokenStoreError, "are damaged .* The file is left as it is, and nothing is begun in its place",
        ("call", "add", "add an object", "remove", "web", "list"),
    ),
    # A new login of the same character replaces what cannot be opened.
    "wrong key": (
        _wrong_key, TokenKeyError, f"sealed with the key {key_id_of(RIGHT_KEY)}, .*Nothing is lost: give that key",
        ("call", "remove"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("trouble", "deed"),
    [
        pytest.param(trouble, deed, marks=POSIX if trouble == "full" else ())
        for trouble, (_, _, _, deeds) in TROUBLES.items()
        for deed in deeds
    ],
)
def test_what_is_wrong_with_the_store_is_one_error(desk: Desk, trouble: str, deed: str) -> None:
    """Before a code or refresh token is spent; what is kept stays as it is, and works when the trouble is over."""
    begin, kind, said, _ = TROUBLES[trouble]
    keywords = {"token_key": text_of(WRONG_KEY)} if trouble == "wrong key" else {}
    before = desk.kept()
    deeds = _deeds(desk, **keywords)
    if trouble != "corrupt":
        assert [desk.who] == [character.character_id for character in deeds["list"](desk)]  # it can be read
    with begin(desk):
        fails(desk, deeds[deed], kind, said)
        assert 0 == desk.spent()
    assert before == desk.kept()
    desk.check_nothing_is_lost()


def test_who_has_the_wrong_key_can_log_in_again(desk: Desk) -> None:
    """A key that was lost is not the end: a new login takes the place of what nobody can open."""
    deeds = _deeds(desk, token_key=text_of(WRONG_KEY))
    fails(desk, deeds["call"], TokenKeyError, "Nothing is lost")
    assert desk.who == deeds["web"](desk).character_id
    assert deeds["call"](desk) >= 0
