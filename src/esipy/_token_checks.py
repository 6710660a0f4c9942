"""What every token store does, wherever it keeps tokens: the checks of `esipy.testing.check_token_store`.

Each is a function of `Place`, and says by an AssertionError what a store does that loses tokens, mixes characters or
refreshes twice. They use applications of their own, so the store may hold other things, and remove what they saved.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from esipy.stores.tokens import TokenRecord, TokenStore

__all__ = ["CHECKS", "Place", "run"]

LONG_SECONDS = 3600.0
SHORT_SECONDS, AFTERWARDS_SECONDS = 1.0, 2.1
"""A lease that ends, and when it has, even by a clock of whole seconds."""

MANY = 130
"""So many records: more than are read at once."""

THREADS = 8
ROUNDS = 10

IDS = (9, 10, 100, 90_000_001, 2_112_000_001, 2**31, 2**53)
"""Of characters: as numbers in this order, as texts in another, and larger than 32 bits."""


class Place(NamedTuple):
    """Where a store keeps things.

    Attributes:
        open: opens the store, at each call anew, as another process would.
        wait: lets so many seconds pass for the store.
        application: a client id that nobody else has.
    """

    open: Callable[[], TokenStore]
    wait: Callable[[float], object]
    application: str

    def record(self, character_id: int = 90_000_001, sealed: bytes = b"\x01sealed", client_id: str = "") -> TokenRecord:
        """What may be kept of a character."""
        return TokenRecord(
            client_id or self.application, character_id, "Ann", "owner=", ("a.v1", "b.v1"), "ok", 1.5e9, 1.4e9, sealed
        )


def _want(done: bool, said: str) -> None:
    if not done:
        raise AssertionError(said)


def _put(store: TokenStore, record: TokenRecord, expected: int | None = None) -> TokenRecord:
    """Save what must be saved; gives it as it has to be from now on."""
    client_id, character_id = record[:2]
    done = store.save(client_id, character_id, record, expected)
    _want(done is True, f"save() with the version that is there ({expected}) has to give True, not {done!r}")
    return record._replace(version=(expected or 0) + 1)


def _see(store: TokenStore, whose: TokenRecord, wanted: TokenRecord | None, when: str) -> None:
    """What is loaded has to be this."""
    found = store.load(whose.client_id, whose.character_id)
    if found is None or wanted is None:
        _want(found is wanted, f"load() {when} has to give {wanted!r}, not {found!r}")
        return
    for field, has, is_ in zip(TokenRecord._fields, wanted, found, strict=True):
        _want(
            has == is_ and isinstance(is_, type(has)),
            f"load() {when}: {field} has to be {has!r}, not {is_!r} ({type(is_).__name__})",
        )


def nothing_is_kept_at_first(place: Place) -> None:
    """Of a character that nobody has saved."""
    store = place.open()
    _see(store, place.record(), None, "of a character that was never saved")
    found = list(store.records(place.application))
    _want(found == [], f"records() of an application without any has to be empty, not {found!r}")


def what_is_saved_is_loaded(place: Place) -> None:
    """Every field as it was, from every place that has the store open."""
    store, other = place.open(), place.open()
    plain = place.record()
    for number, record in enumerate(
        (
            plain,
            plain._replace(name="Ünï Çödé 'Quote' 名前", owner="", scopes=(), state="revoked", sealed=b""),
            plain._replace(sealed=bytes(range(256)) * 32, state="unreachable", expires_at=0.0),
            plain._replace(state="owner changed", expires_at=1_763_865_480.123456, refreshed_at=1_763_864_281.654321),
        )
    ):
        saved = _put(store, record, number or None)
        _see(store, saved, saved, "after it was saved")
        _see(other, saved, saved, "from another place after it was saved")
    for character_id in IDS:
        saved = _put(store, place.record(character_id, client_id=f"{place.application}-ids"))
        _see(other, saved, saved, f"of character {character_id}")


def the_store_counts_versions(place: Place) -> None:
    """Whatever the record says that is given."""
    store = place.open()
    saved = _put(store, place.record()._replace(version=77))
    _see(store, saved, saved, "of what was saved first")
    again = _put(store, saved._replace(sealed=b"2", version=0), 1)
    _see(store, again, again, "of what was saved then")


def only_the_expected_version_is_replaced(place: Place) -> None:
    """Of two that have read the same, one comes too late."""
    store, other = place.open(), place.open()
    fresh = place.record()
    for missing in (1, 0):
        done = store.save(*fresh[:2], fresh, missing)
        _want(done is False, f"save() has to give False when nothing is there and {missing} is expected, not {done!r}")
        _see(store, fresh, None, "after a save that was refused")
    saved = _put(store, fresh)
    for expected in (None, 2, 0):
        done = other.save(*fresh[:2], fresh._replace(sealed=b"late"), expected)
        _want(done is False, f"save() has to give False when version 1 is there, not {expected}: it gave {done!r}")
        _see(store, saved, saved, "after a save that was refused")
    same = other.save(*fresh[:2], saved, None)
    _want(same is False, "save() has to give False when something is there, even if it is the same")
    newer = _put(other, saved._replace(sealed=b"newer"), 1)
    _see(store, newer, newer, "after another has saved")
    done = store.save(*fresh[:2], newer, 1)
    _want(done is False, "save() has to give False when its version has been replaced, even by the same record")


def what_is_removed_is_gone(place: Place) -> None:
    """Unless it was replaced meanwhile; then it can be saved as new."""
    store, other = place.open(), place.open()
    saved = _put(store, place.record())
    whose = saved[:2]
    for expected in (2, None):
        _want(store.save(*whose, None, expected) is False, f"what has version 1 was removed for {expected}")
        _see(store, saved, saved, "after a removal that was refused")
    _want(other.save(*whose, None, 1) is True, "save(None) with the version that is there has to give True")
    _see(store, saved, None, "after it was removed")
    _want(list(store.records(place.application)) == [], "records() still has what was removed")
    _want(store.save(*whose, None, 1) is False, "save(None) of what is gone has to give False")
    again = _put(store, place.record(sealed=b"again"))
    _see(other, again, again, "of what was saved after a removal")


def characters_and_applications_are_apart(place: Place) -> None:
    """The same character may log in to two applications; what happens to one login touches no other."""
    store = place.open()
    client_ids = (place.application, f"{place.application}2", place.application[:-1])
    kept: dict[tuple[str, int], TokenRecord] = {}
    for client_id in client_ids:
        for character_id in (1, 2, 12):
            record = place.record(character_id, f"{client_id} {character_id}".encode(), client_id)
            kept[client_id, character_id] = _put(store, record)
    for whose in kept:
        kept[whose] = _put(store, kept[whose]._replace(sealed=kept[whose].sealed + b" again"), 1)
        for each in kept.values():
            _see(store, each, each, f"of one login after another ({whose}) was saved")
    gone = (place.application, 1)
    store.save(*gone, None, 2)
    for whose, each in kept.items():
        _see(store, each, None if whose == gone else each, "of one login after another was removed")


def records_come_in_order(place: Place) -> None:
    """By application, as text, then by character, as number; each once; of one application or of all."""
    store = place.open()
    client_ids = sorted(f"{place.application}{end}" for end in ("", "a", "b"))
    wanted = [
        _put(store, place.record(character_id, client_id=client_id))
        for client_id in reversed(client_ids)
        for character_id in reversed(IDS)
    ][::-1]
    own = [each for each in store.records() if each.client_id in client_ids]
    _want(own == wanted, f"records() has to be in the order of application and character: {own!r}")
    for client_id in client_ids:
        own = list(store.records(client_id))
        _want(own == [each for each in wanted if each.client_id == client_id], f"records({client_id!r}) gave {own!r}")


def many_records_are_read_while_they_change(place: Place) -> None:
    """What is neither saved nor removed meanwhile comes once; several may read; who ends half-way disturbs nobody."""
    store, other = place.open(), place.open()
    for character_id in range(1, MANY + 1):
        _put(store, place.record(character_id))
    half_way = store.records(place.application)
    seen = [each.character_id for each in islice(half_way, 10)]
    for character_id in range(MANY, MANY - 10, -1):
        other.save(place.application, character_id, None, 1)
        _put(other, place.record(character_id - 100, b"2"), 1)
        _put(store, place.record(10_000 + character_id))
    another = [each.character_id for each in store.records(place.application)]
    _want(len(another) == MANY, f"records() while another reads them gave {len(another)} of {MANY}")
    seen += [each.character_id for each in half_way]
    _want(seen == sorted(set(seen)), "records() that change while they are read have to come once, and in order")
    missing = set(range(1, MANY - 9)).difference(seen)
    _want(not missing, f"records() that change while they are read have lost {sorted(missing)[:5]}")
    next(store.records(place.application))
    _put(store, place.record(5, b"2"), 1)


def a_lease_has_one_holder(place: Place) -> None:
    """Its holder may ask again, and gives it back; nobody else can."""
    store, other = place.open(), place.open()
    name, another = (f"refresh {place.application} {number}" for number in (1, 2))
    for _ in range(2):
        _want(store.lease(name, "one", LONG_SECONDS) is True, "lease() of what is free has to give True")
        _want(other.lease(name, "two", LONG_SECONDS) is False, "lease() has given one name to two holders")
        _want(other.lease(name, "one", LONG_SECONDS) is True, "lease() has to give its holder True again")
        _want(other.lease(another, "two", LONG_SECONDS) is True, "lease() of one name has to leave others free")
        _want(other.lease(name, "two", 0) is False, "lease(.., 0) by another than the holder has to give False")
        _want(other.lease(name, "two", LONG_SECONDS) is False, "lease(.., 0) by another than the holder has ended it")
        _want(store.lease(name, "one", 0) is True, "lease(.., 0) by its holder has to give True")
        _want(store.lease(name, "one", 0) is False, "lease(.., 0) of what nobody holds has to give False")
        _want(other.lease(name, "two", LONG_SECONDS) is True, "a lease that was given back has to be free")
        other.lease(name, "two", 0)
        other.lease(another, "two", 0)


def a_lease_ends_by_itself(place: Place) -> None:
    """Its holder may have been killed. A holder that asked again in time has it longer."""
    store, other = place.open(), place.open()
    ended, longer, gone = (f"refresh {place.application} {number}" for number in (3, 4, 5))
    for name in (ended, longer, gone):
        _want(store.lease(name, "one", SHORT_SECONDS) is True, "lease() of what is free has to give True")
    _want(store.lease(longer, "one", LONG_SECONDS) is True, "lease() has to give its holder True again")
    place.wait(AFTERWARDS_SECONDS)
    _want(other.lease(ended, "two", LONG_SECONDS) is True, "a lease has to be free when its time is over")
    _want(store.lease(ended, "one", LONG_SECONDS) is False, "a lease that ended was given to two holders")
    _want(other.lease(longer, "two", LONG_SECONDS) is False, "a lease that its holder asked for again ended too early")
    _want(store.lease(gone, "one", 0) is False, "lease(.., 0) has to give False when the time is over")
    other.lease(ended, "two", 0)
    store.lease(longer, "one", 0)


def of_threads_one_wins(place: Place) -> None:
    """Eight at once, each with the store open: no save is lost, one begins, one has a lease."""
    stores = [place.open() for _ in range(THREADS)]
    starting = threading.Barrier(THREADS)
    whose = (place.application, 1)
    begun = place.record(1, b"0")
    name = f"refresh {place.application} 6"

    def work(number: int) -> tuple[bool, bool]:
        store = stores[number]
        starting.wait(60)
        first = store.save(*whose, begun, None)
        holds = store.lease(name, f"thread {number}", LONG_SECONDS)
        done = 0
        while done < ROUNDS:
            found = store.load(*whose)
            if found is None:
                raise AssertionError("load() gives nothing though it was saved")
            counted = found._replace(sealed=str(int(found.sealed) + 1).encode())
            done += store.save(*whose, counted, found.version)
        return first, holds

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(work, range(THREADS)))
    for number, store in enumerate(stores):
        store.lease(name, f"thread {number}", 0)
    first, holds = (sum(each) for each in zip(*results, strict=True))
    _want(first == 1, f"{first} of {THREADS} threads saved as the first what only one may")
    _want(holds == 1, f"{holds} of {THREADS} threads were given one lease")
    saves = THREADS * ROUNDS
    wanted = begun._replace(sealed=str(saves).encode(), version=saves + 1)
    _see(place.open(), begun, wanted, f"after {saves} saves by {THREADS} threads at once")


CHECKS: tuple[Callable[[Place], None], ...] = (
    nothing_is_kept_at_first,
    what_is_saved_is_loaded,
    the_store_counts_versions,
    only_the_expected_version_is_replaced,
    what_is_removed_is_gone,
    characters_and_applications_are_apart,
    records_come_in_order,
    many_records_are_read_while_they_change,
    a_lease_has_one_holder,
    a_lease_ends_by_itself,
    of_threads_one_wins,
)
"""In the order in which they are run."""


def run(check: Callable[[Place], None], make_store: Callable[[], TokenStore], wait: Callable[[float], object]) -> None:
    """One check, with an application of its own; what it saved is removed."""
    place = Place(make_store, wait, f"check{secrets.token_hex(8)}x")
    try:
        check(place)
    finally:
        _tidy(place)


def _tidy(place: Place) -> None:
    store = place.open()
    for record in store.records():
        if record.client_id.startswith(place.application[:-1]):
            store.save(*record[:2], None, record.version)
