"""Every rule by which a name of the catalogue is made from a name of the document."""

from __future__ import annotations

import keyword
import re

__all__ = ["attribute", "constant", "module", "operation_name", "pascal", "recased", "singular"]

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


def recased(schema_name: str, properties: set[str]) -> str:
    """Give back a schema's words: ``...DetailTaxrates`` that ``tax_rates`` refers to -> ``...DetailTaxRates``."""
    endings = {pascal(word) for name in properties for word in (name, singular(name))}
    fitting = [ending for ending in endings if schema_name.lower().endswith(ending.lower())]
    if not fitting:
        return schema_name
    ending = max(fitting, key=lambda text: (len(text), text))
    return schema_name[: -len(ending)] + ending
