"""`EsiApp` and `App`: version 1's entry, all from the bundled catalogue, and how operations are found."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from typing import Any

import pytest

from esipy import App, EsiApp, ops
from esipy.cache import DictCache, DummyCache
from esipy.exceptions import InvalidCallError, UnknownOperationError

VERSIONS = ["latest", "dev", "legacy", "v1", "v2", "v3", "v4", "v5", "v6"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("get", ["get_", "get__"])
def test_every_document_of_version_1_is_the_catalogue(get: str, version: str) -> None:
    """``get_latest_swagger`` and its like give an `App` of all operations."""
    app = getattr(EsiApp(), f"{get}{version}_swagger")
    assert (App, ops.names()) == (type(app), tuple(app.op))


def test_an_esi_app_takes_what_version_1_took() -> None:
    """All five keywords, None and a door among the caches; they are kept for reading."""
    cache = DictCache()
    app = EsiApp(cache=cache, cache_time=-1, cache_prefix="x", meta_url="https://a/b.json", datasource="singularity")
    assert (cache, True, 86400, "x", "https://a/b.json", "singularity") == (
        app.cache, app.caching, app.expire, app.cache_prefix, app.meta_url, app.datasource,
    )  # fmt: skip
    assert (False, None) == (EsiApp(cache=None).caching, EsiApp(cache_time=None).expire)
    app.clear_cached_endpoints()
    app.clear_cached_endpoints(prefix="y")
    assert "get_status" in app.app.op
    assert EsiApp(cache=DummyCache()).op is not None


def test_unknown_keywords_warn_and_are_ignored() -> None:
    """Version 1 took any."""
    with pytest.warns(UserWarning, match="EsiApp ignores esi_datasource="):
        EsiApp(esi_datasource="tranquility")
    with pytest.warns(UserWarning, match=r"EsiApp ignores cache_tim=; did you mean cache_time=\?"):
        EsiApp(cache_tim=3)


@pytest.mark.parametrize("cache", ["a cache", {}, 3])
def test_what_is_no_cache_is_refused(cache: Any) -> None:
    """A ValueError, as in version 1."""
    with pytest.raises(ValueError, match=r"has to be derived from esipy\.cache\.BaseCache"):
        EsiApp(cache=cache)


@pytest.mark.parametrize("name", ["get_v7_swagger", "get_v99_swagger", "nothing", "__wrapped__"])
def test_an_unknown_attribute_is_an_attribute_error(name: str) -> None:
    """So that ``hasattr`` and ``copy`` work."""
    with pytest.raises(AttributeError, match=f"{name} is not a valid operation"):
        getattr(EsiApp(), name)


def test_an_operation_is_no_document() -> None:
    """The error says how it is called."""
    with pytest.raises(AttributeError, match=r"get_status is not a swagger endpoint; call it with app\.op"):
        EsiApp().get_status  # noqa: B018
    assert "get_v6_swagger" in dir(EsiApp())


@pytest.mark.parametrize(
    "address",
    [
        "https://esi.evetech.net/latest/swagger.json?datasource=tranquility",
        "http://esi.evetech.net/_latest/swagger.json",
        "//esi.evetech.net/v4/swagger.json",
        "https://esi.tech.ccp.is/latest/swagger.json",
        "https://ESI.evetech.net:443/swagger.json",
        "https://esi.evetech.net/meta/openapi.json?compatibility_date=2026-08-04",
    ],
)
def test_any_address_at_esi_is_the_catalogue(address: str) -> None:
    """Nothing is fetched; positional and by keyword, in one step and in two."""
    two: Any = App.load(address)
    two.prepare()
    one = App.create(address, strict=False)
    for app in (App.create(address), App.create(url=address), two._create_(address), one, two):
        assert (ops.names(), address, ["https"]) == (tuple(app.op), app.url, app.schemes)


def test_the_address_that_the_settings_name_is_esi_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ESI_BASE_URL`` may lead to a sandbox or a proxy."""
    monkeypatch.setenv("ESI_BASE_URL", "http://127.0.0.1:4711")
    assert ops.names() == tuple(App.create("http://127.0.0.1:4711/latest/swagger.json").op)


