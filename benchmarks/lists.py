"""How much memory lists take: one program for each, in a process of its own, against the server of the benchmarks.

`peak_bytes` is the most that the process ever held. The client is as a user makes it, with its default cache.
"""

from __future__ import annotations

import sys
from pathlib import Path

from esipy import EsiClient, ops

__all__ = ["iterate", "peak_bytes", "snapshot"]


def peak_bytes() -> int:
    """The most memory that this process has held; of what was its parent's before it began nothing."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource  # Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _client(url: str) -> EsiClient:
    return EsiClient(headers={"User-Agent": "EsiPyBenchmarks/1.0 (benchmarks@example.com)"}, base_url=url)


def snapshot(url: str, pages: int) -> tuple[int, int, int]:
    """Rows of a snapshot, the peak before it, and with it."""
    with _client(url) as client:
        client.fetch(ops.market.get_markets_region_id_orders(region_id=1, order_type="all"))
        before = peak_bytes()
        found = client.snapshot(ops.market.get_markets_region_id_orders(region_id=pages, order_type="all"))
        assert found.consistent
        return len(found), before, peak_bytes()


def iterate(url: str, pages: int) -> tuple[int, int, int]:
    """The same of ``rows``: all are looked at, none is kept."""
    with _client(url) as client:
        client.fetch(ops.market.get_markets_region_id_orders(region_id=1, order_type="all"))
        before = peak_bytes()
        call = ops.market.get_markets_region_id_orders(region_id=pages, order_type="all")
        count = sum(1 for _ in client.rows(call))
        return count, before, peak_bytes()
