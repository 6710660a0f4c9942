"""The sandbox's ESI: one request in, one answer out.

Rules: `answer`, `_route` and `_reply` check in the order in which they read: downtime, error limit, route, method,
rate limit, tenant, date, token, parameters, owner. The data come from a handler of the operation, or are made up from
its type. Bodies of GETs are kept in a bounded cache.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from esipy import ops
from esipy.operation import Operation
from esipy.sandbox.answers import JSON
from esipy.sandbox.characters import Roster
from esipy.sandbox.clock import Clock
from esipy.sandbox.esi_access import Access, asked_date, asked_language, asked_tenant
from esipy.sandbox.esi_asked import Asked, Handler, Refused, Reply
from esipy.sandbox.esi_downtime import Downtime
from esipy.sandbox.esi_freshness import Changes, Moment, etag_of, freshness_headers, has_it
from esipy.sandbox.esi_limits import Limits
from esipy.sandbox.esi_lists import Generic
from esipy.sandbox.esi_meta import OPENAPI, meta_handlers
from esipy.sandbox.esi_routes import Match, Router
from esipy.sandbox.esi_values import moment as formatted
from esipy.sandbox.esi_versions import Lists
from esipy.sandbox.exchange import SandboxAnswer, SandboxRequest
from esipy.sandbox.state import state_handlers
from esipy.sandbox.state_mail import STRANGER, Mail
from esipy.sandbox.swagger2 import Documents, exists
from esipy.sandbox.swagger2_route import OLD_ROUTE, old_route
from esipy.sandbox.validate import Invalid, check_parameters
from esipy.sandbox.world import World, stable
from esipy.sandbox.world_answers import world_handlers
from esipy.sandbox.world_map import map_handlers
from esipy.sandbox.world_market import market_handlers

__all__ = ["EsiApi"]


class _Body(NamedTuple):
    raw: bytes
    etag: str
    pages: int | None
    status: int


class EsiApi:
    """ESI, played from the catalogue's facts.

    Args:
        seed: the same seed gives the same data.
        clock: what time it is in the sandbox.
        roster: who can log in.
        enforce_roles: operations that need a corporation role answer 403 to those who have none of them.
        enforce_limits: spent rate limits answer 429, the error limit 420; without it they are only told.
        limits: the ledgers, with a switch of their own; None makes some.
        downtime: when the game is down; None: never, until told.
        max_lifetime_seconds: no answer is fresh for longer; None: as the catalogue says.
        mail_every_seconds: how often a mail arrives at each character whose mail was asked for; None: never by itself.
        cache_bytes: how many bytes of bodies are kept.

    Attributes:
        changes: when the data at each path changed; `bump` is the way in.
        lists: what is done to lists, and their versions.
        mail: all mailboxes.
        limits: what was spent.
        downtime: when the game is down.
        cached_bytes: how many bytes of bodies are kept now.
    """

    def __init__(
        self,
        seed: int,
        clock: Clock,
        roster: Roster,
        *,
        enforce_roles: bool = True,
        enforce_limits: bool = True,
        limits: Limits | None = None,
        downtime: Downtime | None = None,
        max_lifetime_seconds: int | None = None,
        mail_every_seconds: float | None = None,
        cache_bytes: int = 128 * 2**20,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.world = World(seed, roster)
        self.access = Access(self.world, enforce_roles=enforce_roles)
        self.limits = limits or Limits(seed, enforce=enforce_limits)
        self.downtime = downtime or Downtime()
        self.changes = Changes(clock, max_lifetime_seconds)
        operations = list(ops.operations())
        self._router = Router([*operations, OPENAPI, OLD_ROUTE])
        self._documents = Documents()
        self._generic = Generic(self.world)
        self.mail = Mail(self.world, self.changes.touch, clock.now(), mail_every_seconds)
        state = state_handlers(self.world, self._generic, self.changes.touch, self.mail)
        self._handlers: dict[str, Handler] = {
            **market_handlers(),
            **world_handlers(self.world, self._generic, self.access),
            **map_handlers(self.world, self._generic),
            **meta_handlers(operations),
            **state,
        }
        self._handlers["get_status"] = self._status_after(self._handlers["get_status"])
        self._handlers[OLD_ROUTE.name] = old_route(self._handlers["post_route"])
        self.lists = Lists(self.world, clock, self._router, self.changes, self._generic, self._handlers, written=state)
        self._bodies: OrderedDict[tuple[Any, ...], _Body] = OrderedDict()
        self._cache_bytes = cache_bytes
        self.cached_bytes = 0
        self._requests = 0

    async def handle(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer one request."""
        return self.answer(request)

    def bump(self, path: str) -> None:
        """Change the data at a path (without query; any page of a list is the list) now.

        Raises:
            ValueError: no operation has this path.
        """
        self.lists.bump(path)

    def set_roles(self, character_id: int, roles: Collection[str]) -> None:
        """Give a character these corporation roles, and no others."""
        self.access.set_roles(character_id, roles)
        self.changes.touch(f"/characters/{character_id}/roles")
        self.changes.touch(f"/corporations/{self.world.corporation_of(character_id)}/roles")

    def send_mail(self, recipient: int, subject: str, body: str = "", sender: int = STRANGER) -> int:
        """Let a mail arrive at a character now; gives its id."""
        with self.lists.lock:
            to = [{"recipient_id": recipient, "recipient_type": "character"}]
            return self.mail.send(sender, to, subject, body, self.clock.now())

    def answer(self, request: SandboxRequest) -> SandboxAnswer:
        """Answer one request; `handle` for callers without an event loop."""
        self._requests += 1
        operation: Operation[Any] | None = None
        now = self.clock.now()
        down = self.downtime.answer(now)
        if down is not None:
            return down
        silent = False
        try:
            self.limits.check_errors(now)
            answer = self._documents.answer(request, now)
            if answer is None:
                match, operation = self._route(request)
                self.limits.check(operation, request.identity, now)
                answer = self._reply(request, match, operation)
        except Invalid as invalid:
            answer = _error(Refused(invalid.status, "request is not valid", invalid.faults))
        except Refused as refused:
            answer, silent = _error(refused), refused.silent
        told = self.limits.charge(operation, request.identity, answer.status, self.clock.now())
        # The limiter inside the game server knows nothing of the groups; the error limit stands before it.
        answer.headers.extend(() if silent and operation is not None and operation.group is not None else told)
        answer.headers.append(("X-Request-ID", f"{stable(self.seed, self._requests):016x}"))
        return answer

    def _route(self, request: SandboxRequest) -> tuple[Match, Operation[Any]]:
        match = self._router.match(request.path)
        if match is None:
            raise Refused(404, "no route has this path")
        operation = match.methods.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            allowed = ", ".join(sorted(match.methods))
            raise Refused(405, f"method {request.method} is not allowed", headers=[("Allow", allowed)])
        return match, operation

    def _reply(self, request: SandboxRequest, match: Match, operation: Operation[Any]) -> SandboxAnswer:
        now = self.clock.now()
        tenant = asked_tenant(request)
        if not exists(operation, asked_date(request, now), old=match.old):
            raise Refused(404, f"this route exists from compatibility date {operation.since}")
        self.access.check_token(operation, request)
        values = check_parameters(operation, match.values, request.query, request.body, old=match.old)
        self.access.check_owner(operation, request.identity, values)
        with self.lists.lock:
            self.mail.arrive(now)
            moment = self.changes.moment(operation, match.path)
            edits, manner = self.lists.known(match.path)
            asked = Asked(
                operation, match.path, values, self.world, now, moment.generation + moment.bumps, moment.bumps,
                request.identity, asked_language(request) if operation.localized else "en", tenant, edits, manner,
            )  # fmt: skip
            if operation.method != "GET":
                return self._written(asked, moment)
            answer = self._read(request, asked, self.lists.modified(asked, moment))
            self.lists.answered(match.path)
            return answer

    def _written(self, asked: Asked, moment: Moment) -> SandboxAnswer:
        reply = self._handlers.get(asked.operation.name, self._generic.reply)(asked)
        if reply.status == 204:
            return SandboxAnswer(204)
        body = reply.body()
        headers = [JSON]
        if asked.operation.cacheable or asked.operation.cache_mode == "not-cached":
            headers += freshness_headers(asked.operation, moment, etag_of(body), asked.now)
        return SandboxAnswer(reply.status, headers, body)

    def _read(self, request: SandboxRequest, asked: Asked, moment: Moment) -> SandboxAnswer:
        body = self._body(asked, moment)
        headers = freshness_headers(asked.operation, moment, body.etag, asked.now)
        if has_it(request.headers, body.etag, moment.modified):
            return SandboxAnswer(304, [pair for pair in headers if pair[0] != "Expires"])
        if body.status == 204:
            return SandboxAnswer(204, headers)
        headers.insert(0, JSON)
        if body.pages is not None:
            headers.append(("X-Pages", str(body.pages)))
        if asked.operation.localized:
            headers.append(("Content-Language", asked.language))
        return SandboxAnswer(200, headers, body.raw)

    def _body(self, asked: Asked, moment: Moment) -> _Body:
        who = asked.identity.character_id if asked.identity is not None and asked.operation.scope else None
        arguments = tuple((name, repr(value)) for name, value in asked.values.items())
        when = (moment.generation, moment.bumps, moment.writes, self.downtime.started(asked.now))
        key = (asked.tenant, asked.path, arguments, who, asked.language, asked.manner, when)
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
            return body
        reply = self.lists.reply(asked, moment)
        body = _Body(raw := reply.body(), etag_of(raw), reply.pages, reply.status)
        self._bodies[key] = body
        self.cached_bytes += len(raw)
        while self.cached_bytes > self._cache_bytes and len(self._bodies) > 1:
            _, dropped = self._bodies.popitem(last=False)
            self.cached_bytes -= len(dropped.raw)
        return body

    def _status_after(self, status: Handler) -> Handler:
        """``/status``, which says when the game was started again."""

        def handler(asked: Asked) -> Reply:
            reply, started = status(asked), self.downtime.started(asked.now)
            return reply if started is None else Reply({**reply.data, "start_time": formatted(int(started))})

        return handler


def _error(refused: Refused) -> SandboxAnswer:
    body: dict[str, Any] = {"error": refused.message}
    if refused.faults:
        body["details"] = [fault._asdict() for fault in refused.faults]
    return SandboxAnswer(refused.status, [JSON, *refused.headers], msgspec.json.encode(body))
