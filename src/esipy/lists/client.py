"""What the verbs of lists and of watching ask of their client: declared once, for the checkers.

The client itself has it from `esipy.shell`, which comes before the verbs in its order of bases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from esipy.engine.pipeline import Engine
from esipy.engine.terms import Downtime, Policy, Priority, Terms
from esipy.operation import Call

__all__ = ["OfClient"]

T = TypeVar("T")


class OfClient:
    """What the verbs use of the client that they are mixed into."""

    _engine: Engine

    if TYPE_CHECKING:

        def _terms(
            self,
            priority: Priority | None,
            policy: Policy | None,
            max_wait: float | None,
            downtime: Downtime | None,
            stale_if_error: float | None = None,
        ) -> Terms | None: ...

        def _signed(self, call: Call[T]) -> Call[T]: ...

        @staticmethod
        def _call_of(given: Call[T]) -> Call[T]: ...
