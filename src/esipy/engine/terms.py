"""On what terms a call waits for limits: its policy, its priority, its patience."""

from __future__ import annotations

from typing import Literal, NamedTuple

from esipy.exceptions import SettingError
from esipy.settings import DOWNTIME_CHOICES, POLICIES, PRIORITIES, Settings

__all__ = ["Downtime", "Policy", "Priority", "Terms"]

LONGEST_PATIENCE_SECONDS = 1e8
"""Three years, for who says that he waits for ever: no system waits for an infinite time."""

Policy = Literal["burst", "spread", "fail", "off"]
Priority = Literal["interactive", "batch"]
Downtime = Literal["try", "fail", "wait"]


class Terms(NamedTuple):
    """How a call waits.

    Attributes:
        policy: ``burst``: spend what is there; ``spread``: even it out over the window once half is used; ``fail``:
            never wait; ``off``: the ledger counts, but only a 420 holds anything back.
        batch: let interactive calls pass, leave them their share, and wait while ESI is down.
        max_wait: seconds of patience, three years at the most.
        share: of each limit, to leave untouched.
        downtime: what an interactive call does while ESI is down.
    """

    policy: Policy
    batch: bool
    max_wait: float
    share: float
    downtime: Downtime

    @classmethod
    def of(
        cls,
        settings: Settings,
        policy: str | None = None,
        priority: str | None = None,
        max_wait: float | None = None,
        downtime: str | None = None,
    ) -> Terms:
        """The terms of a client's settings, with what a call says otherwise.

        Raises:
            SettingError: one of them cannot be meant.
        """
        policy = _one_of("policy", settings.policy if policy is None else policy, POLICIES)
        priority = _one_of("priority", settings.priority if priority is None else priority, PRIORITIES)
        downtime = _one_of("downtime", settings.downtime if downtime is None else downtime, DOWNTIME_CHOICES)
        patience = settings.max_wait if max_wait is None else max_wait
        if isinstance(patience, bool) or not _is_patience(patience):
            raise SettingError(f"max_wait={patience!r}: has to be a number of seconds, 0 or above")
        batch = priority == "batch"
        return cls(
            policy,  # type: ignore[arg-type]
            batch,
            0.0 if policy == "fail" else float(min(patience, LONGEST_PATIENCE_SECONDS)),
            settings.headroom + (settings.interactive_share if batch else 0.0),
            downtime,  # type: ignore[arg-type]
        )


def _is_patience(given: object) -> bool:
    return isinstance(given, (int, float)) and given >= 0


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise SettingError(f"{name}={value!r}: has to be one of {', '.join(choices)}")
    return str(value)
