"""Where secrets come from: each is noted where it is made, or where it enters the library."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from esipy.sandbox.tokens import Tokens
from esipy.sso import begun
from esipy.sso.begun import Begun
from esipy.sso.grants import Application
from esipy.sso.login import Login
from esipy.sso.logins import Logins
from esipy.sso.sealing import Sealer
from esipy.sso.shell import LoginShell
from esipy.sso.vault import Stored, Vault
from esipy.sso.wire import Asker, read_object
from tests.secrecy.search import Watch

__all__ = ["after", "before", "note_secrets"]

KINDS = {
    "access_token": "access token",
    "code": "code",
    "code_verifier": "verifier",
    "previous_refresh_token": "refresh token",
    "refresh_token": "refresh token",
    "token": "refresh token",
}
"""What fields of forms and answers hold."""


def before(patch: pytest.MonkeyPatch, owner: Any, name: str, look: Callable[..., None]) -> None:
    """Have a function's arguments looked at before it runs."""
    original = getattr(owner, name)

    @wraps(original)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        look(*args, **kwargs)
        return original(*args, **kwargs)

    patch.setattr(owner, name, looked_at)


def after(patch: pytest.MonkeyPatch, owner: Any, name: str, look: Callable[..., None]) -> None:
    """Have what a function returns looked at, with its first argument."""
    original = getattr(owner, name)

    @wraps(original)
    def looked_at(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        look(answer, *args)
        return answer

    patch.setattr(owner, name, looked_at)


def note_secrets(patch: pytest.MonkeyPatch, watch: Watch) -> None:
    """Note each secret from now on."""
    secrets = watch.secrets

    def fields(values: Any) -> None:
        for name, kind in KINDS.items():
            secrets.add(kind, values.get(name))

    def application(given: Application) -> None:
        secrets.add("secret", given.secret_key)
        secrets.add("verifier", given.code_verifier)
        secrets.add("secret", (given.authorization or "").removeprefix("Basic ") or None)

    def kept(vault: Vault, stored: Stored, *_: object) -> None:
        tokens = stored.kept
        secrets.add("access token", tokens.access_token)
        for token in (tokens.refresh_token, *(tokens.aside or ())):
            secrets.add("refresh token", token)

    def seals(sealer: Sealer, plain: bytes, _: object) -> None:
        if sealer.key_id is None:
            watch.keep_plain(sealer._kept_in or "", plain)

    def begins(session: object, login: Begun) -> None:
        secrets.add("state", login.state)
        secrets.add("verifier", login.code_verifier)

    # What the sandbox gives.
    after(patch, Tokens, "new_code", lambda code, *_: secrets.add("code", code))
    after(patch, Tokens, "grant", lambda grant, *_: secrets.add("refresh token", grant.refresh_token))
    after(patch, Tokens, "answer", lambda answer, *_: fields(answer))
    # What a program gives, and what is made for it.
    before(patch, Login, "__init__", lambda _, uri, given, *__: application(given))
    before(patch, Logins, "__init__", lambda _, store, sealer, given, *__: application(given))
    before(patch, LoginShell, "update_token", lambda _, values, **__: fields(values))
    before(patch, Sealer, "__init__", lambda _, keys=(), **__: [secrets.add_key(key) for key in keys])
    before(patch, Sealer, "seal", seals)
    before(patch, begun, "keep", begins)
    before(patch, Vault, "_save", kept)
    # What goes to any SSO, also of another process or of a script, and what comes back.
    post = Asker.post

    async def posted(asker: Asker, runtime: Any, url: str, form: Any, **keywords: Any) -> Any:
        fields(form)
        answer = await post(asker, runtime, url, form, **keywords)
        fields(read_object(answer.body) or {})
        return answer

    patch.setattr(Asker, "post", posted)
