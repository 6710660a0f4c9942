"""Programs in the manner of version 1's days run on this library as they ran on EsiPy 1.2.3.

``expected/`` holds what each prints there; ``python -m tests.version1.record`` writes it anew. `DIFFERENCES` is all
that may differ here, with the reason.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from benchmarks.environments import Environment
from tests.version1.programs_kit import HERE, PROGRAMS, expected, run_ours, run_version1
from tests.version1.version1_kit import Unavailable, version1


class Difference(NamedTuple):
    """A line that version 1 prints, the one that this library prints in its place, and why."""

    version1: str
    ours: str
    reason: str


DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "corporation_auth": (
        Difference(
            "two scopes: 400",
            "two scopes: ['esi-characters.read_corporation_roles.v1', 'esi-skills.read_skills.v1']",
            "T46: version 1 joined scopes by '+' and then encoded them, so that the SSO refused more than one",
        ),
        Difference(
            "director: True roles: 12 ",
            "director: True roles: 12 []",
            "an array is a list, and its text a list's; version 1 wrote the items joined by commas",
        ),
    ),
    "desktop_pkce": (
        Difference(
            "params: ['client_id', 'code_verifier', 'grant_type', 'refresh_token']",
            "params: ['client_id', 'grant_type', 'refresh_token']",
            "the verifier belongs to the code, not to a refresh (RFC 7636, section 4.5): it is not sent again",
        ),
    ),
    "discord_bot": (
        Difference(
            "!wallet failed: 400",
            "Tarik Castell: 566,490,788.18 ISK",
            "an answer that is still fresh is given from the cache, and for that no token has to be refreshed",
        ),
    ),
    "telemetry": (
        Difference(
            "own signal: [['elapsed_time', 'message', 'status_code', 'url'], "
            "['elapsed_time', 'message', 'status_code', 'url']]",
            "own signal: [['attempt', 'elapsed_time', 'message', 'method', 'operation_id', 'principal', 'status_code', "
            "'url'], ['attempt', 'elapsed_time', 'message', 'method', 'operation_id', 'principal', 'status_code', "
            "'url']]",
            "signals say more; a receiver is given what its parameters ask for, so this one, which takes all, sees it",
        ),
    ),
}


def expected_here(name: str) -> list[str]:
    lines = expected(name)
    for difference in DIFFERENCES.get(name, ()):
        assert 1 == lines.count(difference.version1), f"{name}: version 1 does not print {difference.version1!r} once"
        lines[lines.index(difference.version1)] = difference.ours
    return lines


def test_every_program_is_run() -> None:
    """Each file of ``programs/`` that can be run is in the list, and has a recorded output."""
    runnable = {path.stem for path in (HERE / "programs").glob("*.py") if "__main__" in path.read_text()}
    assert runnable == set(PROGRAMS)
    assert runnable == {path.stem for path in (HERE / "expected").glob("*.txt")}
    assert len(PROGRAMS) >= 12


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_version_1_runs_unchanged(name: str) -> None:
    """It prints here, line by line, what it printed on EsiPy 1.2.3, but for the listed differences."""
    assert expected_here(name) == run_ours(name)


# The gatekeeper asks the SSO by itself: with EVE's own addresses it would leave this machine.
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "corporation_auth"])
def test_a_program_that_names_eves_own_addresses_does_the_same(name: str) -> None:
    """ESI's and the SSO's addresses, which most programs have in their source, mean the catalogue and the settings."""
    assert expected_here(name) == run_ours(name, untold=("ESI_SWAGGER_JSON", "ESI_META_JSON", "SSO_METADATA"))


@pytest.mark.parametrize("name", ["contract_watcher", "name_resolver", "telemetry"])
def test_a_public_program_does_the_same_with_a_document_of_another_host(name: str) -> None:
    """Where the settings do not say that the sandbox is ESI, its Swagger 2.0 document is read like any other API's."""
    assert expected_here(name) == run_ours(name, untold=("ESI_BASE_URL",))


@pytest.fixture(scope="module")
def environment() -> Environment:
    """Where EsiPy 1.2.3 is installed."""
    try:
        return version1()
    except Unavailable as unavailable:
        pytest.skip(f"no version 1 on Python {sys.version_info.major}.{sys.version_info.minor}: {unavailable}")


@pytest.mark.version1
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_recorded_output_is_version_1s(name: str, environment: Environment) -> None:
    """EsiPy 1.2.3 itself, on the sandbox's Swagger documents, prints what was recorded.

    It takes some seconds a program, which version 1 needs to read a document: ``-m "not version1"`` leaves it out.
    """
    assert expected(name) == run_version1(name, environment)
