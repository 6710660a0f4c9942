"""Pure parts: no I/O, no clock, no threads, no asyncio. Everything here is a function of its arguments."""
