"""Lists that roll over while they are read, over HTTP, against the sandbox, which remembers every version it told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from esipy import AsyncEsiClient, EsiClient, ops
from esipy.exceptions import ListChangedError
from esipy.lists.snapshot import Snapshot
from esipy.operation import Call
from esipy.ops.contracts import ContractsPublicRegionIdItem as Contract
from esipy.sandbox import RunningSandbox
from esipy.testing import sandbox

AGENT = {"User-Agent": "tests/1.0 (tests@example.com)"}
REGIONS = itertools.count(10000001)


class Place(NamedTuple):
    """A list of six pages, of one test alone."""

    esi: RunningSandbox
    path: str
    call: Call[list[Contract]]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    """A sandbox over HTTP."""
    with sandbox() as server:
        yield server


@pytest.fixture
def place(running: RunningSandbox) -> Place:
    """A region's contracts."""
    region_id = next(REGIONS)
    path = f"/contracts/public/{region_id}"
    running.roll(path, pages=6)
    return Place(running, path, ops.contracts.get_contracts_public_region_id(region_id=region_id))


def ids(rows: Snapshot[Contract]) -> list[int]:
    """What tells rows apart."""
    return [row.contract_id for row in rows]


def read(colour: str, place: Place, **options: Any) -> Snapshot[Contract]:
    """A snapshot by a new client."""
    if colour == "blocking":
        with EsiClient(headers=AGENT, base_url=place.esi.url) as client:
            return client.snapshot(place.call, **options)

    async def scene() -> Snapshot[Contract]:
        async with AsyncEsiClient(headers=AGENT, base_url=place.esi.url) as aclient:
            return await aclient.snapshot(place.call, **options)

    return asyncio.run(scene())


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
@pytest.mark.parametrize(
    ("after", "change"),
    [
        (1, {"shift": 3}),
        (3, {"shift": -70}),
        (3, {"pages": 8}),
        (1, {"pages": 3}),
        (4, {"pages": 3}),
        (5, {"changed": [2, 6]}),
        (3, {"changed": []}),
    ],
    ids=str,
)
def test_T14_a_rollover_midway_gives_the_new_list(
    colour: str, after: int, change: dict[str, Any], place: Place
) -> None:
    """Rows that move over the borders of pages, more pages, fewer, a few that change: the newest version, whole."""
    place.esi.roll(place.path, after, **change)
    got = read(colour, place, concurrency=2)
    versions = place.esi.versions(place.path)
    assert len(versions) > 1
    assert (versions[-1], True) == (ids(got), got.consistent)
    assert got.refetched > 0


def test_an_iterator_says_that_the_list_has_changed(place: Place) -> None:
    """What it gave is the beginning of the version that page 1 was of."""
    place.esi.roll(place.path, 4, shift=3)
    seen: list[int] = []
    with EsiClient(headers=AGENT, base_url=place.esi.url) as client:
        rows = client.rows(place.call, read_ahead=1)
        with pytest.raises(ListChangedError):
            seen.extend(row.contract_id for row in rows)
        first = place.esi.versions(place.path)[-2]
        assert (True, True) == (seen == first[: len(seen)], 0 < len(seen) < len(first))
        assert place.esi.versions(place.path)[-1] == ids(client.snapshot(place.call))
