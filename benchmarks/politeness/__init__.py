"""Politeness, proved: a simulated day and real processes that draw no 429 and no 420, and yet use what there is.

`day` plays the traffic of `traffic` against `esipy.simulation` and has `oracle` judge it; `processes` does it with real
processes, stores and HTTP; `speed` measures the ledger alone. ``python -m benchmarks.politeness`` runs a day by itself.
"""
