"""Version 1's pair ``request, response = op``: what clients are given, and what is filled when it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from esipy.operation import Call

if TYPE_CHECKING:
    from esipy.response import Response

__all__ = ["PendingResponse", "call_of"]


class PendingResponse:
    """The second of the pair ``request, response = op``: empty until the pair was sent, then the answer.

    Attributes:
        status: the HTTP status; None until it is there.
        data, raw, header: as of the answer.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.data: Any = None
        self.raw: bytes | None = None
        self.header: Mapping[str, list[Any]] = {}

    def answered(self, response: Response[Any]) -> None:
        """Take an answer over."""
        self.status, self.data, self.raw, self.header = response.status, response.data, response.raw, response.header

    def __repr__(self) -> str:
        return "<PendingResponse>" if self.status is None else f"<PendingResponse {self.status}>"


def call_of(given: Any) -> Call[Any]:
    """The call of what a program hands to a client: itself, or the pair ``(request, response)``.

    Raises:
        TypeError: it is neither; the text says what to do.
    """
    items: list[Any] = [given]
    if isinstance(given, (tuple, list)) and given:
        items = list(given)  # pyright: ignore[reportUnknownArgumentType]
    first = items[0]
    if isinstance(first, Call):
        if not any(isinstance(item, Call) for item in items[1:]):
            return first  # pyright: ignore[reportUnknownVariableType]
        raise TypeError(f"these are {len(items)} calls: send them with multi_request(calls)")
    if callable(first):  # an operation, or a function of `esipy.ops`
        name = getattr(first, "name", getattr(first, "__name__", "it"))
        raise TypeError(f"{name} is no call: it gives one when it is called, as {name}(...)")
    kind = type(given).__name__  # pyright: ignore[reportUnknownArgumentType]
    raise TypeError(f"{kind} is no call: build one with esipy.ops or app.op['operation_id'](...)")
