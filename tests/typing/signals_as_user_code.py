"""Receivers as programs write them: what a type checker must accept, and what it must refuse.

Checked by mypy --strict and by basedpyright, never run. A line that must be refused says so with an ignore, and
both checkers complain about an ignore that is not needed.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, assert_type

from esipy.events import (
    AFTER_TOKEN_REFRESH,
    ANSWER_DRIFTED,
    API_CALL_STATS,
    DOWNTIME_STARTED,
    LIMIT_CHANGED,
    RATE_LIMITED,
    RETRY_SCHEDULED,
    STORE_DEGRADED,
    Signal,
)


def typed(access_token: str, refresh_token: str | None, expires_in: int, **kwargs: Any) -> None:
    print(access_token, refresh_token, expires_in, kwargs)


def everything(**kwargs: object) -> None:
    print(kwargs)


async def awaited(url: str, status_code: int, elapsed_time: float, **kwargs: Any) -> None:
    print(url, status_code, elapsed_time, kwargs)


class Store:
    def save(self, access_token: str, **kwargs: Any) -> bool:
        return bool(access_token or kwargs)

    def __call__(self, *, url: str, attempt: int, **kwargs: Any) -> None:
        print(url, attempt, kwargs)


AFTER_TOKEN_REFRESH.add_receiver(typed)
AFTER_TOKEN_REFRESH.add_receiver(everything, deferred=True)
AFTER_TOKEN_REFRESH.add_receiver(Store().save)
API_CALL_STATS.add_receiver(awaited)
API_CALL_STATS.add_receiver(Store())
API_CALL_STATS.remove_receiver(awaited)


@AFTER_TOKEN_REFRESH.connect
def connected(access_token: str, **kwargs: Any) -> int:
    return len(access_token) + len(kwargs)


@ANSWER_DRIFTED.connect(deferred=True)
def drifted(places: tuple[str, ...], **kwargs: Any) -> None:
    print(places, kwargs)


@RATE_LIMITED.connect
def limited(bucket: str, headers: Mapping[str, str], retry_at: datetime, **kwargs: Any) -> None:
    print(bucket, headers["retry-after"], retry_at, kwargs)


@LIMIT_CHANGED.connect
def changed(group: str, max_tokens: int, previous_max_tokens: int | None, **kwargs: Any) -> None:
    print(group, max_tokens, previous_max_tokens, kwargs)


@RETRY_SCHEDULED.connect
async def again(operation_id: str, attempt: int, status_code: int, wait_seconds: float, **kwargs: Any) -> None:
    print(operation_id, attempt, status_code, wait_seconds, kwargs)


STORE_DEGRADED.add_receiver(everything)
DOWNTIME_STARTED.add_receiver(everything)


with API_CALL_STATS.connected_to(awaited), API_CALL_STATS.muted():
    API_CALL_STATS.send(
        url="",
        status_code=200,
        elapsed_time=0.1,
        message=None,
        operation_id="GetStatus",
        method="GET",
        principal="",
        attempt=1,
    )

assert_type(API_CALL_STATS.receivers, tuple[Callable[..., object], ...])
assert_type(API_CALL_STATS.has_receivers, bool)
assert_type(API_CALL_STATS.flush(1.0), bool)
print(len(API_CALL_STATS.event_receivers), typed in API_CALL_STATS.event_receivers)
API_CALL_STATS.event_receivers = []


def wrong_type(access_token: int, **kwargs: Any) -> None:
    print(access_token, kwargs)


def not_optional(refresh_token: str, **kwargs: Any) -> None:
    print(refresh_token, kwargs)


AFTER_TOKEN_REFRESH.add_receiver(wrong_type)  # type: ignore[arg-type]
AFTER_TOKEN_REFRESH.add_receiver(not_optional)  # type: ignore[arg-type]
AFTER_TOKEN_REFRESH.add_receiver("no callable")  # type: ignore[arg-type]
ANSWER_DRIFTED.send(operation_id="GetStatus", url="", places=["a list"])  # type: ignore[arg-type]
ANSWER_DRIFTED.send(operation_id="GetStatus", url="")  # type: ignore[call-arg]


@LIMIT_CHANGED.connect  # type: ignore[arg-type]
def not_always_known(previous_group: str, **kwargs: Any) -> None:
    print(previous_group, kwargs)


@AFTER_TOKEN_REFRESH.connect  # type: ignore[arg-type]
def refused(expires_in: str, **kwargs: Any) -> None:
    print(expires_in, kwargs)


with AFTER_TOKEN_REFRESH.connected_to(wrong_type):  # type: ignore[arg-type]
    pass


# A program's own signals: without a declaration any arguments go, with one they are checked.
def _job_done(*, job_id: int, **extra: Any) -> None: ...


anything = Signal()
anything.add_receiver(wrong_type)
anything.send(a=1, b="two")
JOB_DONE = Signal("JOB_DONE", _job_done)
JOB_DONE.send(job_id=1)
JOB_DONE.send(job_id="1")  # type: ignore[arg-type]
