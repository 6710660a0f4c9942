"""Where the engine meets the world: see base.py."""
