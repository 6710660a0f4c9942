"""Every public name of EsiPy 1.2.3, module by module, and what it does here; compared with version 1's own source.

Names that begin with an underscore are listed when programs used them. A name that is another package's (``Session``,
``jwt``, ``six``) could be had from version 1's modules too; it never was version 1's.
"""

from __future__ import annotations

import ast
from importlib import import_module
from typing import Any

import pytest

from benchmarks.environments import prepare_version1

SAME = "the same"

NAMES: dict[str, dict[str, str]] = {
    "esipy": {
        "EsiClient": SAME,
        "EsiSecurity": SAME,
        "EsiApp": SAME,
        "App": "pyswagger's was meant; ours has its `create`, `load`, `prepare` and `op`",
        "__version__": SAME,
    },
    "esipy.app": {
        "LOGGER": "a logger of the same name, that is told nothing: nothing is fetched",
        "APIException": "of esipy.exceptions",
        "App": "of esipy",
        "check_cache": "of esipy.utils",
        "get_cache_time_left": "of esipy.utils",
        "EsiApp": "all from the catalogue in this package",
        "EsiApp.clear_cached_endpoints": "there is nothing in the cache to clear",
    },
    "esipy.client": {
        "LOGGER": SAME,
        "API_CALL_STATS": "of esipy.events",
        "APIException": "of esipy.exceptions",
        "check_cache": "of esipy.utils",
        "get_cache_time_left": "of esipy.utils",
        "make_cache_key": "of esipy.utils",
        "EsiClient": SAME,
        "EsiClient.head": SAME,
        "EsiClient.multi_request": SAME,
    },
    "esipy.security": {
        "LOGGER": SAME,
        "AFTER_TOKEN_REFRESH": "of esipy.events",
        "APIException": "of esipy.exceptions",
        "generate_code_challenge": "of esipy.utils",
        "EsiSecurity": "asks the SSO when it first has to, not when it is made",
        "EsiSecurity.__call__": "puts the token into a request object",
        "EsiSecurity.auth": "verifies what the SSO gave",
        "EsiSecurity.get_access_token_params": SAME,
        "EsiSecurity.get_auth_uri": "makes a state when none is given, as version 0 did; no implicit flow",
        "EsiSecurity.get_refresh_token_params": "scopes separated by spaces",
        "EsiSecurity.is_token_expired": SAME,
        "EsiSecurity.refresh": "verifies what the SSO gave; scopes separated by spaces",
        "EsiSecurity.revoke": "raises when the SSO did not do it",
        "EsiSecurity.update_token": "a missing expires_in is no error: the token counts as over",
        "EsiSecurity.verify": "always checks the signature, and both audiences",
    },
    "esipy.events": {
        "LOGGER": SAME,
        "AFTER_TOKEN_REFRESH": "tells the same and more",
        "API_CALL_STATS": "tells the same and more",
        "Signal": SAME,
        "Signal.add_receiver": SAME,
        "Signal.remove_receiver": SAME,
        "Signal.send": SAME,
        "Signal.send_robust": SAME,
    },
    "esipy.cache": {
        "LOGGER": SAME,
        "_hash": "the same in every process",
        "BaseCache": SAME,
        "BaseCache.get": SAME,
        "BaseCache.invalidate": SAME,
        "BaseCache.set": SAME,
        "DictCache": "bounded",
        "DictCache.clear": SAME,
        "DictCache.get": SAME,
        "DictCache.invalidate": SAME,
        "DictCache.set": SAME,
        "DummyCache": SAME,
        "DummyCache.get": SAME,
        "DummyCache.invalidate": SAME,
        "DummyCache.set": SAME,
        "FileCache": "over SQLite, not diskcache; plain data",
        "FileCache.get": SAME,
        "FileCache.invalidate": SAME,
        "FileCache.set": SAME,
        "MemcachedCache": "plain data; any client with get, set and delete",
        "MemcachedCache.get": SAME,
        "MemcachedCache.invalidate": SAME,
        "MemcachedCache.set": SAME,
        "RedisCache": "plain data; any client with get, set and delete",
        "RedisCache.get": SAME,
        "RedisCache.invalidate": SAME,
        "RedisCache.set": SAME,
    },
    "esipy.utils": {
        "BaseCache": "of esipy.cache",
        "DictCache": "of esipy.cache",
        "DummyCache": "of esipy.cache",
        "check_cache": SAME,
        "generate_code_challenge": SAME,
        "generate_code_verifier": SAME,
        "get_cache_time_left": "a text that is no date is a ValueError",
        "make_cache_key": SAME,
    },
    "esipy.exceptions": {
        "APIException": "the base of a tree that says more",
    },
}

GONE: dict[str, dict[str, str]] = {
    "esipy.client": {"CachedResponse": "what version 1 kept in its cache: nothing here makes or reads one"},
}

ELSEWHERE = {
    # other packages' names in version 1's modules
    "BaseClient", "ConnectionError", "HTTPAdapter", "HTTPError", "Request", "Session", "ThreadPoolExecutor", "Timeout",
    "RequestsConnectionError", "absolute_import", "base64", "datetime", "hashlib", "jwt", "logging", "namedtuple", "os",
    "parsedate", "pickle", "quote", "requests", "six", "time", "warnings",
}  # fmt: skip


def _look_up(module: str, name: str) -> Any:
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in NAMES for name in NAMES[module]])
def test_a_name_of_version_1_is_there(module: str, name: str) -> None:
    """Under the path that it had; and where it is another module's, it is that very thing."""
    found = _look_up(module, name)
    meaning = NAMES[module][name]
    if meaning.startswith("of esipy"):
        assert found is _look_up(meaning.removeprefix("of "), name)


@pytest.mark.parametrize("name", ["CachedResponse", "check_caches"])
@pytest.mark.parametrize("module", sorted(NAMES))
def test_a_name_that_is_not_there_is_an_attribute_error(module: str, name: str) -> None:
    """That names it."""
    with pytest.raises(AttributeError, match=name):
        _look_up(module, name)


def _names(tree: ast.Module) -> set[str]:
    """What a module of version 1 let be imported from it: its own names, those that it imported, public methods."""
    found: set[str] = set()
    for node in tree.body:
        inner = node.body if isinstance(node, ast.Try) else [node]
        for part in inner:
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                found |= {(name.asname or name.name).partition(".")[0] for name in part.names}
            elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
                found.add(part.name)
            elif isinstance(part, ast.Assign):
                found |= {target.id for target in part.targets if isinstance(target, ast.Name)}
            if isinstance(part, ast.ClassDef):
                found |= {
                    f"{part.name}.{method.name}"
                    for method in part.body
                    if isinstance(method, ast.FunctionDef)
                    and (method.name == "__call__" or not method.name.startswith("_"))
                }
    return found - ELSEWHERE


@pytest.mark.version1
def test_the_table_is_version_1s_source() -> None:
    """Nothing is forgotten, nothing made up."""
    environment = prepare_version1()
    if "esipy" not in environment.versions:
        pytest.skip("EsiPy 1.2.3 cannot be installed here")
    (folder,) = environment.python.parents[1].rglob("site-packages/esipy")
    listed = {module: set(names) | set(GONE.get(module, ())) for module, names in NAMES.items()}
    source = {
        module: _names(ast.parse((folder / f"{module.partition('.')[2] or '__init__'}.py").read_text("utf-8")))
        for module in NAMES
    }
    assert source == listed
