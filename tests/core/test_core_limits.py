"""What answers say of limits."""

from __future__ import annotations

import pytest

from esipy.core.limits import rate_told
from esipy.core.wire import Headers


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("150/15m", (150, 900)),
        ("12000/24h", (12000, 86400)),
        ("12000/1d", (12000, 86400)),
        ("12000/25h", None),
        ("150/86401s", None),
        ("150/999999d", None),
        ("0/15m", None),
        ("150/0m", None),
        ("150", None),
    ],
)
def test_sizes_that_can_be_meant_are_believed(text: str, size: tuple[int, int] | None) -> None:
    """A window is a day at most; what says otherwise says nothing."""
    headers = Headers(
        [("X-Ratelimit-Group", "char-wallet"), ("X-Ratelimit-Limit", text), ("X-Ratelimit-Remaining", "100")]
    )
    assert rate_told(headers) == (None if size is None else ("char-wallet", *size, size[0] - 100))