def test_load_honours_the_hook_and_warns_of_the_rest() -> None:
    """``url_load_hook`` gives the address to read; pyswagger's other keywords have no meaning here."""
    app = App.load("somewhere.json", url_load_hook=lambda url: "https://esi.evetech.net/swagger.json")
    assert (ops.names(), "somewhere.json") == (tuple(app.op), app.url)
    with pytest.warns(UserWarning, match=r"App\.load\(\) ignores getter="):
        App.load("https://esi.evetech.net/swagger.json", getter=None)


def test_apps_are_values_for_caches() -> None:
    """They pickle, and show what they are."""
    for app in (App(), EsiApp()):
        assert tuple(pickle.loads(pickle.dumps(app)).op) == ops.names()
        assert f"of ESI at {ops.COMPATIBILITY_DATE}" in repr(app)


# ---- looking operations up ----

OP = EsiApp().op


@pytest.mark.parametrize(
    "name",
    [
        "get_status", "GetStatus", "status", ("Status", "get_status"), ("get_status",), "Status!##!get_status",
    ],
)  # fmt: skip
def test_an_operation_has_several_names(name: Any) -> None:
    """Old id, new id, an end that only one has, and pyswagger's tag and id."""
    expected = "get_status" if name != "status" else None
    if expected is None:
        with pytest.raises(InvalidCallError, match="is the end of 2 operations: get_meta_status, get_status; give one"):
            OP[name]
    else:
        assert OP[name].name == expected


def test_a_mapping_of_operations() -> None:
    """``keys``, ``items``, ``values``, ``get``, ``in`` and ``len``."""
    assert (225, "<225 operations>") == (len(OP), repr(OP))
    assert list(OP) == list(OP.keys()) == [operation.name for operation in OP.values()]
    assert all(name == operation.name for name, operation in OP.items())
    assert (True, False, False, False) == ("get_status" in OP, "get_everything" in OP, "orders" in OP, "" in OP)
    assert OP.get("get_everything") is None


def test_T51_an_unknown_operation_names_near_ones() -> None:
    """A KeyError whose text is a sentence."""
    with pytest.raises(UnknownOperationError, match="no operation 'get_statuss'; near ones are get_status"):
        OP["get_statuss"]
    with pytest.raises(KeyError, match="no operation 'xyzzyxyzzy'; see `esipy call --list`"):
        OP["xyzzyxyzzy"]
    with pytest.raises(KeyError, match="no operation ''"):
        OP[""]


def test_an_app_and_its_first_call_load_little() -> None:
    """Neither documents, transports nor the table of what is gone; one module of the catalogue."""
    code = (
        "import sys; from esipy import EsiApp; EsiApp().get_latest_swagger.op['get_status']();"
        "print(*sorted(name for name in sys.modules if name.startswith('esipy.')"
        " or name in ('msgspec', 'hashlib', 'asyncio', 'decimal', 'logging')))"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert set() == loaded & {"msgspec", "hashlib", "asyncio", "decimal", "logging", "esipy.cache"}
    assert set() == {name for name in loaded if "documents" in name or "gone" in name or "transport" in name}
    assert {"esipy.ops.status"} == {name for name in loaded if name.startswith("esipy.ops.") and "_index" not in name}


def test_nothing_warns_without_reason() -> None:
    """A program of version 1 that names nothing unknown is told nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EsiApp(cache=None, cache_time=0).get_latest_swagger.op["get_status"](datasource="tranquility")


@pytest.mark.parametrize("end", ["CharacterIdWallet", "character_id_wallet", "CharactersCharacterIdWallet"])
def test_an_end_of_either_id_finds_the_operation(end: str) -> None:
    """Of today's spelling as of version 1's, as long as only one operation ends so."""
    assert EsiApp().op[end].name == "get_characters_character_id_wallet"
