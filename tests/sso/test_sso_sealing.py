"""Tokens at rest: sealed for one character, opened with any of the keys, and never for another character."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esipy.exceptions import TokenKeyError, TokenStoreError
from esipy.sso import sealing
from esipy.sso.sealing import KEY_BYTES, Sealer, key_id_of

OLD, NEW, OTHER = (bytes([number]) * KEY_BYTES for number in (1, 2, 3))
ANN = ("application", 90_000_001)

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
characters = st.tuples(st.text(max_size=40), st.integers(0, 2**63 - 1))


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test hears of a store without a key as if it were the first."""
    monkeypatch.setattr(sealing, "_told", set[str]())


@given(st.binary(max_size=5000), characters, st.lists(keys, min_size=1, max_size=3, unique=True), st.data())
def test_what_is_sealed_opens_with_its_key_among_any(
    plain: bytes, whose: tuple[str, int], ring: list[bytes], data: st.DataObject
) -> None:
    """Whatever its place among the keys that are at hand; and shows nothing of what is in it."""
    sealed = Sealer(ring).seal(plain, whose)
    assert plain == Sealer(data.draw(st.permutations(ring))).open(sealed, whose)
    assert len(plain) < 8 or plain not in sealed


@given(characters, characters)
def test_what_is_sealed_for_one_opens_for_no_other(whose: tuple[str, int], others: tuple[str, int]) -> None:
    """A row that is moved to another character or application is refused, and nothing of it is told."""
    sealed = Sealer([NEW]).seal(b"refresh-token", whose)
    if whose != others:
        with pytest.raises(TokenStoreError, match="changed, or were sealed for another character") as caught:
            Sealer([NEW]).open(sealed, others)
        assert not isinstance(caught.value, TokenKeyError)
        assert "refresh-token" not in str(caught.value)


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    """Wherever it is: in the head, or in what is sealed."""
    sealed = bytearray(Sealer([NEW]).seal(b"refresh-token", ANN))
    sealed[data.draw(st.integers(1, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TokenStoreError):
        Sealer([NEW]).open(bytes(sealed), ANN)


def test_the_same_is_never_sealed_twice_the_same() -> None:
    """Nonces are new each time."""
    sealer = Sealer([NEW])
    assert 100 == len({sealer.seal(b"refresh-token", ANN) for _ in range(100)})


def test_a_key_that_is_not_at_hand_is_named() -> None:
    """With the character, the keys that are at hand, and what to do."""
    sealed = Sealer([OTHER]).seal(b"refresh-token", ANN)
    for ring, at_hand in (
        ([NEW, OLD], f"at hand is only {key_id_of(NEW)}, {key_id_of(OLD)}"),
        ([], "at hand is no key"),
    ):
        with pytest.raises(TokenKeyError, match="Nothing is lost: give that key too") as caught:
            Sealer(ring).open(sealed, ANN)
        said = str(caught.value)
        assert (
            f"the tokens of character 90000001 (application application) are sealed with the key {key_id_of(OTHER)}"
            in said
        )
        assert at_hand in said
        assert "refresh-token" not in said


@pytest.mark.parametrize("damaged", [b"", b"\x01", b"\x01short", b"\x02" + bytes(40), b"{}"])
def test_what_cannot_be_anything_sealed_is_told(damaged: bytes) -> None:
    """Nothing at all, too little, a format that is not known."""
    with pytest.raises(
        TokenStoreError, match=r"of character 90000001 .* cannot be read: .* damaged, or .* another version"
    ):
        Sealer([NEW]).open(damaged, ANN)


def test_without_a_key_bytes_are_kept_as_they_are_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """For each store, with what to do; not for memory. What is kept so can be read when there is a key."""
    with caplog.at_level(logging.WARNING, "esipy.tokens"):
        for _ in range(2):
            sealer = Sealer(kept_in="/a")
            sealer.seal(b"refresh-token", ANN)
            sealed = sealer.seal(b"refresh-token", ANN)
        Sealer(kept_in="/b").seal(b"refresh-token", ANN)
        Sealer().seal(b"refresh-token", ANN)
        Sealer([NEW], kept_in="/c").seal(b"refresh-token", ANN)
    assert b"refresh-token" in sealed
    assert b"refresh-token" == Sealer([NEW]).open(sealed, ANN) == Sealer().open(sealed, ANN)
    assert [f"tokens in /{name} are NOT encrypted" in each for name, each in zip("ab", caplog.messages, strict=True)]
    assert "esipy tokens rekey" in caplog.text
    assert "refresh-token" not in caplog.text


def test_what_is_sealed_with_the_first_key_is_current() -> None:
    """What another key has sealed, or none, is not; without any key what is not sealed is."""
    plain, old, new = (Sealer(ring).seal(b"x", ANN) for ring in ([], [OLD], [NEW]))
    assert [False, False, True] == [Sealer([NEW, OLD]).is_current(each) for each in (plain, old, new)]
    assert [True, False, False] == [Sealer().is_current(each) for each in (plain, old, new)]


def test_T44_no_key_is_shown() -> None:
    """By its id only, which tells nothing of it."""
    assert f"<Sealer with the keys {key_id_of(NEW)}, {key_id_of(OLD)}>" == repr(Sealer([NEW, OLD]))
    assert "<Sealer without a key>" == repr(Sealer())
    assert NEW.hex()[:8] != key_id_of(NEW)
