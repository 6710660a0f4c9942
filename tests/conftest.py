"""What tests of several parts share: one Valkey server for the whole run."""

from __future__ import annotations

from tests.stores.valkey import own_valkey as own_valkey
from tests.stores.valkey import valkey as valkey
