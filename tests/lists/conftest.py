"""A sandbox for the module, and clients of both colours over it."""

from __future__ import annotations

from tests.client.conftest import box as box
from tests.client.conftest import connect as connect
from tests.client.conftest import served as served
