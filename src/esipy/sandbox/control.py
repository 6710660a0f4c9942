"""The control interface under ``/_sandbox/``: what a test in another process may do to the sandbox.

Rules: JSON in, JSON out; GET looks, POST changes; a mistake answers 400 with ``{"error": text}``. The sandbox
serves loopback only, and so does this. `ControlClient` in `esipy.sandbox.remote` speaks it; docs/sandbox.md is its
reference.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from esipy.sandbox.answers import json_answer
from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.verbs import Verbs

if TYPE_CHECKING:
    from esipy.sandbox.app import Sandbox

__all__ = ["VERBS", "Control"]

_PREFIX = "/_sandbox/"


class Control:
    """Answers the requests under ``/_sandbox/``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._verbs = Verbs(sandbox)
        self._looks: dict[str, Callable[[dict[str, str]], Awaitable[Any]]] = {
            "about": self._about,
            "characters": self._characters,
            "received": self._received,
        }

    async def handle(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer one request."""
        name = request.path.removeprefix(_PREFIX)
        # Only browsers send Origin: no web page that is open on this machine may drive the sandbox.
        if "origin" in request.headers:
            return json_answer({"error": "the control interface is not for web pages"}, 403)
        try:
            if request.method in ("GET", "HEAD") and name in self._looks:
                return json_answer(await self._looks[name](dict(request.query)))
            if request.method == "POST" and name in VERBS:
                arguments = json.loads(request.body or b"{}")
                if not isinstance(arguments, dict):
                    raise ValueError("the body has to be a JSON object")
                return json_answer({"result": getattr(self._verbs, name)(**arguments)})
        except (KeyError, TypeError, ValueError) as error:
            return json_answer({"error": str(error.args[0]) if error.args else str(error)}, 400)
        if name in VERBS or name in self._looks:
            return json_answer({"error": f"{name} is asked with {'POST' if name in VERBS else 'GET'}"}, 405)
        known = ", ".join(sorted([*VERBS, *self._looks]))
        return json_answer({"error": f"the control interface has no {name!r}: it has {known}"}, 404)

    async def _about(self, query: dict[str, str]) -> dict[str, Any]:
        del query
        sandbox = self._sandbox
        return {
            "url": sandbox.url,
            "seed": sandbox.seed,
            "now": sandbox.clock.now(),
            "offset_seconds": sandbox.clock.offset_seconds,
            "token_lifetime_seconds": sandbox.tokens.lifetime_seconds,
            "rotate_refresh_tokens": sandbox.tokens.rotate_refresh_tokens,
            "clients": [
                {"client_id": client.client_id, "secret_key": client.secret, "redirect_uris": client.redirect_uris}
                for client in sandbox.clients.values()
            ],
            "characters": len(sandbox.roster),
            "limits": {
                **sandbox.limits.settings(),
                "daily_downtime_seconds": sandbox.downtime.daily_seconds,
                "reorder_share": sandbox.reordering.share,
            },
            "faults": [fault.kind for fault in sandbox.faults.planned],
        }

    async def _characters(self, query: dict[str, str]) -> list[dict[str, Any]]:
        roster = self._sandbox.roster
        first, limit = int(query.get("first", 0)), int(query.get("limit", 100))
        return [asdict(roster.get(character_id)) for character_id in roster.ids[first : first + limit]]

    async def _received(self, query: dict[str, str]) -> list[dict[str, Any]]:
        journal = self._sandbox.journal
        path, method = query.get("path"), query.get("method")
        times = int(query.get("times", 0))
        self._sandbox.refuse_vain(path)
        if times:
            came = asyncio.wrap_future(journal.when(lambda: len(journal.received(path, method)) >= times))
            # What has not come in time is seen in the answer; the asker decides whether that is an error.
            await asyncio.wait([came], timeout=float(query.get("timeout", 10)))
            came.cancel()
        return [entry.as_dict() for entry in journal.received(path, method)]


VERBS = frozenset(name for name in dir(Verbs) if not name.startswith("_"))
