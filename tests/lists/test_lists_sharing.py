"""Words that many rows have are kept once."""

from __future__ import annotations

import msgspec

from esipy.lists.sharing import share_words
from esipy.ops.types.market import MarketsRegionIdOrdersItem

ORDER = (
    b'{"duration":90,"is_buy_order":false,"issued":"2026-08-04T11:00:00Z","location_id":1,"min_volume":1,"order_id":1,'
    b'"price":1.0,"range":"%s","system_id":1,"type_id":1,"volume_remain":1,"volume_total":1}'
)


def orders(*ranges: bytes) -> list[MarketsRegionIdOrdersItem]:
    """Orders as they come."""
    return [msgspec.json.decode(ORDER % one, type=MarketsRegionIdOrdersItem) for one in ranges]


def test_listed_words_are_one_object_in_all_rows() -> None:
    """Equal before and after; what the document does not list stays as it came."""
    rows = orders(b"station", b"station", b"galaxy")
    assert rows[0].range is not rows[1].range
    share_words(rows)
    assert ["station", "station", "galaxy"] == [row.range for row in rows]
    assert rows[0].range is rows[1].range


def test_rows_without_listed_words_are_left_alone() -> None:
    """Numbers, texts, nothing; a value of another type than declared."""
    rows = orders(b"station")
    rows[0].range = [1]  # type: ignore[assignment]
    share_words(rows)
    assert [[1]] == [row.range for row in rows]
    for given in ([], [1, 2], ["a"], [{"range": "station"}], [None]):
        kept = list(given)
        share_words(kept)
        assert given == kept
