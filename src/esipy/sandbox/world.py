"""Who and what exists in the sandbox's universe: ids, categories, names and who belongs to whom.

Rules: nothing is kept; everything follows from an id, the seed and the roster, so that all operations agree.
Names are reversible: `World.find` gives back the id that `World.name` named. The map is arithmetic (seven
systems a constellation, ten constellations a region), laid out so that Jita lies in Kimotoro in The Forge.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from typing import NamedTuple

from esipy.sandbox.characters import Roster

__all__ = ["KINDS", "THE_FORGE", "Kind", "World", "stable"]

THE_FORGE = 10_000_002


def stable(*parts: object) -> int:
    """A number of 64 bits that depends on the parts alone: the same in every process and Python."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


class Kind(NamedTuple):
    """One category of named things: its words in ESI, its ids, and how its generated names end."""

    category: str
    plural: str
    ids: range
    ending: str


# Order matters where ranges meet: the first that holds an id names it.
KINDS = (
    Kind("faction", "factions", range(500_001, 500_028), " Union"),
    Kind("corporation", "corporations", range(1_000_001, 1_000_300), " Authority"),
    Kind("corporation", "corporations", range(98_000_001, 99_000_000), " Corporation"),
    Kind("alliance", "alliances", range(99_000_001, 100_000_000), " Alliance"),
    Kind("character", "characters", range(90_000_000, 98_000_000), ""),
    Kind("character", "characters", range(2_100_000_000, 2_147_483_648), ""),
    Kind("region", "regions", range(10_000_001, 10_000_071), " Expanse"),
    Kind("constellation", "constellations", range(20_000_010, 20_000_710), " Cluster"),
    Kind("solar_system", "systems", range(30_000_071, 30_004_971), " Prime"),
    Kind("station", "stations", range(60_000_000, 61_000_000), " Station"),
    Kind("inventory_type", "inventory_types", range(1, 20_001), " Module"),
)

_KNOWN = {
    500_001: "Caldari State",
    500_002: "Minmatar Republic",
    500_003: "Amarr Empire",
    500_004: "Gallente Federation",
    1_000_035: "Caldari Navy",
    THE_FORGE: "The Forge",
    20_000_020: "Kimotoro",
    30_000_142: "Jita",
    30_000_144: "Perimeter",
    60_003_760: "Jita IV - Moon 4 - Caldari Navy Assembly Plant",
    34: "Tritanium",
    35: "Pyerite",
    36: "Mexallon",
    37: "Isogen",
    38: "Nocxium",
    39: "Zydrine",
    40: "Megacyte",
    587: "Rifter",
    670: "Capsule",
    11_399: "Morphite",
}
_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeio"
_SYLLABLES = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
_DIGITS = {syllable: digit for digit, syllable in enumerate(_SYLLABLES)}


def _word(number: int) -> str:
    """The number in base 64, a syllable a digit; three syllables at least."""
    syllables: list[str] = []
    while number or len(syllables) < 3:
        number, digit = divmod(number, 64)
        syllables.append(_SYLLABLES[digit])
    return "".join(reversed(syllables))


def _number(word: str) -> int | None:
    syllables = [word[place : place + 2] for place in range(0, len(word), 2)]
    if len(syllables) < 3 or any(syllable not in _DIGITS for syllable in syllables):
        return None
    number = 0
    for syllable in syllables:
        number = number * 64 + _DIGITS[syllable]
    return number


