"""`EsiApp`: ESI's operations, looked up by id: ``app.op["get_status"]()`` builds a call.

Everything comes from the catalogue that is part of this package: building an app needs no network and no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from esipy import ops
from esipy.exceptions import InvalidCallError, UnknownOperationError
from esipy.operation import Operation

__all__ = ["App", "EsiApp", "Operations"]


class Operations(Mapping[str, Operation[Any]]):
    """The operations by name: version 1's id, today's id, or a suffix of the former that only one of them has."""

    def __getitem__(self, name: str) -> Operation[Any]:
        """Find an operation.

        Raises:
            UnknownOperationError: (a KeyError) none has this name; the text lists near ones.
            InvalidCallError: (a ValueError) several end so; the text lists them.
        """
        try:
            return ops.operation(name)
        except KeyError:
            pass
        names = ops.names()
        ending = [known for known in names if known.endswith(f"_{name}")] if name else []
        if len(ending) == 1:
            return ops.operation(ending[0])
        if ending:
            shown = ", ".join(ending[:8]) + (", ..." if len(ending) > 8 else "")
            raise InvalidCallError(f"{name!r} is the end of {len(ending)} operations: {shown}; give one of them whole")
        near = get_close_matches(str(name), names, 5, 0.6)
        way_out = f"; near ones are {', '.join(near)}" if near else "; see `esipy call --list`"
        raise UnknownOperationError(f"no operation {name!r}{way_out}")

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]
        except (KeyError, ValueError):
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(ops.names())

    def __len__(self) -> int:
        return len(ops.names())

    def __repr__(self) -> str:
        return f"<{len(self)} operations>"


class App:
    """ESI's operations under ``.op``."""

    def __init__(self) -> None:
        self.op = Operations()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of ESI at {ops.COMPATIBILITY_DATE}>"


class EsiApp(App):
    """Version 1's entry: every version's document that it could ask for is the one catalogue of this package."""

    @property
    def get_latest_swagger(self) -> App:
        """The app itself: there is one catalogue."""
        return self
