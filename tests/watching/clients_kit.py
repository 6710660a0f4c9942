"""What clients watch of the sandbox: lists without a lifetime, looked at often."""

from __future__ import annotations

from esipy import ops

OFFERS, OTHERS = (
    ops.loyalty.get_loyalty_stores_corporation_id_offers(corporation_id=one) for one in (1000035, 1000036)
)
OFTEN = {"every": 0.02}
