"""A simulated ESI with a clock that tests move, and calls to it."""

from __future__ import annotations

from typing import Any

from esipy import ops
from esipy.core.wire import HttpRequest, HttpResponse
from esipy.runtime.simulated import Working
from esipy.simulation import SimulatedEsi, token_for

NOON = 1_785_844_800.0
HERO = 2112000001

NOTIFICATIONS = "/characters/{me}/notifications"
WALLET = "/characters/{me}/wallet"
ORDERS = "/characters/{me}/orders"  # of no group


class World:
    """The server and its clock; it may take no time for an answer unless asked to."""

    def __init__(self, **options: Any) -> None:
        self.now = NOON
        self.esi = SimulatedEsi(lambda: self.now, **options)

    def ask(
        self, path: str, token: str | None = None, method: str = "GET", headers: tuple[tuple[str, str], ...] = ()
    ) -> HttpResponse:
        """One exchange that takes no time."""
        signed = () if token is None else (("Authorization", f"Bearer {token}"),)
        answer = self.esi(HttpRequest(method, f"https://esi.evetech.net{path}", (*headers, *signed)))
        while isinstance(answer, Working):
            self.now += answer.seconds
            answer = answer.finish()
        return answer

    def mine(self, path: str, character_id: int = HERO, app: str = "app") -> HttpResponse:
        """One exchange with a character's token; ``{me}`` is the character."""
        return self.ask(path.format(me=character_id), token_for(app, character_id))


def path_of(name: str) -> str:
    """An operation's path, with some number for each parameter."""
    path = ops.operation(name).path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + "5" + rest.partition("}")[2]
    return path