class World:
    """The universe of one sandbox."""

    def __init__(self, seed: int, roster: Roster) -> None:
        self.seed = seed
        self.roster = roster
        self._known_names = {name.lower(): known for known, name in _KNOWN.items()}
        self._roster_names: dict[str, int] = {}

    def dice(self, *parts: object) -> Random:
        """A source of choices that depends on the seed and the parts alone."""
        return Random(stable(self.seed, *parts))  # noqa: S311 - plausible data, no secrets

    def kind(self, thing_id: int) -> Kind | None:
        """What an id is; None when nothing with a name can have it."""
        return next((kind for kind in KINDS if thing_id in kind.ids), None)

    def name(self, thing_id: int) -> str | None:
        """The name of a thing; None when nothing has this id."""
        if thing_id in _KNOWN:
            return _KNOWN[thing_id]
        if thing_id in self.roster:
            return self.roster.get(thing_id).name
        kind = self.kind(thing_id)
        if kind is None:
            return None
        word = _word(thing_id - kind.ids.start)
        if kind.category == "character":
            return f"{word[:4].title()} {word[4:].title()} {'II' if kind.ids.start > 10**9 else 'I'}"
        return word.title() + kind.ending

    def named(self, thing_id: int) -> str:
        """The name of a thing, or one made up for an id that is in no category."""
        return self.name(thing_id) or f"Unknown {thing_id}"

    def find(self, name: str) -> tuple[Kind, int] | None:
        """What has this name, in any case; None when nothing has."""
        wanted = name.strip().lower()
        found = self._known_names.get(wanted) or self._in_roster(wanted) or self._generated(wanted)
        if found is None:
            return None
        kind = self.kind(found)
        # The round trip refuses a word that would name an id outside its category, or one that is named otherwise.
        return (kind, found) if kind is not None and self.named(found).lower() == wanted else None

    def _in_roster(self, wanted: str) -> int | None:
        if not self._roster_names:
            self._roster_names = {character.name.lower(): character.character_id for character in self.roster}
        return self._roster_names.get(wanted)

    def _generated(self, wanted: str) -> int | None:
        for kind in KINDS:
            ending = kind.ending.lower()
            if kind.category == "character":
                ending = " ii" if kind.ids.start > 10**9 else " i"
            if wanted.endswith(ending):
                number = _number(wanted.removesuffix(ending).replace(" ", ""))
                if number is not None and kind.ids.start + number in kind.ids:
                    return kind.ids.start + number
        return None

    # ---- who belongs to whom ----

    def corporation_of(self, character_id: int) -> int:
        """A character's corporation."""
        if character_id in self.roster:
            return self.roster.get(character_id).corporation_id
        return 98_001_000 + stable(self.seed, "corporation", character_id) % 4_000

    def alliance_of(self, corporation_id: int) -> int | None:
        """A corporation's alliance; None when it stands alone."""
        members = self.roster.members(corporation_id)
        if members:
            return self.roster.get(members[0]).alliance_id
        number = stable(self.seed, "alliance", corporation_id)
        return 99_001_000 + number % 300 if number >> 60 < 10 else None

    def ceo_of(self, corporation_id: int) -> int:
        """A corporation's chief: the first of its characters."""
        members = self.roster.members(corporation_id)
        return members[0] if members else 90_000_000 + stable(self.seed, "ceo", corporation_id) % 7_000_000

    def members_of(self, corporation_id: int) -> list[int]:
        """A corporation's characters, lowest id first."""
        members = self.roster.members(corporation_id)
        if members:
            return list(members)
        dice = self.dice("members", corporation_id)
        return sorted({self.ceo_of(corporation_id), *(90_000_000 + dice.randrange(7_000_000) for _ in range(30))})

    # ---- the map ----

    @staticmethod
    def constellation_of(system_id: int) -> int:
        """The constellation of a solar system."""
        return 20_000_000 + (system_id - 30_000_001) // 7

    @staticmethod
    def region_of(constellation_id: int) -> int:
        """The region of a constellation."""
        return 10_000_000 + (constellation_id - 20_000_000) // 10

    @staticmethod
    def systems_of(constellation_id: int) -> range:
        """The solar systems of a constellation."""
        first = 30_000_001 + (constellation_id - 20_000_000) * 7
        return range(first, first + 7)

    @staticmethod
    def constellations_of(region_id: int) -> range:
        """The constellations of a region."""
        first = 20_000_000 + (region_id - 10_000_000) * 10
        return range(first, first + 10)
