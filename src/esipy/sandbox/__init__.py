"""A local ESI and SSO: a real HTTP server on loopback, with a clock, faults and a control interface.

It plays what the catalogue says ESI does. It never imports the client, the engine or the core of this library,
so it cannot share their mistakes.
"""
