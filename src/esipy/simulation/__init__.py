"""A simulated ESI for `SimulatedRuntime`: hours of traffic in seconds, with every way in which ESI limits it.

It counts with the sandbox's own windows, never with the client's, so that it cannot share the client's mistakes::

    esi = SimulatedEsi(lambda: runtime.now(), seed=1, foreign_share=0.2, shares={404: 0.02}, lost_share=0.01)
    runtime = SimulatedRuntime(esi, request_seconds=(0.01, 0.2), answer_seconds=(0.01, 0.2))
    runtime.run(traffic())
    assert esi.limits.refusals() == {}

Tokens are of the form that `token_for` gives. `SimulatedEsi.log` has all that happened, for an oracle to judge.
"""

from esipy.simulation.bodies import SandboxBodies
from esipy.simulation.esi import SimulatedEsi
from esipy.simulation.log import Log, Seen
from esipy.simulation.principals import token_for

__all__ = ["Log", "SandboxBodies", "Seen", "SimulatedEsi", "token_for"]
