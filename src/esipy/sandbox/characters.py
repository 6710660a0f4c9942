"""Who lives in the sandbox: characters with their corporation and alliance, derived from a seed by id.

Nothing is kept per character but what tests change (who was sold), so a roster of 10,000 costs what a roster
of ten does. Both halves of the sandbox, SSO and ESI, ask here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

__all__ = ["FIRST_ALLIANCE", "FIRST_CHARACTER", "FIRST_CORPORATION", "Character", "Roster"]

FIRST_CHARACTER = 2_112_000_001
FIRST_CORPORATION = 98_000_001
FIRST_ALLIANCE = 99_000_001

_MEMBERS = 5  # characters in a corporation
_CORPORATIONS = 2  # corporations in an alliance

_GIVEN = (  # noqa: SIM905
    "Aiko Anders Arvid Bela Cassia Corin Dagny Darian Edda Elias Faye Goran Hanno Ilse Ines Jarek "
    "Kaito Lena Livia Marek Mira Nadia Orin Petra Quill Rasmus Runa Sable Tarik Ulla Vesna Yara"
).split()
_FAMILY = (  # noqa: SIM905
    "Aldane Bastien Borsuk Calloway Drax Ekholm Farrow Garrick Haldane Ishida Jorvik Kestrel Lindqvist Marlowe "
    "Noren Okonkwo Pryce Quist Ravenna Sorel Tavish Ustinov Valen Wexler Xanthos Yevgen Zoric Ashworth Brandt "
    "Castell Duval Emberly"
).split()


@dataclass(frozen=True, slots=True)
class Character:
    """One character.

    Attributes:
        character_id: its id.
        name: unique in the roster.
        owner: the owner hash; changes when the character is sold.
        corporation_id: its corporation.
        alliance_id: the corporation's alliance; None when it has none.
    """

    character_id: int
    name: str
    owner: str
    corporation_id: int
    alliance_id: int | None


class Roster:
    """The characters of one sandbox: ids ``FIRST_CHARACTER`` up to ``FIRST_CHARACTER + size - 1``."""

    def __init__(self, seed: int = 1, size: int = 10) -> None:
        if size < 1:
            raise ValueError(f"a sandbox needs at least one character, not {size}")
        self.seed = seed
        self.size = size
        self._sales: dict[int, int] = {}

    @property
    def ids(self) -> range:
        """All ids, in order."""
        return range(FIRST_CHARACTER, FIRST_CHARACTER + self.size)

    def __len__(self) -> int:
        return self.size

    def __contains__(self, character_id: object) -> bool:
        return isinstance(character_id, int) and character_id in self.ids

    def __iter__(self) -> Iterator[Character]:
        return map(self.get, self.ids)

    def get(self, character_id: int) -> Character:
        """The character with this id.

        Raises:
            KeyError: there is none.
        """
        if character_id not in self:
            raise KeyError(f"no character {character_id} in this sandbox: it has {self.ids[0]} to {self.ids[-1]}")
        index = character_id - FIRST_CHARACTER
        corporation = index // _MEMBERS
        # Every fourth corporation stands alone, so that "no alliance" is met in every roster of 20.
        alliance = None if corporation % 4 == 3 else FIRST_ALLIANCE + corporation // _CORPORATIONS
        return Character(character_id, self._name(index), self._owner(index), FIRST_CORPORATION + corporation, alliance)

    def sell(self, character_id: int) -> Character:
        """Give the character to another owner: its owner hash changes from now on.

        Raises:
            KeyError: there is no such character.
        """
        self.get(character_id)
        self._sales[character_id] = self._sales.get(character_id, 0) + 1
        return self.get(character_id)

    def members(self, corporation_id: int) -> range:
        """The ids of a corporation's characters; empty when it has none here."""
        first = FIRST_CHARACTER + (corporation_id - FIRST_CORPORATION) * _MEMBERS
        if first < FIRST_CHARACTER:
            return range(0)
        return range(first, min(first + _MEMBERS, FIRST_CHARACTER + self.size))

    def _name(self, index: int) -> str:
        pairs = len(_GIVEN) * len(_FAMILY)
        # An odd factor and any shift permute the numbers below a power of two: names differ with the seed, and
        # never repeat in a round.
        shuffled = ((index % pairs) * 397 + self.seed * 131) % pairs
        name = f"{_GIVEN[shuffled // len(_FAMILY)]} {_FAMILY[shuffled % len(_FAMILY)]}"
        return name if index < pairs else f"{name} {index // pairs + 1}"

    def _owner(self, index: int) -> str:
        sales = self._sales.get(FIRST_CHARACTER + index, 0)
        return b64encode(sha256(f"owner:{self.seed}:{index}:{sales}".encode()).digest()[:20]).decode()
