"""What all clients of this process have in common, whatever their colour: by key, made by who needs it first."""

from __future__ import annotations

from typing import Any

__all__ = ["PROCESS"]

PROCESS: dict[Any, Any] = {}
