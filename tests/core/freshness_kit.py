"""Headers and moments for the tests of freshness."""

from __future__ import annotations

from email.utils import formatdate

from esipy.core.wire import Headers

NOW = 1785844800.0
"""2026-08-04, noon UTC: both clocks', unless a test says otherwise."""

OPERATION = 60.0
"""The catalogue's lifetime of the operation, where a test gives one."""


def headers(**values: str | list[str]) -> Headers:
    """Headers from keywords with underscores; a list repeats its name."""
    return Headers(
        (name.replace("_", "-"), text)
        for name, value in values.items()
        for text in (value if isinstance(value, list) else [value])
    )


def date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


PAST, SOON, HERE = date(NOW - 10), date(NOW + 100), date(NOW)
