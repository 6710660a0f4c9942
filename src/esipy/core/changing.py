"""What a write changes: the reads whose kept answers are out of date after it (T02).

`CHANGES` has every write of ESI's catalogue, by its path; some POSTs only ask, and change nothing. A write that is not
there (of another document, or newer) changes its own path and the one above it: the thing, and the list that it is in.

What cannot be told from a write's own path is left to its lifetime: the mails that bore a label which was deleted
(30 s), the characters whom a mail was sent to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["CHANGES", "Changes", "changed_by", "check_changes"]

Changes = Mapping[str, Sequence[str]]
"""Reads by write, both as the catalogue's paths: ``{"/fleets/{fleet_id}": ["/fleets/{fleet_id}"]}``."""

_CHARACTER = "/characters/{character_id}"
_CALENDAR = _CHARACTER + "/calendar"
_MAIL = _CHARACTER + "/mail"
_FLEET = "/fleets/{fleet_id}"

CHANGES: Changes = {
    _CALENDAR + "/{event_id}": (_CALENDAR, _CALENDAR + "/{event_id}", _CALENDAR + "/{event_id}/attendees"),
    _CHARACTER + "/contacts": (_CHARACTER + "/contacts",),
    _CHARACTER + "/fittings": (_CHARACTER + "/fittings",),
    _CHARACTER + "/fittings/{fitting_id}": (_CHARACTER + "/fittings",),
    # A mail is in the list of who sent it, too; labels tell how many are unread.
    _MAIL: (_MAIL, _MAIL + "/labels"),
    _MAIL + "/{mail_id}": (_MAIL, _MAIL + "/{mail_id}", _MAIL + "/labels"),
    _MAIL + "/labels": (_MAIL + "/labels",),
    _MAIL + "/labels/{label_id}": (_MAIL, _MAIL + "/labels"),
    _FLEET: (_FLEET,),
    _FLEET + "/members": (_FLEET + "/members",),
    _FLEET + "/members/{member_id}": (_FLEET + "/members", "/characters/{member_id}/fleet"),
    # Squads are listed with their wings. Only empty ones can be deleted, so nobody is moved by that.
    _FLEET + "/wings": (_FLEET + "/wings",),
    _FLEET + "/wings/{wing_id}": (_FLEET + "/wings",),
    _FLEET + "/wings/{wing_id}/squads": (_FLEET + "/wings",),
    _FLEET + "/squads/{squad_id}": (_FLEET + "/wings",),
    # These ask, or open a window in the game.
    **dict.fromkeys(
        (
            "/characters/{character_id}/assets/locations", "/characters/{character_id}/assets/names",
            "/characters/{character_id}/cspa", "/corporations/{corporation_id}/assets/locations",
            "/corporations/{corporation_id}/assets/names", "/route/{origin_system_id}/{destination_system_id}",
            "/ui/autopilot/waypoint", "/ui/openwindow/contract", "/ui/openwindow/information",
            "/ui/openwindow/marketdetails", "/ui/openwindow/newmail", "/universe/ids", "/universe/names",
        ),
        (),
    ),
}  # fmt: skip

_PARAMETER = re.compile(r"\{(\w+)\}")


def changed_by(write: str, path: str, changes: Changes = CHANGES) -> tuple[str, ...]:
    """The paths whose kept answers a write makes out of date.

    Args:
        write: the operation's path, with ``{names}``.
        path: the call's, filled in.
        changes: the table.
    """
    reads = changes.get(write)
    if reads is None:
        return (path, path.rpartition("/")[0])
    if not reads:
        return ()
    values = dict(zip(write.split("/"), path.split("/"), strict=False))  # "{fleet_id}" -> "1" among others
    return tuple("/".join(values.get(part, part) for part in read.split("/")) for read in reads)


def check_changes(write: str, reads: Sequence[str]) -> tuple[str, ...]:
    """The reads, if each can be filled in from the write.

    Raises:
        ValueError: names the parameter that the write does not have.
    """
    if isinstance(reads, str):
        raise ValueError(f"{reads!r} is one path: give a list of paths")
    known = set(_PARAMETER.findall(write))
    for read in reads:
        for name in _PARAMETER.findall(read):
            if name not in known:
                raise ValueError(f"{read}: {{{name}}} is not in {write}, so nobody can tell which one is changed")
    return tuple(reads)
