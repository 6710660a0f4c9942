"""What calls can change in the sandbox: all its books, as handlers of their operations.

Rules: what is written is read at once; what is read of a thing that nobody changed is made up.
"""

from __future__ import annotations

from esipy.sandbox.esi_asked import Handler
from esipy.sandbox.esi_lists import Generic
from esipy.sandbox.state_calendar import Calendar
from esipy.sandbox.state_contacts import Contacts
from esipy.sandbox.state_fittings import Fittings
from esipy.sandbox.state_fleets import Fleets
from esipy.sandbox.state_mail import Mail
from esipy.sandbox.state_shelf import Touch
from esipy.sandbox.world import World

__all__ = ["state_handlers"]


def state_handlers(world: World, generic: Generic, touch: Touch, mail: Mail) -> dict[str, Handler]:
    """The operations that are answered from state.

    Args:
        world: the universe.
        generic: makes up what nobody wrote.
        touch: is told each path whose data were changed.
        mail: the mailboxes.
    """
    return {
        **Calendar(world, generic, touch).handlers(),
        **Contacts(world, touch).handlers(),
        **Fittings(world, touch).handlers(),
        **Fleets(world, touch).handlers(),
        **mail.handlers(),
    }
