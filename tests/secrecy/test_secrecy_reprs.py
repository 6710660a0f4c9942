"""T44: no value of this library shows what is secret in it, by whatever way it comes to be shown."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, cast

import msgspec

import esipy
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.engine.exchange import Exchange

PLANTED = "planted-secret-that-nobody-may-see"

SECRET = {
    "access_token", "answer", "aside", "authorization", "body", "code", "code_verifier", "form", "headers",
    "kept", "keys", "password", "proves", "query", "refresh_token", "replaced", "sealed", "secret", "secret_key",
    "spent", "state", "stored", "target", "token", "verifier",
}  # fmt: skip
"""Fields of these names hold secrets, or what may have some in it."""

INNOCENT = {
    ("Character", "state"): "whether the login is good",
    ("TokenRecord", "state"): "the same",
    ("Entry", "query"): "the journal hides secrets before it keeps them",
    ("Entry", "headers"): "the same",
    ("Entry", "form"): "the same",
    ("Entry", "authorization"): "the scheme alone",
    ("Fault", "query"): "which requests a test wants to fail",
    ("Fault", "headers"): "what a test wants to be answered",
    ("Fault", "body"): "the same",
    ("Refused", "headers"): "of an error of ESI",
    ("Position", "target"): "an address of ESI",
    ("Endpoints", "token"): "an address of the SSO",
    ("Stored", "kept"): "its tokens hide themselves",
    ("Rekeyed", "sealed"): "how many",
    ("_Answer", "body"): "a page that the user sees",
    ("_Answer", "headers"): "of that page, with an address that holds neither code nor state",
}


def _values() -> Iterator[type]:
    """The classes with fields: tuples with names, dataclasses and structs."""
    for module in pkgutil.walk_packages(esipy.__path__, "esipy."):
        if module.name.startswith(("esipy.ops", "esipy.__main__")):  # generated; runs
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and kind.__module__ == module.name and _fields(kind):
                yield kind


def _fields(kind: type) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return cast("tuple[str, ...]", getattr(kind, "_fields", ())) if issubclass(kind, tuple) else ()


def _made(kind: type, values: dict[str, Any]) -> Any:
    """One with these values, whatever its constructor would say."""
    if issubclass(kind, tuple):
        return tuple.__new__(kind, values.values())
    if issubclass(kind, msgspec.Struct):
        return kind(**values)
    made: Any = kind.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def test_T44_values_do_not_show_their_secret_fields() -> None:
    """Whichever class there is or will be: a field with such a name is hidden."""
    shown: list[str] = []
    for kind in _values():
        values = {
            name: PLANTED if name in SECRET and (kind.__name__, name) not in INNOCENT else 0 for name in _fields(kind)
        }
        if PLANTED in repr(_made(kind, values)):
            shown.append(f"{kind.__module__}.{kind.__qualname__}")
    assert [] == shown


def test_T44_what_is_called_innocent_is_there() -> None:
    """The exceptions are of classes and fields that exist."""
    assert set(INNOCENT) <= {(kind.__name__, name) for kind in _values() for name in _fields(kind)}


def test_T44_requests_and_answers_show_neither_headers_nor_bodies() -> None:
    """Nor does an exchange, which has the token that it carries."""
    request = HttpRequest("POST", "https://x/", [("Authorization", PLANTED)], PLANTED.encode())
    assert "<HttpRequest POST https://x/>" == repr(request)
    assert PLANTED not in repr(HttpResponse(200, cast("Any", {}), PLANTED.encode()))
    exchange = Exchange.__new__(Exchange)
    exchange.token = PLANTED
    assert PLANTED not in repr(exchange)
