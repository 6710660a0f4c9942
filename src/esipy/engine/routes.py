"""Limiters of single routes inside the game server: they refuse without a header that says how much is left (T27).

Those that are known have a limit from the start. Any other route gets one when it is refused: half of what the known
ones have, half of that at the next refusal, and so on; after each minute without a refusal it grows by a quarter. While
refusals go on the route rests, each time twice as long. What one process learns, others learn by being refused.
"""

from __future__ import annotations

__all__ = ["Route", "Routes"]

ROUTE_LIMIT = 300
ROUTE_WINDOW_SECONDS = 60.0
PRESETS = ("GetMarketsRegionIdHistory", "GetCharactersCharacterIdCorporationhistory")
"""Limited to 300 calls a minute and address. Source: CCP's announcement of 2023-05-09; esi-issues 876 and 1376."""

SMALLEST_LIMIT = 5
REST_SECONDS = 15.0
LONGEST_REST_SECONDS = 240.0
GROWTH = 1.25


class Route:
    """What is believed of one route.

    Attributes:
        limit: calls in a window; window_seconds: how long that is.
        refusals: in a row.
        changed_at: when the limit was last changed.
    """

    __slots__ = ("changed_at", "limit", "preset", "refusals", "window_seconds")

    def __init__(self, *, preset: bool) -> None:
        self.limit = ROUTE_LIMIT
        self.window_seconds = ROUTE_WINDOW_SECONDS
        self.preset = preset
        self.refusals = 0
        self.changed_at = 0.0


class Routes(dict[str, Route]):
    """The routes that are known to be limited, by operation id."""

    def __init__(self) -> None:
        super().__init__({operation_id: Route(preset=True) for operation_id in PRESETS})

    def refused(self, operation_id: str, now: float, random: float) -> float:
        """A route refused a call without saying for how long: gives the seconds to let it rest.

        Args:
            random: in [0, 1), so that those who were refused together do not come back together.
        """
        route = self.get(operation_id)
        if route is None:
            route = self[operation_id] = Route(preset=False)
        if now - route.changed_at >= REST_SECONDS or not route.refusals:  # those of one volley are one refusal
            route.refusals += 1
            route.limit = max(route.limit // 2, SMALLEST_LIMIT)
            route.changed_at = now
        rest_seconds: float = min(REST_SECONDS * 2.0 ** (route.refusals - 1), LONGEST_REST_SECONDS)
        return rest_seconds * (1.0 + random / 4)

    def passed(self, operation_id: str, now: float) -> bool:
        """A route answered: after a minute without refusals it is trusted with more. Gives whether it now is."""
        route = self.get(operation_id)
        if route is None or (route.preset and route.limit >= ROUTE_LIMIT and not route.refusals):
            return False
        if now - route.changed_at < route.window_seconds:
            return False
        route.refusals = 0
        route.changed_at = now
        route.limit = min(int(route.limit * GROWTH) + 1, ROUTE_LIMIT)
        if route.limit >= ROUTE_LIMIT and not route.preset:
            del self[operation_id]
        return True
