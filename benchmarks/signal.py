"""What a signal costs, against calling its receiver oneself.

`measure` gives microseconds: the least of many short runs, so that what else the machine does counts little. Sent
are API_CALL_STATS' eight arguments and, of these, version 1's four. Run it with ``python -m benchmarks.signal``.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

from esipy.events import Signal

FOUR = "url='https://esi.evetech.net/status', status_code=200, elapsed_time=0.1, message=None"
EIGHT = FOUR + ", operation_id='GetStatus', method='GET', principal='ip', attempt=1"


def takes_all(**kwargs: Any) -> None: ...


def names_three(url: str, status_code: int, elapsed_time: float, **kwargs: Any) -> None: ...


def names_each(
    url: str, status_code: int, elapsed_time: float, message: str | None,
    operation_id: str | None = None, method: str = "", principal: str = "", attempt: int = 0,
) -> None: ...  # fmt: skip


def forwarder(receiver: Callable[..., object]) -> Callable[..., None]:
    """The least that a signal in Python can do: take the arguments, and pass them on."""

    def forward(**kwargs: Any) -> None:
        receiver(**kwargs)

    return forward


def microseconds(statement: str, **names: Any) -> float:
    number = 10_000
    return min(timeit.repeat(statement, globals=names, number=number, repeat=50)) / number * 1e6


def measure() -> dict[str, float]:
    """Microseconds by what was done.

    "ask nobody" is what the library does for a signal without receivers: it asks before it makes the payload; the
    target is 0.1. "above" is what a sending costs beyond 1.2 plain calls of its receiver; the target is 0.2.
    """
    signal: Signal[...] = Signal()
    measured = {
        "ask nobody": microseconds("signal.receivers", signal=signal),
        "send to nobody, 0 arguments": microseconds("signal.send()", signal=signal),
        "send to nobody, 8 arguments": microseconds(f"signal.send({EIGHT})", signal=signal),
    }
    for receiver in (takes_all, names_three, names_each):
        for count, payload in (4, FOUR), (8, EIGHT):
            name = f"{receiver.__name__}, {count} arguments"
            plain = microseconds(f"call({payload})", call=receiver)
            least = microseconds(f"call({payload})", call=forwarder(receiver))
            with signal.connected_to(receiver):
                sent = microseconds(f"call({payload})", call=signal.send)
            measured |= {f"{name}: plain": plain, f"{name}: sent": sent}
            measured |= {f"{name}: above": sent - 1.2 * plain, f"{name}: above, bare forwarder": least - 1.2 * plain}
    return measured


if __name__ == "__main__":
    for what, time in measure().items():
        print(f"{what:48} {time:6.3f}")
