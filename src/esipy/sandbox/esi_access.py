"""Who may call what, and what exists at the date that is asked for.

Rules: no usable token on an operation with a scope is 401; a token without the scope, of another character, of
another corporation or alliance, or without one of the roles is 403. Without a compatibility date the API is as
it was at the oldest; the API's day begins at 11:00 UTC, and a date that has not begun is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from esipy.operation import Operation
from esipy.sandbox.esi_asked import LANGUAGES, TENANTS, Refused
from esipy.sandbox.exchange import Identity, SandboxRequest
from esipy.sandbox.validate import Fault
from esipy.sandbox.world import World, stable

__all__ = ["OLDEST_DATE", "Access", "asked_date", "asked_language", "asked_tenant"]

OLDEST_DATE = "2020-01-01"
_DAY_BEGINS_SECONDS = 11 * 3600

ALL_ROLES = (
    "Director", "Accountant", "Junior_Accountant", "Trader", "Station_Manager", "Factory_Manager", "Project_Manager",
    "Personnel_Manager", "Security_Officer", "Diplomat", "Fitting_Manager", "Communications_Officer",
)  # fmt: skip


class Access:
    """Scopes, ownership and roles.

    A corporation's chief has every role; its other members have some, by seed, and never Director.
    """

    def __init__(self, world: World, *, enforce_roles: bool = True) -> None:
        self._world = world
        self._enforce_roles = enforce_roles
        self._given: dict[int, frozenset[str]] = {}

    def roles(self, character_id: int) -> list[str]:
        """The roles of a character in its corporation, sorted."""
        if character_id in self._given:
            return sorted(self._given[character_id])
        if self._world.ceo_of(self._world.corporation_of(character_id)) == character_id:
            return sorted(ALL_ROLES)
        return sorted(role for role in ALL_ROLES[1:] if stable(self._world.seed, "role", character_id, role) % 3 == 0)

    def set_roles(self, character_id: int, roles: Collection[str]) -> None:
        """Give a character these roles, and no others."""
        self._given[character_id] = frozenset(roles)

    @staticmethod
    def check_token(operation: Operation[Any], request: SandboxRequest) -> None:
        """Let in who has a token that is good for the operation.

        Raises:
            Refused: 401, or 403 when the scope is missing.
        """
        if request.token_error is not None:
            raise Refused(401, f"token is {request.token_error}", headers=[("WWW-Authenticate", "Bearer")])
        if operation.scope is None:
            return
        if request.identity is None:
            raise Refused(401, "authorization is required", headers=[("WWW-Authenticate", "Bearer")])
        if operation.scope not in request.identity.scopes:
            raise Refused(403, f"token is not valid for scope {operation.scope}")

    def check_owner(self, operation: Operation[Any], identity: Identity | None, values: dict[str, Any]) -> None:
        """Let in whose character, corporation or alliance is asked about, and who has one of the roles.

        Raises:
            Refused: 403.
        """
        if operation.scope is None or identity is None:
            return
        self._check_owned(operation, identity, values)
        if self._enforce_roles and operation.roles:
            held = set(self.roles(identity.character_id))
            if "Director" not in held and not held.intersection(operation.roles):
                raise Refused(403, f"character does not have one of the required roles: {', '.join(operation.roles)}")

    def _check_owned(self, operation: Operation[Any], identity: Identity, values: dict[str, Any]) -> None:
        corporation = self._world.corporation_of(identity.character_id)
        owned = {
            "character_id": identity.character_id,
            "corporation_id": corporation,
            "alliance_id": self._world.alliance_of(corporation),
        }
        for parameter in operation.parameters:
            mine = owned.get(parameter.name)
            if parameter.where == "path" and parameter.name in owned and values[parameter.name] != mine:
                what = parameter.name.removesuffix("_id")
                raise Refused(403, f"token does not speak for this {what}")


def asked_date(request: SandboxRequest, now: float) -> str:
    """The compatibility date of a request; the oldest when it names none.

    Raises:
        Refused: 400, it is no date, not yet begun, or before the oldest.
    """
    named = request.headers.get("x-compatibility-date")
    location = "header.X-Compatibility-Date"
    if named is None:
        named = next((value for name, value in request.query if name == "compatibility_date"), OLDEST_DATE)
        location = "query.compatibility_date"
    try:
        valid = date.fromisoformat(named).isoformat() == named
    except ValueError:
        valid = False
    if not valid:
        raise Refused(400, "invalid compatibility date", [Fault(location, "expected YYYY-MM-DD", named)])
    if named > today(now):
        raise Refused(400, "compatibility date is in the future", [Fault(location, f"today is {today(now)}", named)])
    if named < OLDEST_DATE:
        raise Refused(400, "compatibility date is too old", [Fault(location, f"the oldest is {OLDEST_DATE}", named)])
    return named


def today(now: float) -> str:
    """The API's day, which begins at 11:00 UTC."""
    return datetime.fromtimestamp(now - _DAY_BEGINS_SECONDS, UTC).date().isoformat()


def asked_tenant(request: SandboxRequest) -> str:
    """The server that is asked; Tranquility when none is named.

    Raises:
        Refused: 400.
    """
    named = [(f"query.{name}", value) for name, value in request.query if name in ("tenant", "datasource")]
    if "x-tenant" in request.headers:
        named.insert(0, ("header.X-Tenant", request.headers["x-tenant"]))
    for location, tenant in named:
        if tenant not in TENANTS:
            raise Refused(400, "unknown tenant", [Fault(location, f"expected one of {', '.join(TENANTS)}", tenant)])
    return named[0][1] if named else TENANTS[0]


def asked_language(request: SandboxRequest) -> str:
    """The language of the answer: the known one that is wanted most, else English (RFC 9110 section 12.5.4).

    The older API's ``language`` goes before the header, as that document said: version 1 sends both.
    """
    old = next((value for name, value in request.query if name == "language"), "")
    wanted: list[tuple[float, str]] = []
    for part in (old or request.headers.get("accept-language", "")).split(","):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        wanted.append((-quality, tag.strip().lower().split("-")[0]))
    ranked = [language for quality, language in sorted(wanted, key=lambda one: one[0]) if quality < 0]
    return next((language for language in ranked if language in LANGUAGES), LANGUAGES[0])
