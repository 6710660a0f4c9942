"""User code over the rules of trying again, as a type checker sees it. Nothing here runs.

Each wrong use is marked: a checker that stopped seeing one would report the mark as unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_type

from esipy import AsyncEsiClient, Call, EsiClient, ops
from esipy.exceptions import NetworkError, ServerError
from esipy.retries import (
    Failure,
    Rule,
    at_most,
    broken_connections,
    either,
    fixed_pauses,
    full_jitter,
    limited,
    standard,
    transient_statuses,
    version_1,
)


def patient(failure: Failure) -> float | None:
    """A rule reads a failure's parts; an int is a pause too."""
    assert_type(failure.call, Call[Any])
    assert_type(failure.outcome, int | NetworkError)
    assert_type(failure.asked_seconds, float | None)
    assert_type(failure.limited, bool)
    if failure.call.operation.name == "get_status":
        return None
    return 5 if failure.attempt < 3 else failure.random


class Counted:
    """An object with a memory is a rule as well."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.times = 0

    def __call__(self, failure: Failure) -> float | None:
        self.times += 1
        return self.rule(failure)


def forgetful(failure: Failure) -> str:
    return "soon"


composed = at_most(5, either(limited(), full_jitter(either(transient_statuses(502, 503), broken_connections()))))
assert_type(composed(Failure(ops.status.get_status(), "GET", 503)), float | None)
slower: Rule = fixed_pauses(full_jitter(patient, base_seconds=1, longest_seconds=60.0), 1, 2.5)

EsiClient(retry_requests=composed)
EsiClient(None, patient)
EsiClient(retry_requests=True)
EsiClient(retry_requests=None)
EsiClient(retry_requests=lambda failure: 1.0 if failure.attempt < 2 else None)
AsyncEsiClient(retry_requests=Counted(either(standard(retries=6), version_1(), slower)))
EsiClient(retry_requests=forgetful)  # type: ignore[arg-type]
EsiClient(retry_requests="yes")  # type: ignore[arg-type]
at_most(patient, 3)  # type: ignore[arg-type]
full_jitter(patient, 1.0)  # type: ignore[call-arg]


def come_back(error: ServerError) -> datetime:
    """None when ESI did not say."""
    return datetime.now(UTC) if error.retry_at is None else error.retry_at
