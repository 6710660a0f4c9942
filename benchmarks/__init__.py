"""How fast EsiPy is, measured against what it stands on, its rivals and its own version 1: ``python -m benchmarks``."""
