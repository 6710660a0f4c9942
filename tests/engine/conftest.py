"""What several of the engine's tests listen to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from esipy.events import DOWNTIME_ENDED, DOWNTIME_STARTED
from tests.engine.resting_kit import Told


@pytest.fixture
def told() -> Iterator[list[Told]]:
    """What the signals of the downtime told."""
    found: list[Told] = []

    def started(at: datetime, **_: Any) -> None:
        found.append(Told(False, at.timestamp(), 0.0))

    def ended(at: datetime, down_seconds: float, **_: Any) -> None:
        found.append(Told(True, at.timestamp(), down_seconds))

    DOWNTIME_STARTED.add_receiver(started)
    DOWNTIME_ENDED.add_receiver(ended)
    yield found
    DOWNTIME_STARTED.remove_receiver(started)
    DOWNTIME_ENDED.remove_receiver(ended)
