"""Settings: what can be meant is taken, what cannot is refused with its name."""

from __future__ import annotations

import copy
import datetime
import math
import os
import pickle
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from esipy import ops, settings
from esipy.exceptions import SettingError
from esipy.security import AsyncEsiSecurity, EsiSecurity
from esipy.settings import CATALOGUE_DATE, LANGUAGES, Settings, api_day
from esipy.testing import sandbox

DOCS = Path(__file__).parents[1] / "docs" / "settings.md"
BEFORE_THE_CATALOGUE = datetime.date(2026, 1, 1)

GOOD: list[tuple[str, Any, Any]] = [
    # keyword, given, kept
    ("base_url", "http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
    ("base_url", "https://esi.evetech.net/", "https://esi.evetech.net"),
    ("base_url", "https://proxy.example/esi.evetech.net/latest/", "https://proxy.example/esi.evetech.net/latest"),
    ("base_url", "HTTPS://ESI.EveTech.net:443", "https://esi.evetech.net"),
    ("base_url", "http://[::1]:8200/Proxy/", "http://[::1]:8200/Proxy"),
    ("sso_url", "http://[::1]:80", "http://[::1]:80"),
    ("compatibility_date", "2025-12-16", "2025-12-16"),
    ("compatibility_date", datetime.date(2025, 12, 16), "2025-12-16"),
    ("tenant", " singularity ", "singularity"),
    ("language", "ko", "ko"),
    ("user_agent", "Prüfer/1.0 (me@example.com)", "Prüfer/1.0 (me@example.com)"),
    ("timeout", 1, 1.0),
    ("timeout", "0.5", 0.5),
    ("connect_timeout", 3, 3.0),
    ("max_answer_bytes", 1, 1),
    ("max_wait", 0, 0.0),
    ("max_wait", "90", 90.0),
    ("max_wait", math.inf, math.inf),
    ("max_wait", "inf", math.inf),
    ("stale_if_error", math.inf, math.inf),
    ("freshness_floor", "1.5", 1.5),
    ("cache_bytes", "1024", 1024),
]

BAD: list[tuple[str, Any]] = [
    *[
        (name, value)
        for name in ("base_url", "sso_url")
        for value in (
            "", "esi.evetech.net", "https://", "http:///path", "ftp://host", "https://h:port", "https://h:99999",
            "https://[::1", "https://h/?a=1", "https://h/?", "https://h#a", "https://h\n", "https://h h", 5,
        )
    ],
    *[
        ("compatibility_date", value)
        for value in ("2026-02-30", "2026-1-1", "20260101", "soon", "", 5, "２０２６-01-01", "2999-01-01",
                      datetime.datetime(2026, 1, 1))
    ],
    *[(name, value) for name in ("tenant", "user_agent") for value in ("", " ", "a\nb", "a\r\nX-Evil: b", "a\0b", 5)],
    *[("language", value) for value in ("EN", "it", "", 5)],
    *[
        (name, value)
        for name in ("timeout", "connect_timeout")
        for value in (0, -1, "soon", "", "nan", "inf", float("nan"), True, [], 10**400)
    ],
    *[("max_wait", value) for value in (-1, "-0.5", "soon", "nan", "-inf", False, {})],
    *[("freshness_floor", value) for value in (-1, "soon", "inf", math.inf, True)],
    *[
        (name, value)
        for name in ("max_answer_bytes", "cache_bytes")
        for value in (0, -1, 1.5, "1.5", "-1", "1 MiB", "", True, "²")
    ],
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "kept"), GOOD)
def test_what_can_be_meant_is_taken(name: str, given: Any, kept: Any) -> None:
    """In its own type, and in one spelling."""
    value = getattr(Settings(**{name: given}), name)
    assert (kept, type(kept)) == (value, type(value))


