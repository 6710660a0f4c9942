"""On what terms a call waits for limits, and does without an answer: its policy, its priority, its patience."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from esipy.exceptions import SettingError
from esipy.settings import DOWNTIME_CHOICES, POLICIES, PRIORITIES, Settings

__all__ = ["Downtime", "Policy", "Priority", "Rank", "Terms"]

LONGEST_PATIENCE_SECONDS = 1e8
"""Three years, for who says that he waits for ever: no system waits for an infinite time."""

Policy = Literal["burst", "spread", "fail", "off"]
Priority = Literal["interactive", "batch"]
Downtime = Literal["try", "fail", "wait"]

Rank: TypeAlias = tuple[bool, bool, float]
"""Of calls that wait: whether it is a batch call, whether it evens out what is left, the share it leaves untouched."""


class Terms(NamedTuple):
    """How a call waits.

    Attributes:
        policy: ``burst``: spend what is there; ``spread``: even it out over the window once half is used; ``fail``:
            never wait; ``off``: the ledger counts, but only a 420 holds anything back.
        batch: let interactive calls pass, leave them their share, and wait while ESI is down.
        max_wait: seconds of patience, three years at the most.
        share: of each limit, to leave untouched.
        downtime: what an interactive call does while ESI is down.
        stale_if_error: seconds beyond its freshness for which a kept answer stands in while ESI does not answer;
            0: none does.
    """

    policy: Policy
    batch: bool
    max_wait: float
    share: float
    downtime: Downtime
    stale_if_error: float = 0.0

    @property
    def rank(self) -> Rank:
        """Those of the same one wait behind each other, whatever holds them back."""
        return self.batch, self.policy == "spread", self.share

    @classmethod
    def of(
        cls,
        settings: Settings,
        policy: str | None = None,
        priority: str | None = None,
        max_wait: float | None = None,
        downtime: str | None = None,
        stale_if_error: float | None = None,
    ) -> Terms:
        """The terms of a client's settings, with what a call says otherwise.

        Raises:
            SettingError: one of them cannot be meant.
        """
        policy = _one_of("policy", settings.policy if policy is None else policy, POLICIES)
        priority = _one_of("priority", settings.priority if priority is None else priority, PRIORITIES)
        downtime = _one_of("downtime", settings.downtime if downtime is None else downtime, DOWNTIME_CHOICES)
        patience = _seconds("max_wait", settings.max_wait if max_wait is None else max_wait)
        stale = _seconds("stale_if_error", settings.stale_if_error if stale_if_error is None else stale_if_error)
        batch = priority == "batch"
        return cls(
            policy,  # type: ignore[arg-type]
            batch,
            0.0 if policy == "fail" else patience,
            settings.headroom + (settings.interactive_share if batch else 0.0),
            downtime,  # type: ignore[arg-type]
            stale,
        )


def _seconds(name: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given >= 0:
        raise SettingError(f"{name}={given!r}: has to be a number of seconds, 0 or above")
    return float(min(given, LONGEST_PATIENCE_SECONDS))


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise SettingError(f"{name}={value!r}: has to be one of {', '.join(choices)}")
    return str(value)
