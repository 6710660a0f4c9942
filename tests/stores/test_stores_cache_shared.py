"""The contract of caches that processes share: one clock, who fetches, and what is not believed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.caches import PATH, SHARED, Place, answer, places


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each cache of several processes."""
    yield from places(request.param, tmp_path, request)


@pytest.mark.parametrize("ahead_seconds", [3600.0, -3600.0, 1e9])
def test_T06_processes_whose_clocks_differ_agree_on_freshness(shared: Place, ahead_seconds: float) -> None:
    """What is fresh for five minutes more is so for each, by its own clock."""
    writer, reader = shared.process(), shared.process(ahead_seconds=ahead_seconds)
    writer.put("a", answer(fresh_until=writer.runtime.now() + 300))
    shared.now += 100
    found = reader.get("a")
    assert found is not None
    assert found.fresh_until is not None
    assert found.fresh_until - reader.runtime.now() == pytest.approx(200, abs=0.001)


def test_T11_what_is_not_word_for_word_ours_is_a_miss(shared: Place) -> None:
    """Whatever a stranger put there, or a disk damaged; and it is kept again then."""
    process = shared.process()
    process.put("good", b"good")
    good = shared.raw("good")
    assert good is not None
    pickled = b"cos\nsystem\n(S'touch owned'\ntR."
    for data in (b"", b"x", b"x" * 200, pickled, good[:-1], good + b"x", good[:20] + b"\xff" + good[21:]):
        process.put("a")
        shared.plant("a", data)
        assert process.get("a") is None
        process.put("a", b"again")
        assert process.body("a") == b"again"


def test_T11_an_entry_under_another_key_is_a_miss(shared: Place) -> None:
    """One character's answer is not given to another by moving it."""
    process = shared.process()
    process.put("mine", b"mine")
    process.put("yours", b"yours")
    mine = shared.raw("mine")
    assert mine is not None
    shared.plant("yours", mine)
    assert process.get("yours") is None


def test_one_claims_and_the_others_wait(shared: Place) -> None:
    """Until the answer is there, or the claim is given up; other keys are other claims."""
    first, second = shared.process(), shared.process()
    token = first.claim("a")
    assert token
    assert (second.claim("a"), first.claim("a")) == (None, None)
    assert second.claim("b")
    first.put("a", b"x", PATH, token)
    assert second.body("a") == b"x"
    again = second.claim("a")
    assert again
    assert first.claim("a") is None
    second.release("a", again)
    assert first.claim("a")


def test_tokens_only_grow(shared: Place) -> None:
    """Whoever claims, and whatever is dropped."""
    tokens = [0]
    for _ in range(5):
        process = shared.process()
        token = process.claim("a")
        assert token
        tokens.append(token)
        process.release("a", token)
        process.drop()
    assert tokens == sorted(set(tokens))


def test_a_claim_ends_by_itself(shared: Place) -> None:
    """Its holder may have died. It ends no later claim, and puts nothing over what came from that."""
    late, other = shared.process(), shared.process()
    old = late.claim("a", 0.001)
    assert old
    new = shared.let_end(lambda: other.claim("a"))
    late.release("a", old)
    late.put("a", b"old", PATH, old)
    assert late.body("a") is None
    assert late.claim("a") is None
    other.put("a", b"new", PATH, new)
    late.put("a", b"old", PATH, old)
    assert late.body("a") == b"new"


def test_who_is_late_but_alone_is_kept(shared: Place) -> None:
    """The claim is over, and nobody else has claimed it since."""
    process = shared.process()
    old = process.claim("a", 0.001)
    other = shared.let_end(lambda: process.claim("b", 0.001))
    assert old is not None
    assert other > old
    process.put("a", b"late", PATH, old)
    assert process.body("a") == b"late"


@pytest.mark.parametrize("verb", ["drop", "clear"])
def test_T02_what_was_being_read_when_its_path_was_dropped_is_not_kept(shared: Place, verb: str) -> None:
    """It may be from before the write, whichever process reads; the claim ends all the same. Other paths are kept."""
    reader, writer = shared.process(), shared.process()
    token, other = reader.claim("a"), reader.claim("b")
    writer.drop() if verb == "drop" else writer.clear()
    reader.put("a", b"before", PATH, token)
    reader.put("b", b"other", "/other", other)
    assert reader.body("a") is None
    assert reader.body("b") == (b"other" if verb == "drop" else None)
    after = writer.claim("a")
    writer.put("a", b"after", PATH, after)
    assert reader.body("a") == b"after"


def test_a_token_that_the_store_does_not_know_keeps_nothing(shared: Place) -> None:
    """It was given before the store was lost, and with it what was dropped. Nothing is fenced off by it, either."""
    process = shared.process()
    token = process.claim("a")
    assert token
    process.put("a", b"unknown", PATH, token + 1_000_000_000)
    assert process.get("a") is None
    process.put("a", b"known", PATH, token)
    assert process.body("a") == b"known"


def test_without_a_token_it_is_kept_in_any_case(shared: Place) -> None:
    """And what was claimed before it is older."""
    first, second = shared.process(), shared.process()
    token = first.claim("a")
    second.put("a", b"newer")
    first.put("a", b"older", PATH, token)
    assert first.body("a") == b"newer"


def test_what_is_kept_is_counted(shared: Place) -> None:
    """By every process the same; what was put twice is there once, and what was dropped makes room when it is due."""
    one, other = shared.process(), shared.process()
    assert (0, 0) == one.shared.size()
    one.put("a", path="/a")
    one.put("b", b"x" * 1500, path="/b")
    other.put("b", b"x" * 1500, path="/b")
    entries, stored_bytes = other.shared.size()
    assert 2 == entries
    assert 1500 < stored_bytes < 5000
    one.shared.drop("/b")
    assert 1 <= other.shared.size()[0] <= 2
    other.shared.clear()
    assert (0, 0) == one.shared.size()


def test_bodies_are_kept_small(shared: Place) -> None:
    """Large ones are compressed; small ones are not worth it, nor those that do not get smaller."""
    process = shared.process()
    bodies = {"rows": b'{"type_id":34,"price":5.01},' * 1000, "small": b"x" * 500}
    bodies["noise"] = random.Random(1).randbytes(10_000)
    for key, body in bodies.items():
        process.put(key, body)
        assert process.body(key) == body
    sizes = {key: len(shared.raw(key) or b"") for key in bodies}
    assert sizes["rows"] < 1000
    assert 500 < sizes["small"] < 800
    assert 10_000 < sizes["noise"] < 10_300
