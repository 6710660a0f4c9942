"""The traffic of a day: who asks for what, and when; all of it follows from the seed.

Rules: there is a bucket for each group and character, and one for each group of public operations. Each day some
buckets are *hungry*: four bursty workers ask for more than these hold, for windows at a time, then pause. All others
are asked for less than they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from esipy import ops
from esipy.operation import Call, Operation

__all__ = ["DOOMED", "FIRST_CHARACTER", "SPAMMED", "UNGROUPED", "Burst", "Targets", "bursts", "targets"]

FIRST_CHARACTER = 2_112_000_001
MOST_OPERATIONS = 3
"""Of one group that a bucket's callers use."""

UNGROUPED = ("get_characters_character_id_orders", "get_universe_systems", "get_dogma_attributes")
DOOMED = "get_universe_stars_star_id"
"""Without a group, and always answered 404: what the error limit is for."""

SPAMMED = ("get_markets_region_id_history", "get_universe_types_type_id")
"""With limiters inside the game server: the client knows the first, and not the second."""


class Targets(NamedTuple):
    """A bucket's calls.

    Attributes:
        group: its name; "" for calls without a group.
        limit, window_seconds: its size.
        character_id: whose it is; 0: the address's.
        calls: to choose from.
    """

    group: str
    limit: int
    window_seconds: int
    character_id: int
    calls: tuple[Call[Any], ...]


class Burst(NamedTuple):
    """Calls that a worker begins at one moment.

    Attributes:
        at: seconds since the beginning.
        worker: its number.
        calls: how many; at_once: by so many tasks.
    """

    at: float
    worker: int
    targets: Targets
    calls: int
    at_once: int


def targets(characters: int) -> Iterator[Targets]:
    """All buckets of so many characters, and of the address."""
    groups: dict[tuple[Any, bool], list[Operation[Any]]] = {}
    for operation in ops.operations():
        if operation.group is not None:
            groups.setdefault((operation.group, operation.scope is not None), []).append(operation)
    for (group, private), operations in groups.items():
        reading = [it for it in operations if it.method == "GET"] or operations[:1]
        whose = range(FIRST_CHARACTER, FIRST_CHARACTER + characters) if private else (0,)
        for character_id in whose:
            calls = tuple(_call(operation, character_id) for operation in reading[:MOST_OPERATIONS])
            yield Targets(group.name, group.max_tokens, group.window_seconds, character_id, calls)


def _call(operation: Operation[Any], character_id: int) -> Call[Any]:
    """A call of it with some value for all that it needs."""
    values: dict[str, Any] = {"integer": 7, "number": 7.0, "boolean": False, "string": "a" * 36, "object": {}}
    given: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.name == "character_id":
            given[parameter.name] = character_id
        elif parameter.required and parameter.default is None:
            given[parameter.name] = parameter.choices[0] if parameter.choices else values.get(parameter.kind, [7])
    return operation(**given)


# -- when ------------------------------------------------------------------------------------------------------------

WORKERS = 4
TASKS = 60
"""Of one worker for one bucket, at the most."""

BUSY_SHARE = 0.06
"""The share of the windows in which a bucket that is not hungry is asked for anything."""


class Appetite(NamedTuple):
    """How many buckets of a size are hungry, and for how long.

    Attributes:
        share: of all characters' buckets of this size, those that are hungry.
        at_most: so many of them.
        windows: in a day, in which each is asked for all that it holds; in_a_row: of these.
    """

    share: float
    at_most: int
    windows: int
    in_a_row: int


APPETITES = {
    15: Appetite(1.0, 500, 32, 8),
    30: Appetite(0.2, 300, 30, 6),
    150: Appetite(0.2, 40, 24, 6),
    300: Appetite(0.2, 20, 20, 5),
    600: Appetite(0.2, 10, 16, 4),
    900: Appetite(0.2, 4, 12, 4),
    1200: Appetite(0.2, 3, 12, 4),
    1800: Appetite(0.2, 3, 12, 4),
    3600: Appetite(1.0, 2, 12, 4),
    12000: Appetite(1.0, 1, 8, 4),
}


def bursts(seed: int, characters: int, hours: float) -> list[Burst]:
    """All bursts, in the order in which they begin."""
    random = Random(seed)
    everything = list(targets(characters))
    random.shuffle(everything)
    found: list[Burst] = []
    hungry = dict.fromkeys(APPETITES, 0)
    present = dict.fromkeys(APPETITES, 0)
    for one in everything:
        present[one.limit] += 1
    for one in everything:
        appetite = APPETITES[one.limit]
        if hungry[one.limit] < min(appetite.at_most, max(1, round(appetite.share * present[one.limit]))):
            hungry[one.limit] += 1
            found += _hungry(random, one, appetite, hours)
        else:
            found += _modest(random, one, hours)
    found += _ungrouped(random, hours)
    pauses = [_Stints(random) for _ in range(WORKERS)]
    found = [burst._replace(at=pauses[burst.worker].working_at(burst.at)) for burst in found]
    return sorted(found, key=lambda burst: burst.at)


class _Stints:
    """When a worker works, and when it pauses."""

    def __init__(self, random: Random) -> None:
        self._work_seconds = random.uniform(1500, 3000)
        self._pause_seconds = random.uniform(300, 900)

    def working_at(self, at: float) -> float:
        """This moment, or the end of the pause that it is in."""
        period = self._work_seconds + self._pause_seconds
        number, within = divmod(at, period)
        return at if within < self._work_seconds else (number + 1) * period


def _hungry(random: Random, whom: Targets, appetite: Appetite, hours: float) -> Iterator[Burst]:
    """More than it holds, for some windows at a time."""
    window_seconds, whole = whom.window_seconds, whom.limit // 2
    windows_left = max(2, round(appetite.windows * hours / 24))
    meals = -(-windows_left // appetite.in_a_row)
    for meal in range(meals):
        windows = min(appetite.in_a_row, windows_left)
        windows_left -= windows
        at = (meal + random.random() * 0.3) * hours * 3600 / meals
        for worker in range(WORKERS):
            count = whole * windows // WORKERS + 1
            yield Burst(at + random.random() * window_seconds / 3, worker, whom, count, min(count, TASKS))


def _modest(random: Random, whom: Targets, hours: float) -> Iterator[Burst]:
    """Less than it holds: now and then a few calls, and once at least."""
    most = max(1, min(whom.limit // 10, 8))
    windows = int(hours * 3600 / whom.window_seconds)
    once = random.randrange(windows)
    for window in range(windows):
        if window == once or random.random() < BUSY_SHARE:
            calls = random.randint(1, most)
            at = (window + random.random() * 0.8) * whom.window_seconds
            yield Burst(at, random.randrange(WORKERS), whom, calls, calls)


def _ungrouped(random: Random, hours: float) -> Iterator[Burst]:
    """What has no bucket: some calls that go well, some that never do, and some that are limited inside the game."""
    for name, count in ((DOOMED, 250), *((name, 500) for name in SPAMMED), *((name, 200) for name in UNGROUPED)):
        whom = Targets("", 0, 0, FIRST_CHARACTER, (_call(ops.operation(name), FIRST_CHARACTER),))
        for _ in range(max(2, round(hours * 0.5))):
            yield Burst(random.random() * hours * 3600 * 0.9, random.randrange(WORKERS), whom, count, TASKS)
