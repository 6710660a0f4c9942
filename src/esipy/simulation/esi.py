"""The simulated ESI: a server for `SimulatedRuntime`, with the sandbox's windows, downtime and hidden limiters.

Rules: chance follows from the seed and the order of requests alone. A request may never arrive; what arrives is let in
or refused at once, and counted when its answer goes; the answer may be lost then. What is refused, and what comes while
the game is down, costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Any, Unpack
from urllib.parse import urlsplit

from esipy import ops
from esipy.core.wire import Headers, HttpRequest, HttpResponse
from esipy.exceptions import AnswerTimeoutError, BrokenAnswerError, ConnectError
from esipy.operation import Operation
from esipy.runtime.simulated import Working
from esipy.sandbox.answers import JSON
from esipy.sandbox.esi_downtime import DOWNTIME_BEGINS_SECONDS, Downtime
from esipy.sandbox.esi_limits import LimitOptions, Limits, group_headers
from esipy.sandbox.esi_routes import Router
from esipy.sandbox.esi_values import moment as formatted
from esipy.sandbox.esi_window import Bucket, cost_of
from esipy.simulation.bodies import Body, SmallBodies
from esipy.simulation.log import Log
from esipy.simulation.principals import Principals, Who

__all__ = ["SimulatedEsi"]

_KNOWN_AT_MOST = 200_000
_ERROR_BODY = b'{"error": "simulated"}'
_DAY_SECONDS = 86_400


class SimulatedEsi:
    """Answers `HttpRequest`s.

    Args:
        now: the clock, in unix seconds: ``lambda: runtime.now()``.
        seed: the same seed and the same requests give the same answers.
        enforce: spent limits answer 429 and 420.
        shares: which share of the answers has which status instead of the good one: ``{404: 0.01, 403: 0.01, 503:
            0.005}``. 304 is answered to conditional requests alone.
        lost_share: which share of the answers is lost after it was counted: every other one breaks off at once, the
            rest hangs until the request's time is over.
        lost_before_share: which share of the requests breaks off before it is counted, though something was sent.
        unreachable_share: which share finds no connection: nothing is sent.
        processing_seconds: how long it takes from letting a request in to counting it: from, to, by chance.
        daily_downtime_seconds: how long it is down each day from 11:00 UTC; 0: never.
        headers: of every good answer. ``no-store`` lets every call of a client with a cache arrive.
        body: what to answer; None: the smallest body that fits.
        keep_log: False: `log` stays empty.
        limits: see `LimitOptions`: ``release_late_seconds``, ``hidden_limits``, ``foreign_share`` ...

    Attributes:
        limits: the sandbox's ledgers: ``refusals()``, ``most_used()``, ``report(now)``, ``spend(...)``,
            ``spend_errors(...)``, ``set(...)``.
        downtime: when the game is down: ``begin(now, seconds)``.
        log: all that happened.
        requests: how many came.

    Raises:
        ValueError: a share is below 0, or together they are more than 1.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        seed: int = 0,
        enforce: bool = True,
        shares: Mapping[int, float] | None = None,
        lost_share: float = 0.0,
        lost_before_share: float = 0.0,
        unreachable_share: float = 0.0,
        processing_seconds: tuple[float, float] = (0.0, 0.0),
        daily_downtime_seconds: float = 0.0,
        headers: Sequence[tuple[str, str]] = (("Cache-Control", "no-store"),),
        body: Body | None = None,
        keep_log: bool = True,
        **limits: Unpack[LimitOptions],
    ) -> None:
        self.log = Log()
        self.limits = Limits(seed, enforce=enforce, on_foreign=self._foreign if keep_log else None, **limits)
        self.downtime = Downtime(daily_downtime_seconds)
        self.requests = 0
        self._now = now
        self._random = Random(seed).random  # noqa: S311 (a simulation has to repeat)
        self._keep_log = keep_log
        self._processing = processing_seconds if any(processing_seconds) else None
        self.play(shares, lost_share, lost_before_share, unreachable_share)
        self._router = Router(ops.operations())
        self._small = SmallBodies(seed)
        self._body = body
        self._headers = [JSON, *headers]
        self._routes: dict[tuple[str, str], Operation[Any] | None] = {}
        self._principals = Principals()

    def __call__(self, request: HttpRequest) -> HttpResponse | Working:
        """Answer a request that arrives now.

        Raises:
            NetworkError: it, or its answer, is lost.
        """
        now = self._now()
        fate = self._random()
        if fate < self._unreachable:
            raise ConnectError(request.url, "the simulated ESI cannot be reached")
        if fate < self._lost_before:
            raise BrokenAnswerError(request.url, "the simulated request is lost")
        self.requests += 1
        operation = self._operation(request.method, request.url)
        name = "" if operation is None else operation.name
        down = self.downtime.answer(now)
        if down is not None:
            self._book(now, now, "", name, down.status, 0)
            return HttpResponse(down.status, Headers(down.headers), down.body)
        who, principal = self._principals.of(operation, request)
        errors, bucket = self.limits.errors, None
        if operation is not None and operation.group is not None:
            bucket = self.limits.buckets.at(operation.group, principal, now)
        if self.limits.enforce:
            if errors.is_over(now):
                errors.refusals += 1
                self._book(now, now, bucket.name if bucket else "", name, 420, 0)
                return HttpResponse(420, Headers([JSON, *errors.headers(now)]), _ERROR_BODY)
            if bucket is not None and not bucket.has_room():
                return self._refused(operation, bucket, now)
        lost = fate < self._lost
        if self._processing is None:
            return self._answer(request, operation, bucket, who, now, lost)
        least, most = self._processing
        return Working(
            least + (most - least) * self._random(),
            lambda: self._answer(request, operation, bucket, who, now, lost),
        )

    def play(
        self,
        shares: Mapping[int, float] | None = None,
        lost_share: float = 0.0,
        lost_before_share: float = 0.0,
        unreachable_share: float = 0.0,
    ) -> None:
        """Let this go wrong from now on, and nothing else.

        Raises:
            ValueError: a share is below 0, or together they are more than 1.
        """
        given = shares or {}
        fates = (unreachable_share, lost_before_share, lost_share)
        if min(0.0, *fates, *given.values()) < 0 or max(sum(fates), sum(given.values())) > 1:
            raise ValueError("shares have to be 0 or more, and together 1 at the most")
        # Rising marks, so that one number decides which it is.
        self._unreachable, self._lost_before, self._lost = accumulate(fates)
        self._statuses = list(zip(accumulate(given.values()), given, strict=True))

    def settle(self) -> None:
        """Book what others spent until now in every bucket, so that the log is whole."""
        now = self._now()
        for bucket in self.limits.buckets:
            bucket.turn(now)

    def _operation(self, method: str, url: str) -> Operation[Any] | None:
        key = (method, url)
        if key in self._routes:
            return self._routes[key]
        match = self._router.match(urlsplit(url).path)
        if len(self._routes) >= _KNOWN_AT_MOST:
            self._routes.clear()
        found = self._routes[key] = None if match is None else match.methods.get(method)
        return found

    def _refused(self, operation: Operation[Any] | None, bucket: Bucket, now: float) -> HttpResponse:
        assert operation is not None
        assert operation.group is not None
        bucket.refusals += 1
        self._book(now, now, bucket.name, operation.name, 429, 0, used=bucket.used)
        retry = ("Retry-After", str(bucket.retry_after(now)))
        return HttpResponse(429, Headers([JSON, retry, *group_headers(bucket, operation.group)]), _ERROR_BODY)

    def _answer(
        self,
        request: HttpRequest,
        operation: Operation[Any] | None,
        bucket: Bucket | None,
        who: Who | None,
        arrived: float,
        lost: bool,
    ) -> HttpResponse | Working:
        now = self._now()
        silent = operation is not None and self.limits.hidden.refuses(operation.name, now)
        status, headers, body = self._made(request, operation, who, now, silent)
        used: int | None = None
        cost, name = 0, "" if operation is None else operation.name
        if bucket is None:
            if status >= 400:
                self.limits.errors.add(now)
            headers = [*headers, *self.limits.errors.headers(now)]
            used = self.limits.errors.used
        else:
            assert operation is not None
            assert operation.group is not None
            bucket.turn(now)
            cost = cost_of(status)
            bucket.spend(now, cost)
            if not silent:
                used = bucket.used
                headers = [*headers, *group_headers(bucket, operation.group)]
        bucket_name = "" if bucket is None else bucket.name
        self._book(arrived, now, bucket_name, name, status, cost, lost=lost, used=used)
        if lost:
            return self._lose(request)
        return HttpResponse(status, Headers(headers), body)

    def _made(
        self, request: HttpRequest, operation: Operation[Any] | None, who: Who | None, now: float, silent: bool
    ) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        """Status, headers and body, apart from what limits add."""
        if operation is None:
            return 404, [JSON], _ERROR_BODY
        if silent:
            hidden = self.limits.hidden
            return hidden.status, [JSON], b'{"error": "%s"}' % hidden.message.encode()
        if operation.scope is not None and who is None:
            return 401, [JSON], _ERROR_BODY
        status = self._status(request)
        if status == 304:
            return 304, self._headers, b""
        if status:
            return status, [JSON], _ERROR_BODY
        if self._body is not None:
            body = self._body(operation, request)
            if isinstance(body, HttpResponse):
                return body.status, body.headers.pairs(), body.body
            if body is not None:
                return operation.statuses[0], self._headers, body
        if operation.name == "get_status":
            return 200, self._headers, self._status_body(now)
        return operation.statuses[0], self._headers, self._small.of(operation)

    def _status(self, request: HttpRequest) -> int:
        """The status that chance gives; 0: the good one."""
        if self._statuses:
            chance = self._random()
            for mark, status in self._statuses:
                if chance < mark:
                    if status == 304 and not any(name.lower() == "if-none-match" for name, _ in request.headers):
                        return 0
                    return status
        return 0

    def _status_body(self, now: float) -> bytes:
        started = self.downtime.started(now)
        if started is None:
            started = now - (now - DOWNTIME_BEGINS_SECONDS) % _DAY_SECONDS
        return b'{"players": 20000, "server_version": "1", "start_time": "%s"}' % formatted(started).encode()

    def _lose(self, request: HttpRequest) -> Working:
        if self._random() < 0.5:
            raise BrokenAnswerError(request.url, "the simulated answer is lost")

        def late() -> HttpResponse:
            raise AnswerTimeoutError(request.url, f"no answer in {request.timeout} s")

        return Working(request.timeout, late)

    def _book(
        self, arrived: float, now: float, bucket: str, operation: str, status: int, cost: int, **more: Any
    ) -> None:
        if self._keep_log:
            self.log.add(arrived, now, bucket, operation, status, cost, **more)

    def _foreign(self, bucket: Bucket, now: float, cost: int) -> None:
        self.log.add(now, now, bucket.name, "", 0, cost, own=False)
