"""The frame of every driver: jobs by name, asked for over stdin, timed in the driver's own process.

Rules: a job does ``count`` units of work and returns a witness (how many good answers or rows it saw), so that
both sides of a comparison prove to have done the same; the garbage collector is on, as in users' programs, and
what earlier rounds left is collected before the clock starts. Nothing here needs more than the standard library,
because version 1 runs in it too.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable

__all__ = ["BASE", "HEADERS", "USER_AGENT", "Job", "character_url", "orders_url", "serve"]

Job = Callable[[int], int]

BASE = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].startswith("http") else ""
"""Where the server is."""

USER_AGENT = "EsiPyBenchmarks/1.0 (benchmarks@example.com)"

HEADERS = {
    "Accept": "application/json",
    "Accept-Language": "en",
    "X-Compatibility-Date": "2026-08-04",
    "X-Tenant": "tranquility",
    "User-Agent": f"{USER_AGENT} EsiPy/2.0",
}
"""What EsiPy sends, so that every other client sends it too."""


def character_url(character_id: int) -> str:
    return f"{BASE}/characters/{character_id}"


def orders_url(region_id: int, page: int) -> str:
    return f"{BASE}/markets/{region_id}/orders?order_type=all&page={page}"


def serve(jobs: dict[str, Job]) -> None:
    """Answer requests for jobs until stdin ends: ``{"job": name, "count": n}`` -> seconds, CPU seconds, witness."""
    for line in sys.stdin:
        asked = json.loads(line)
        job = jobs[asked["job"]]
        gc.collect()
        cpu_before, before = time.process_time(), time.perf_counter()
        witness = job(asked["count"])
        seconds, cpu_seconds = time.perf_counter() - before, time.process_time() - cpu_before
        print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "witness": witness}), flush=True)
