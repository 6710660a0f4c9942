"""Twenty threads that share the work: the same frame around each client."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["THREADS", "in_threads"]

THREADS = 20


def in_threads(job: Callable[[int], int], count: int) -> int:
    """Do ``count`` units, a twentieth in each thread; the sum of the witnesses."""
    shares = [count // THREADS + (1 if place < count % THREADS else 0) for place in range(THREADS)]
    witnesses: list[int] = []

    def work(share: int) -> None:
        witnesses.append(job(share))

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(witnesses)
