"""How the programs of ``programs/`` are run: each in a process of its own, against a sandbox of its own.

A program learns where ESI and the SSO are from its environment (``programs/config.py``), in the way that programs of
those days had: addresses of documents. ``ESI_BASE_URL`` and ``ESI_SSO_URL`` mean nothing to version 1; they lead this
library to the sandbox where a program names no address.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import esipy
from benchmarks.environments import Environment, child_environment
from esipy.sandbox import RunningSandbox, serve
from esipy.testing import environment

__all__ = ["HERE", "PROGRAMS", "expected", "expected_file", "run_ours", "run_version1"]

HERE = Path(__file__).resolve().parent
TIME_LIMIT_SECONDS = 600
"""What takes longer hangs: version 1 itself takes two minutes where five others want its core."""
KID = "JWT-Signature-Key"
"""The id of the real SSO's first key, which version 1 looks for."""

WARNING = {"Warning": '299 - "This route is deprecated"', "Content-Type": "application/json"}


def a_bad_day(server: RunningSandbox) -> None:
    """What the program on errors meets."""
    server.fail("/status", None, status=502)
    server.fail("/universe/regions", None, status=503, headers={"Content-Type": "text/html"}, body="<html>Down</html>")
    server.fail("/incursions", 2, status=503)
    server.fail("/markets/prices", None, status=504)
    server.fail("/wars", None, method="HEAD", status=500)
    server.fail("/insurance/prices", None, status=200, headers=WARNING, body="[]")


def a_bad_page(server: RunningSandbox) -> None:
    """One page of a market fails once."""
    server.fail("/markets/10000043/orders", 1, method="GET", query={"page": "2"}, status=502)


PROGRAMS: dict[str, Callable[[RunningSandbox], None] | None] = {
    "asset_tool": None,
    "celery_tasks": None,
    "contract_watcher": None,
    "corporation_auth": None,
    "desktop_pkce": None,
    "discord_bot": None,
    "error_handling": a_bad_day,
    "fittings_manager": None,
    "flask_login_site": None,
    "mail_robot": None,
    "market_scanner": a_bad_page,
    "meta_app": None,
    "name_resolver": None,
    "planet_report": None,
    "route_planner": None,
    "telemetry": None,
    "waitlist": None,
    "wallet_exporter": None,
}
"""Every program, and what its sandbox is told before."""


def run_ours(name: str, *, untold: Collection[str] = ()) -> list[str]:
    """What a program prints on this library.

    Args:
        name: the program's.
        untold: environment variables that are kept from it.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    source = str(Path(esipy.__file__).parent.parent)
    return _run(name, [sys.executable], {"PYTHONPATH": source}, untold)


def run_version1(name: str, version1: Environment) -> list[str]:
    """What a program prints on EsiPy 1.2.3; see `run_ours`."""
    return _run(name, [str(version1.python), str(HERE / "launch_version1.py")], {})


def expected_file(name: str) -> Path:
    """Where it is written what a program prints on EsiPy 1.2.3."""
    return HERE / "expected" / f"{name}.txt"


def expected(name: str) -> list[str]:
    """What a program prints on EsiPy 1.2.3, as it was recorded."""
    return expected_file(name).read_text(encoding="utf-8").splitlines()


def _run(name: str, command: list[str], variables: dict[str, str], untold: Collection[str] = ()) -> list[str]:
    with serve(first_kid=KID) as server:
        prepare = PROGRAMS[name]
        if prepare is not None:
            prepare(server)
        told = {variable: value for variable, value in _addresses(server).items() if variable not in untold}
        done = subprocess.run(
            [*command, str(HERE / "programs" / f"{name}.py")],
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=TIME_LIMIT_SECONDS,
            env={**child_environment(), **variables, **told, "PYTHONIOENCODING": "utf-8"},
        )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    # A token of 1199 s has 1198 left when a second begins before the program is told of it.
    return re.sub(r"(Bearer,? )119[0-8]\b", r"\g<1>1199", done.stdout).splitlines()


def _addresses(server: RunningSandbox) -> dict[str, str]:
    logins = [
        {
            "character_id": character.character_id,
            "name": character.name,
            "refresh_token": server.login(character.character_id)["refresh_token"],
        }
        for character in server.sandbox.roster
    ]
    return {
        **environment(server),
        "ESI_SWAGGER_JSON": f"{server.url}/latest/swagger.json?datasource=tranquility",
        "ESI_META_JSON": f"{server.url}/swagger.json",
        "SSO_METADATA": f"{server.sso_url}/.well-known/oauth-authorization-server",
        "ESI_CLIENT_ID": server.client_id,
        "ESI_SECRET_KEY": server.secret_key or "",
        "ESI_DESKTOP_CLIENT_ID": "sandbox-demo-pkce",
        "ESI_CALLBACK": server.redirect_uri,
        "ESI_LOGINS": json.dumps(logins),
    }
