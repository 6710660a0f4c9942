"""Tools for those who work on EsiPy; nothing here is part of the package."""
