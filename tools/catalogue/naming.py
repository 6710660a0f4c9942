"""Every rule by which a name of the catalogue is made from a name of the document."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

__all__ = ["attribute", "constant", "module", "operation_name", "pascal", "recased", "singular", "vocabulary"]

# Names that a field may not have: they would hide a type that later annotations of the class use.
_TYPES = {"bool", "dict", "float", "int", "list", "msgspec", "str"}
_IRREGULAR = {"indices": "index"}


def operation_name(operation_id: str) -> str:
    """``GetMarketsRegionIdOrders`` -> ``get_markets_region_id_orders``, as version 1 spelled it."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation_id).lower()
    if pascal(name) != operation_id:
        raise ValueError(f"operation id {operation_id!r} cannot be told back from {name!r}")
    return name


def module(tag: str) -> str:
    """``Planetary Interaction`` -> ``planetary_interaction``."""
    return re.sub(r"[^a-z0-9]+", "_", tag.lower())


def constant(name: str) -> str:
    """``get_status`` -> ``GET_STATUS``."""
    return name.upper()


def pascal(name: str) -> str:
    """``solar_system`` -> ``SolarSystem``."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def attribute(name: str) -> str:
    """A field's or parameter's name in Python: ``from`` -> ``from_``."""
    clean = re.sub(r"\W", "_", name)
    return f"{clean}_" if keyword.iskeyword(clean) or clean in _TYPES or clean[:1].isdigit() else clean


def singular(plural: str) -> str:
    """``sovereignty_hubs`` -> ``sovereignty_hub``; a word that is not plural stays."""
    head, _, last = plural.rpartition("_")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith("ies"):
        last = f"{last[:-3]}y"
    elif last.endswith("s") and not last.endswith("ss"):
        last = last[:-1]
    return f"{head}_{last}" if head else last


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """The words of these names and paths, and their singulars."""
    words = {word for text in texts for word in re.split(r"[^a-z0-9]+", text.lower()) if len(word) > 1}
    return frozenset(words | {singular(word) for word in words})


def recased(name: str, known: frozenset[str]) -> str:
    """Give a schema's name its words back: ``DetailTaxrates`` -> ``DetailTaxRates``; unknown ones stay."""
    return "".join(
        pascal("_".join(_split(chunk.lower(), known)) or chunk) for chunk in re.findall("[A-Z][^A-Z]*", name)
    )


def _split(text: str, known: frozenset[str]) -> list[str]:
    """The fewest known words that make up this text (of equally few the first longest); empty when none do."""
    best: dict[int, list[str]] = {len(text): []}
    for start in range(len(text) - 1, -1, -1):
        ways = [
            [text[start:end], *best[end]]
            for end in range(len(text), start, -1)
            if end in best and text[start:end] in known
        ]
        if ways:
            best[start] = min(ways, key=len)
    return best.get(0, [])