@pytest.mark.parametrize(("name", "value"), BAD)
def test_what_cannot_be_meant_is_refused_with_its_keyword(name: str, value: Any) -> None:
    """Each bad value of each setting: SettingError, a ValueError, that begins with the name."""
    with pytest.raises(SettingError, match=f"^{name}=") as raised:
        Settings(**{name: value})
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(("name", "value"), [row for row in BAD if isinstance(row[1], str) and row[1]])
def test_what_cannot_be_meant_is_refused_with_its_variable(name: str, value: str) -> None:
    """From the environment, the text names the variable, even where a keyword would win."""
    with pytest.raises(SettingError, match=f"^ESI_{name.upper()}="):
        Settings.from_environment({f"ESI_{name.upper()}": value})
    with pytest.raises(SettingError, match=f"^ESI_{name.upper()}="):
        Settings.from_environment({f"ESI_{name.upper()}": value}, **{name: getattr(Settings(), name)})


@pytest.mark.parametrize("url", ["https://me:secret@host", "ftp://me:secret@host", "https://:secret@host/?a"])
def test_T44_a_password_in_a_url_is_refused_and_not_shown(url: str) -> None:
    """The error names the setting, and not what was in it."""
    with pytest.raises(SettingError, match="without user") as raised:
        Settings(base_url=url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("path", ["/latest", "/latest/", "/v1", "/dev/", "/legacy", "/v3/universe", "/ui", "//latest"])
@pytest.mark.parametrize("origin", ["https://esi.evetech.net", "http://ESI.evetech.net:80"])
def test_a_version_in_the_address_of_ESI_is_refused(origin: str, path: str) -> None:
    """Version 1 called ``/latest/...``, where every call would now be 404; the text says what to write."""
    with pytest.raises(SettingError) as refused:
        Settings(base_url=origin + path)
    assert str(refused.value) == (
        f"base_url={origin + path!r}: has to be https://esi.evetech.net alone: its addresses have no version such as "
        "/latest or /v1 any more"
    )
    with pytest.raises(SettingError, match=r"^ESI_BASE_URL=.*: has to be https://esi\.evetech\.net alone"):
        Settings.from_environment({"ESI_BASE_URL": origin + path})


def test_an_unknown_setting_is_refused() -> None:
    """With the names there are."""
    with pytest.raises(SettingError, match=r"^unknown setting 'time_out'; there are base_url, .*timeout"):
        Settings(time_out=5)


def test_defaults_then_environment_then_keywords() -> None:
    """The last wins; None as keyword and nothing as variable count as not given."""
    environment = {"ESI_TIMEOUT": "20", "ESI_TENANT": "a", "ESI_LANGUAGE": "", "OTHER": "x"}
    made = Settings.from_environment(environment, tenant="b", timeout=None, user_agent=None)
    assert ("b", 20.0, "en", None) == (made.tenant, made.timeout, made.language, made.user_agent)


def test_without_an_environment_it_is_the_process_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """``os.environ``, as it is at that moment."""
    for name in [name for name in os.environ if name.startswith("ESI_")]:
        monkeypatch.delenv(name)
    assert Settings.from_environment().tenant == "tranquility"
    monkeypatch.setenv("ESI_TENANT", "singularity")
    assert Settings.from_environment().tenant == "singularity"


def test_settings_are_frozen() -> None:
    """Nothing of them can be set or deleted; ``replace`` gives others, and checks them."""
    made = Settings(timeout=5)
    for change in (lambda: setattr(made, "timeout", 6.0), lambda: delattr(made, "timeout")):
        with pytest.raises(AttributeError, match="frozen"):
            change()
    other = made.replace(tenant="x")
    assert (5.0, "tranquility", 5.0, "x") == (made.timeout, made.tenant, other.timeout, other.tenant)
    with pytest.raises(SettingError, match=r"^timeout="):
        made.replace(timeout=-1)


def test_settings_can_be_pickled_and_copied() -> None:
    """So that a worker process can be given them."""
    made = Settings(timeout=5, base_url="http://127.0.0.1:1")
    for other in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert repr(made) == repr(other)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-08-04T10:59:59+00:00", datetime.date(2026, 8, 3)),
        ("2026-08-04T11:00:00+00:00", datetime.date(2026, 8, 4)),
        ("2026-08-04T23:59:59+00:00", datetime.date(2026, 8, 4)),
    ],
)
def test_the_api_day_begins_at_eleven(moment: str, day: datetime.date) -> None:
    """11:00 UTC, at downtime."""
    assert day == api_day(datetime.datetime.fromisoformat(moment).timestamp())


