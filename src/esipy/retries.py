"""Rules for trying again what failed: small functions, to be composed, replaced, or written anew.

A rule takes a `Failure` and gives the seconds to wait before the next attempt, or None: there is none. What is given
to a client is its rule::

    from esipy.retries import Failure, at_most, either, standard

    def odd_answers(failure: Failure) -> float | None:
        return 2.0 if failure.outcome == 500 else None

    client = EsiClient(retry_requests=at_most(5, either(standard(), odd_answers)))

What happens by `standard` (``retry_requests=None``) and by `version_1` (``True``); ``False`` repeats nothing:

==============================================  ==================  ================================
what happened                                   GET and HEAD        POST, PUT, DELETE
==============================================  ==================  ================================
502, 503, 504, 520; by `version_1` any 5xx      again               never *
broken, cut or late answer                      again               never *: it may have been done
no connection: nothing was sent                 again               again
an answer larger than ``max_answer_bytes``      never               never *: it is as large the next time
429, 420                                        again               again: ESI did not do it
520 that means a limit (``ConStopSpamming``)    again               never *: it may be half done
anything else                                   never               never *
==============================================  ==================  ================================

(T32) Where a star stands no rule is asked: a mail is not sent twice, whatever the rule. A 520 comes from within the
game server, which says nothing of what it did before it refused; 429 and 420 come before anything is done.

Beyond the rule, the client (`esipy.engine.retrying`) takes care that

- ``Retry-After`` is a floor: the rule's seconds come on top of it, so that callers who were told the same moment do not
  come back at the same moment. If it is longer than 120 s or ``max_wait``, the outcome is given at once, with its
  ``retry_at``;
- what a limit refused waits until that limit lets it leave (with the policy ``off`` it waits here, like any other);
- all retries of the client share a quota of 50, refilled by a tenth of one with each good answer. While it is empty,
  the outcome is given as it is: an outage would else be answered with several times the traffic. What a limit refused
  costs nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from esipy.core.retries import LIMITED, doubled
from esipy.exceptions import AnswerTooLargeError, NetworkError, SettingError
from esipy.operation import Call

__all__ = [
    "Failure",
    "Rule",
    "at_most",
    "broken_connections",
    "either",
    "fixed_pauses",
    "full_jitter",
    "limited",
    "standard",
    "transient_statuses",
    "version_1",
]

HARMLESS = frozenset({"GET", "HEAD"})


class Failure(NamedTuple):
    """One exchange that failed: what a rule decides on.

    Attributes:
        call: what was asked; ``call.operation`` is the operation.
        method: the call's, or HEAD.
        outcome: the status (400 or above), or the error in place of an answer.
        attempt: the one that failed; 1 is the first.
        asked_seconds: what the server asked to wait, by ``Retry-After`` or by a limit; None when it did not.
        random: in [0, 1), anew for each failure.
        retry_at: when the limit that refused it lets the next one leave (aware, UTC); None: no limit did.
    """

    call: Call[Any]
    method: str
    outcome: int | NetworkError
    attempt: int = 1
    asked_seconds: float | None = None
    random: float = 0.5
    retry_at: datetime | None = None

    @property
    def limited(self) -> bool:
        """Whether a limit refused it: the next attempt waits for that limit, and costs nothing of the quota."""
        return self.outcome in LIMITED or self.retry_at is not None

    @property
    def repeatable(self) -> bool:
        """Whether sending it again does no harm: it only reads, nothing was sent, or 429 or 420 came first."""
        if self.method in HARMLESS:
            return True
        return not self.outcome.sent if isinstance(self.outcome, NetworkError) else self.outcome in LIMITED


Rule = Callable[[Failure], float | None]
"""Seconds to wait before the next attempt; None: there is none."""


def transient_statuses(*statuses: int) -> Rule:
    """Again at once after one of these statuses; without arguments after 502, 503, 504 and 520.

    Wrap it in `full_jitter`: at once, and all at the same moment, makes an outage worse.
    """
    chosen = frozenset(statuses or (502, 503, 504, 520))
    return lambda failure: 0.0 if failure.outcome in chosen else None


def broken_connections() -> Rule:
    """Again at once after a connection that failed, broke or came too late; not after an answer that was too large."""

    def rule(failure: Failure) -> float | None:
        broken = isinstance(failure.outcome, NetworkError) and not isinstance(failure.outcome, AnswerTooLargeError)
        return 0.0 if broken else None

    return rule


def limited() -> Rule:
    """Again after a refusal by a limit, as soon as that limit lets it leave."""
    return lambda failure: 0.0 if failure.limited else None


def either(*rules: Rule) -> Rule:
    """The first of these rules that tries again decides.

    Raises:
        SettingError: one of them is no rule.
    """
    for each in rules:
        _check_rule("either", each)

    def rule(failure: Failure) -> float | None:
        return next((seconds for each in rules if (seconds := each(failure)) is not None), None)

    return rule


def at_most(retries: int, rule: Rule) -> Rule:
    """The rule, for so many retries of a call after its first attempt.

    Raises:
        SettingError: not a number of retries, or no rule.
    """
    _check_rule("at_most", rule)
    if not _is_number(retries):
        raise SettingError(f"at_most: {retries!r} has to be a number of retries, 0 or above")
    return lambda failure: rule(failure) if failure.attempt <= retries else None


def full_jitter(rule: Rule, *, base_seconds: float = 0.5, longest_seconds: float = 30.0) -> Rule:
    """What the rule tries again, after a random part of a pause that doubles: who failed together comes back apart.

    Args:
        base_seconds: the pause after the first attempt is a random part of it.
        longest_seconds: of this at the most, however many attempts failed.

    Raises:
        SettingError: one of them is not a number of seconds from 0 on, or there is no rule.
    """
    _check_rule("full_jitter", rule)
    for seconds in (base_seconds, longest_seconds):
        if not (_is_number(seconds) and seconds < math.inf):
            raise SettingError(f"full_jitter: {seconds!r} has to be a number of seconds, 0 or above")

    def jittered(failure: Failure) -> float | None:
        if rule(failure) is None:
            return None
        return failure.random * doubled(base_seconds, failure.attempt, longest_seconds)

    return jittered


def fixed_pauses(rule: Rule, *seconds: float) -> Rule:
    """What the rule tries again, after these pauses in turn; the last one for all further attempts.

    Raises:
        SettingError: there are no pauses, or one is not a number of seconds from 0 on, or there is no rule.
    """
    _check_rule("fixed_pauses", rule)
    if not seconds or not all(_is_number(pause) and pause < math.inf for pause in seconds):
        raise SettingError(f"fixed_pauses: {list(seconds)} has to be one pause or more, each 0 s or above")

    def paused(failure: Failure) -> float | None:
        return None if rule(failure) is None else seconds[min(failure.attempt, len(seconds)) - 1]

    return paused


def _check_rule(verb: str, given: object) -> None:
    if not callable(given):
        raise SettingError(f"{verb}: {given!r} has to be a rule, such as esipy.retries.transient_statuses()")


def _is_number(given: float) -> bool:
    """Whether it is one, and not below 0 (`given` may be anything: not everyone runs a type checker)."""
    return isinstance(given, int | float) and not isinstance(given, bool) and given >= 0  # pyright: ignore[reportUnnecessaryIsInstance]


def standard(retries: int = 3) -> Rule:
    """The rule of ``retry_requests=None``: what passes and what a limit refused, with full jitter."""
    passing = full_jitter(either(transient_statuses(), broken_connections()))
    return at_most(retries, either(limited(), passing))


def version_1() -> Rule:
    """The rule of ``retry_requests=True``: five tries, any 5xx, and version 1's pauses."""
    passing = either(transient_statuses(*range(500, 600)), broken_connections())
    return at_most(4, either(limited(), fixed_pauses(passing, 0.01, 0.16, 0.81, 2.56)))


def rule_for(retry_requests: Rule | bool | None) -> Rule:
    """The rule that a client's argument means.

    Raises:
        SettingError: it means none.
    """
    if retry_requests is None:
        return standard()
    if retry_requests is True:
        return version_1()
    if retry_requests is False:
        return at_most(0, standard())
    if not callable(retry_requests):
        raise SettingError(f"retry_requests={retry_requests!r}: has to be None, True, False or a rule (esipy.retries)")
    return retry_requests
