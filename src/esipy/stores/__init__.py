"""Where things are kept: see base.py."""
