"""A local ESI and SSO: a real HTTP server on loopback, with a clock, faults and a control interface.

It plays what the catalogue says ESI does. It never imports the client, the engine or the core of this library,
so it cannot share their mistakes. `serve` starts one in this process, ``esipy sandbox`` one of its own, which
`ControlClient` drives. docs/sandbox.md is the manual.
"""

from esipy.sandbox.app import Sandbox
from esipy.sandbox.esi_hidden import HIDDEN_LIMITS
from esipy.sandbox.remote import ControlClient
from esipy.sandbox.running import RunningSandbox, serve

__all__ = ["HIDDEN_LIMITS", "ControlClient", "RunningSandbox", "Sandbox", "serve"]
