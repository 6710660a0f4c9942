"""Which paths the sandbox answers: a path that no program asks for is told to a test that looks or waits there.

Rules: the version and the last slash of old programs do not matter; a pattern is taken when some path of the sandbox
fits it, with any numbers for those of its parameters that are numbers, and any text for the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache, lru_cache

from esipy import ops
from esipy.sandbox.esi_meta import OPENAPI
from esipy.sandbox.journal import unversioned
from esipy.sandbox.sso import PATHS
from esipy.sandbox.swagger2 import VERSIONS
from esipy.sandbox.swagger2_route import OLD_ROUTE

__all__ = ["refuse_unknown"]

_PARAMETER = "{}"
_NUMBER = "{0}"
_TOKEN = re.compile(r"\{\w*\}|\*|\?|\[[^\]]+\]|.", re.DOTALL)
_PLACE = re.compile(r"\{(\w+)\}")
_GLOBS = re.compile(r"[*?\[]")
_MOST_SHOWN = 3


def refuse_unknown(path: str, *, pattern: bool = False) -> None:
    """Refuse a path at which there is nothing.

    Args:
        pattern: it may have ``*`` for any text, ``?`` for a character and ``[...]`` for one of several.

    Raises:
        ValueError: it is no path of the sandbox's; the text names near ones.
    """
    if not pattern and re.search(r"[*?{]", path):
        raise ValueError(f"{path!r} is no whole path without its query, such as /status or /markets/10000002/orders")
    if not _is_known(path, pattern):
        shapes = {_shape(known): known for known in _paths()}
        near = get_close_matches(_shape(_today(path)), shapes, _MOST_SHOWN, 0.6)
        said = f"; near ones are {', '.join(shapes[shape] for shape in near)}" if near else ""
        raise ValueError(f"the sandbox has nothing at {path!r}{said}")


@cache
def _paths() -> tuple[str, ...]:
    """All of today's, with ``{names}``, and those of the older API that are gone."""
    documents = (f"/{version}/swagger.json" for version in VERSIONS)
    operations = (operation.path for operation in (*ops.operations(), OPENAPI, OLD_ROUTE))
    return tuple(dict.fromkeys((*operations, *PATHS, "/swagger.json", *documents)))


@lru_cache(maxsize=1024)
def _is_known(path: str, pattern: bool) -> bool:
    globs = pattern and _GLOBS.search(path) is not None
    if not globs:  # whatever is in the place of a number: nobody may have been let ask for that
        return any(_meet(tuple(_today(path)), tuple(_TOKEN.findall(known))) for known in _paths())
    asked = tuple(_TOKEN.findall(_today(path)))
    return any(_meet(asked, tuple(_TOKEN.findall(known))) for known in _spellings(path))


def _spellings(path: str) -> Iterator[str]:
    """The paths as old and new programs may write them, `_NUMBER` in the place of their numbers."""
    numbers = {one.name for operation in ops.operations() for one in operation.parameters if one.kind == "integer"}
    paths = [_PLACE.sub(lambda found: _NUMBER if found[1] in numbers else found[0], known) for known in _paths()]
    yield from paths
    if _GLOBS.search(path.removeprefix("/").partition("/")[0]):  # it may stand for the version, too
        yield from (f"/{version}{known}" for version in VERSIONS for known in paths)


def _today(path: str) -> str:
    return unversioned(re.sub(r"^/_(?=(latest|legacy|dev)/)", "/", path))


def _shape(path: str) -> str:
    return re.sub(r"(?<=/)(\d+|\{\w+\}|\*)(?=/|$)", _PARAMETER, path)


def _meet(asked: tuple[str, ...], known: tuple[str, ...]) -> bool:
    """Whether some text fits both: what is asked for, in characters and globs, and a path with its parameters."""
    ends = {0}
    """How much of ``known`` may be over, of all that begins as ``asked`` so far."""
    for token in asked:
        if token == "*":  # noqa: S105 (a part of a pattern)
            ends = set(range(min(ends), len(known) + 1))
            continue
        one_of_any = len(token) > 1 or token == "?"  # noqa: S105
        following: set[int] = set()
        for end in ends:
            part = known[end] if end < len(known) else ""
            if len(part) > 1 and token != "/" and (part != _NUMBER or one_of_any or token.isdigit()):  # noqa: S105
                following |= {end, end + 1}
            elif part and (part == token or one_of_any):
                following.add(end + 1)
        if not following:
            return False
        ends = following
    return len(known) in ends
