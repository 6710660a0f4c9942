"""Every token store keeps the whole contract; and the contract finds out who does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esipy import testing
from esipy._token_checks import CHECKS, Place, run
from esipy.stores.tokens import TokenRecord, TokenStore
from esipy.tokens import MemoryTokens
from tests.stores.kit import Clock
from tests.stores.token_stores import Shelf, shelf

KINDS = ("memory", "sqlite", "redis")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """Each store of the library."""
    with shelf(request.param, tmp_path, lambda: request.getfixturevalue("valkey")) as made:
        yield made


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_store_keeps_the_contract(place: Shelf, check: Callable[[Place], None]) -> None:
    """Each of its rules, in memory, in a file and on a real server."""
    run(check, place.open, place.clock.wait)
    assert [] == list(place.open().records())


def test_every_check_is_run() -> None:
    """Each public function of the module that takes a place is in the table."""
    from esipy import _token_checks

    offered = [
        value
        for name, value in vars(_token_checks).items()
        if name[0] != "_" and getattr(value, "__module__", "") == _token_checks.__name__ and value not in (Place, run)
    ]
    assert list(CHECKS) == [value for value in offered if callable(value)]


class Forgetful(MemoryTokens):
    """Saves whatever is expected."""

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        found = self.load(client_id, character_id)
        return super().save(client_id, character_id, record, None if found is None else found.version)


class Careless(MemoryTokens):
    """Looks, and saves then: two may do so at once."""

    meeting = threading.Barrier(8)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        found = self.load(client_id, character_id)
        if (None if found is None else found.version) != expected:
            return False
        if expected is None and threading.current_thread() is not threading.main_thread():
            self.meeting.wait(60)  # all eight have looked
        found = self.load(client_id, character_id)
        return super().save(client_id, character_id, record, None if found is None else found.version)


class ByCharacter(MemoryTokens):
    """Knows no applications."""

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        found = super().load("app", character_id)
        return None if found is None else found._replace(client_id=client_id)

    def save(self, client_id: str, character_id: int, record: TokenRecord | None, expected: int | None) -> bool:
        return super().save("app", character_id, record, expected)


class Rounding(MemoryTokens):
    """Keeps whole seconds."""

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        found = super().load(client_id, character_id)
        return None if found is None else found._replace(expires_at=float(int(found.expires_at)))


class AsText(MemoryTokens):
    """Orders numbers as text."""

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        return iter(sorted(super().records(client_id), key=lambda each: (each.client_id, str(each.character_id))))


class Snapshot(MemoryTokens):
    """Reads nothing while it lists."""

    def records(self, client_id: str | None = None) -> Iterator[TokenRecord]:
        for place, each in enumerate(list(super().records(client_id))):
            if place != 100:
                yield each


class Generous(MemoryTokens):
    """Gives leases to everybody."""

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        super().lease(name, holder, seconds)
        return True


class Eternal(MemoryTokens):
    """Has leases that do not end."""

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        return super().lease(name, holder, seconds * 1e6)


class Numberless(MemoryTokens):
    """Keeps the version that it is given."""

    def load(self, client_id: str, character_id: int) -> TokenRecord | None:
        found = super().load(client_id, character_id)
        return None if found is None else found._replace(version=1)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Forgetful, r"save\(\) has to give False when nothing is there and 1 is expected, not True"),
        (Careless, "[2-8] of 8 threads saved as the first what only one may"),
        (ByCharacter, "has to give|gave|has to be"),
        (Rounding, r"load\(\) after it was saved: expires_at has to be 1763865480.123456, not 1763865480.0"),
        (AsText, r"records\(\) has to be in the order of application and character"),
        (Snapshot, r"records\(\) .* (gave 129 of 130|have lost \[101\])"),
        (Generous, r"lease\(\) has given one name to two holders"),
        (Eternal, "a lease has to be free when its time is over"),
        (Numberless, r"version has to be 2, not 1"),
    ],
)
def test_the_check_says_what_a_store_does_wrong(kind: type[MemoryTokens], said: str) -> None:
    """By an AssertionError, as a user's own test would show it."""
    clock = Clock()
    store: TokenStore = kind(clock=clock)
    with pytest.raises(AssertionError, match=said):
        testing.check_token_store(lambda: store, wait=clock.wait)


def test_a_sound_store_passes_and_is_left_as_it_was() -> None:
    """What it had before it has afterwards."""
    clock = Clock()
    store = MemoryTokens(clock=clock)
    kept = TokenRecord("mine", 5, "Ann", "owner", (), "ok", 0.0, 0.0, b"")
    assert store.save("mine", 5, kept, None)
    testing.check_token_store(lambda: store, wait=clock.wait)
    assert [kept._replace(version=1)] == list(store.records())