def test_a_date_to_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """ESI refuses it too; the day is the API's, and the text says which it is."""
    monkeypatch.setattr(settings, "api_day", lambda now: datetime.date(2027, 1, 1))
    assert Settings(compatibility_date="2027-01-01").compatibility_date == "2027-01-01"
    with pytest.raises(SettingError, match="2027-01-01 there"):
        Settings(compatibility_date="2027-01-02")


def test_T06_the_catalogue_date_is_never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is behind still starts, and takes any date up to the catalogue's."""
    monkeypatch.setattr(settings, "api_day", lambda now: BEFORE_THE_CATALOGUE)
    assert CATALOGUE_DATE == Settings().compatibility_date
    for text in (CATALOGUE_DATE, "2026-03-01"):
        assert text == Settings(compatibility_date=text).compatibility_date
    after = datetime.date.fromisoformat(CATALOGUE_DATE) + datetime.timedelta(days=1)
    with pytest.raises(SettingError, match=r"^compatibility_date="):
        Settings(compatibility_date=after)


def test_the_catalogue_date_is_the_catalogue_s() -> None:
    """Written down twice so that settings need not load the catalogue, and here compared."""
    assert ops.COMPATIBILITY_DATE == CATALOGUE_DATE


def rows(text: str) -> list[list[str]]:
    """The cells of each line of a table that begins with a name in code."""
    cells = [[cell.strip(" `") for cell in re.split(r"\s{2,}|\|", line.strip("| "))] for line in text.splitlines()]
    return [row for row, line in zip(cells, text.splitlines(), strict=True) if re.match(r"(\| )?`+[a-z_]+`", line)]


@pytest.mark.parametrize("table", [settings.__doc__, pytest.param(None, id="docs/settings.md")])
def test_the_tables_are_the_code(table: str | None) -> None:
    """In the module's docstring and in the documentation: every setting in order, its variable, its default."""
    found = rows(table or DOCS.read_text("utf-8"))
    defaults = Settings()
    assert list(Settings.__slots__) == sorted(row[0] for row in found)
    for name, variable, default, *_ in found:
        value = getattr(defaults, name)
        assert f"ESI_{name.upper()}" == variable
        if value is None:
            assert default.startswith("none")
        else:
            assert (f"{value:g}" if isinstance(value, float) else str(value)) == default.split()[0].rstrip("`:")


def test_languages_are_told() -> None:
    """The docstring's languages are those that are taken."""
    assert " ".join(LANGUAGES) in (settings.__doc__ or "")
    assert list(LANGUAGES) == [Settings(language=language).language for language in LANGUAGES]


def test_the_keywords_that_editors_offer_are_the_settings() -> None:
    """Each is offered by the clients and by logins; those name ``timeout`` among their own arguments."""
    from esipy._keywords import LoginKeywords, SettingKeywords

    assert set(Settings.__slots__) == set(LoginKeywords.__annotations__)
    assert set(Settings.__slots__) - {"timeout"} == set(SettingKeywords.__annotations__)


@pytest.mark.parametrize("made_by", [EsiSecurity.__init__, AsyncEsiSecurity.__init__, sandbox])
def test_what_editors_offer_is_there_at_run_time_too(made_by: Any) -> None:
    """For frameworks that read the annotations of what they are to make, such as injectors of dependencies."""
    assert "return" in get_type_hints(made_by)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("base_url", "https://esi.evetech.net"),
        ("sso_url", "https://login.eveonline.com"),
        ("ESI_SSO_URL", "https://login.eveonline.com"),
    ],
)
def test_a_url_is_asked_for_with_an_example_of_its_own(name: str, example: str) -> None:
    """The SSO's is no ESI's."""
    environment = {name: "evetech.net"} if name.isupper() else {}
    keywords = {} if name.isupper() else {name: "evetech.net"}
    with pytest.raises(SettingError) as refused:
        Settings.from_environment(environment, **keywords)
    assert f"{name}='evetech.net': has to be a URL with a host, such as {example}" == str(refused.value)
