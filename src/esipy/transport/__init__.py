"""How requests leave: curl (the default), httpx2 (an extra), scripted (for tests)."""
