"""Fixtures of several test files here."""

from __future__ import annotations

from tests.stores.house import house as house
from tests.stores.house import ledger as ledger
