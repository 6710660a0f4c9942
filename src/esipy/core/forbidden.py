"""Why ESI says 403, and what can be done about it: a table of what the operation needs and what the body says.

==========  ======================================================  ===============================================
reason      when                                                    what to do
==========  ======================================================  ===============================================
``scope``   the body speaks of a scope                              log in again with it
``role``    the body speaks of a role                               have a director give the character one of them
``access``  anything else                                           nothing: it is not the character's to see
==========  ======================================================  ===============================================

Source: the texts of ESI's 403 answers as clients have reported them; the catalogue's scopes and required roles.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Forbidden", "Reason", "forbidden_of"]

Reason = Literal["scope", "role", "access"]


class Forbidden(NamedTuple):
    """What a 403 means.

    Attributes:
        reason: see the table.
        advice: a sentence that says what to do.
    """

    reason: Reason
    advice: str


def forbidden_of(body: bytes, scope: str | None, roles: tuple[str, ...]) -> Forbidden:
    """What a 403 means to the caller of an operation.

    Args:
        body: ESI's own words.
        scope: what the operation needs; None: it is public.
        roles: in game, one of which it needs; empty: none.
    """
    said = body.lower()
    if b"scope" in said and scope is not None:
        return Forbidden("scope", f"the login lacks the scope {scope}: log in again and ask for it too")
    if b"role" in said and roles:
        return Forbidden("role", f"the character needs one of these roles in game: {', '.join(roles)}")
    if b"role" in said:
        return Forbidden("role", "the character lacks a role in game")
    if roles:
        which = ", ".join(roles)
        return Forbidden("access", f"it is not this character's to see, or it lacks the role in game: {which}")
    return Forbidden("access", "it is not this character's to see or to change: no other scope helps")
