"""The verbs about limits, downtime and the order of answers: how the sandbox counts, what others spend, and the record.

Rules: those of `verbs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from esipy.sandbox.esi_limits import ADDRESS, LimitOptions

if TYPE_CHECKING:
    from esipy.sandbox.app import Sandbox

__all__ = ["LimitVerbs"]


class LimitVerbs:
    """The verbs, bound to a sandbox."""

    _sandbox: Sandbox

    def enforce_limits(self, enforce: bool = True) -> None:
        """Whether spent rate limits answer 429 and the error limit 420, from now on."""
        self._sandbox.limits.enforce = enforce

    def set_limits(self, **options: Unpack[LimitOptions]) -> None:
        """Count in another way from now on; what is not named stays. `esi_limits.LimitOptions` tells which.

        Raises:
            KeyError: no such operation.
            ValueError: an option cannot be meant.
        """
        self._sandbox.limits.set(self._sandbox.clock.now(), **options)

    def spend(self, group: str, who: int | str = ADDRESS, tokens: int = 2) -> int:
        """Another program spends from a bucket now; gives what is used of it then.

        Args:
            group: a rate-limit group's name.
            who: a character (of the first application), or a principal: ``address`` (public calls without a token),
                ``client_id:address`` (with one) or ``client_id:character_id``.
            tokens: how many.

        Raises:
            KeyError: no such group.
            ValueError: ``tokens`` is negative.
        """
        sandbox = self._sandbox
        principal = f"{next(iter(sandbox.clients))}:{who}" if isinstance(who, int) else who
        return sandbox.limits.spend(group, principal, tokens, sandbox.clock.now())

    def spend_errors(self, errors: int) -> int:
        """Another program at the same address draws so many bad answers now; gives how many there are in this minute.

        Raises:
            ValueError: ``errors`` is negative.
        """
        return self._sandbox.limits.spend_errors(errors, self._sandbox.clock.now())

    def downtime(self, seconds: float) -> float:
        """The game goes down now, for so long; gives when it ends (unix seconds). 0 ends one that was begun so.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        return self._sandbox.downtime.begin(self._sandbox.clock.now(), seconds)

    def daily_downtime(self, seconds: float) -> None:
        """How long the game is down each day from 11:00 UTC; 0: not at all.

        Raises:
            ValueError: a day has not so many seconds.
        """
        self._sandbox.downtime.set_daily(seconds)

    def reorder(self, share: float) -> None:
        """Hold back this share of ESI's answers until the next of the same bucket has been answered.

        Raises:
            ValueError: not within 0 and 1.
        """
        self._sandbox.reordering.set(share)

    def limits(self) -> dict[str, Any]:
        """All that was counted, by bucket and for the error limit; docs/sandbox.md tells its form."""
        sandbox = self._sandbox
        return {
            **sandbox.limits.report(sandbox.clock.now()),
            "downtime_answers": sandbox.downtime.answers,
            "overtaken": sandbox.reordering.overtaken,
        }

    def refusals(self) -> dict[str, int]:
        """How many calls were refused, by bucket, by operation with a limiter inside, and as ``errors`` (420).

        What was never refused is not in it: a polite client leaves it empty.
        """
        return self._sandbox.limits.refusals()

    def most_used(self) -> dict[str, int]:
        """The most that was ever in the window of each bucket."""
        return self._sandbox.limits.most_used()

    def reset_limits(self, spends: bool = True) -> None:
        """Begin the record of `limits` anew; also forget every spend, unless ``spends`` is False."""
        self._sandbox.limits.reset(spends=spends)
        self._sandbox.downtime.answers = self._sandbox.reordering.overtaken = 0
