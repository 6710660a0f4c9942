"""What a signal costs, against calling its receiver oneself.

`measure` gives microseconds a call: the least of many short runs, so that what else the machine does counts little.
The payload is that of API_CALL_STATS, eight arguments by keyword, as the library sends it. Run it with
``python -m benchmarks.signal``.
"""

from __future__ import annotations

import timeit
from typing import Any

from esipy.events import Signal

PAYLOAD = (
    "url='https://esi.evetech.net/status', status_code=200, elapsed_time=0.1, message=None, "
    "operation_id='GetStatus', method='GET', principal='ip', attempt=1"
)


def taking_all(**kwargs: Any) -> None: ...


def naming_some(url: str, status_code: int, elapsed_time: float, **kwargs: Any) -> None: ...


def naming_each(
    url: str, status_code: int, elapsed_time: float, message: str | None, operation_id: str | None, method: str,
    principal: str, attempt: int,
) -> None: ...  # fmt: skip


def microseconds(statement: str, **names: Any) -> float:
    number = 10_000
    return min(timeit.repeat(statement, globals=names, number=number, repeat=50)) / number * 1e6


def measure() -> dict[str, float]:
    """Microseconds by what was done.

    ``ask nobody`` is what the library does for a signal without receivers: it asks before it makes the payload.
    ``over 1.2 x plain`` is what a sending costs beyond 1.2 plain calls of the receiver; the target is 0.2.
    """
    signal: Signal[...] = Signal()
    sending = f"signal.send({PAYLOAD})"
    measured = {
        "ask nobody": microseconds("signal.has_receivers", signal=signal),
        "send to nobody, no arguments": microseconds("signal.send()", signal=signal),
        "send to nobody": microseconds(sending, signal=signal),
    }
    for receiver in (taking_all, naming_some, naming_each):
        name = receiver.__name__.replace("_", " ")
        measured[f"{name}: plain call"] = plain = microseconds(f"receiver({PAYLOAD})", receiver=receiver)
        with signal.connected_to(receiver):
            measured[f"{name}: send"] = sent = microseconds(sending, signal=signal)
        measured[f"{name}: over 1.2 x plain"] = sent - 1.2 * plain
    return measured


if __name__ == "__main__":
    for what, time in measure().items():
        print(f"{what:32} {time:6.3f} us")
