"""What version 1's programs pass to constructors and verbs that has another meaning now, or none."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypedDict

__all__ = ["OldKeywords", "ignore_unknown", "pool_size", "the_calls"]


class OldKeywords(TypedDict, total=False):
    """Keywords of version 1's verbs, for type checkers; at run time any others warn and are ignored."""

    opt: Mapping[str, Any]
    req_and_resp: Any
    reqs_and_resps: Any


def ignore_unknown(kind: str, given: Mapping[str, Any], known: tuple[str, ...], *, stacklevel: int) -> dict[str, Any]:
    """The keywords that are known; the others warn, with the near one that may have been meant.

    Version 1 took any keyword and ignored what it did not know (``app=``, ``esi_datasource=``, ``header=``).
    """
    kept: dict[str, Any] = {}
    for name, value in given.items():
        if name in known:
            kept[name] = value
            continue
        near = get_close_matches(name, known, 1, 0.7)
        meant = f"; did you mean {near[0]}=?" if near else ""
        warnings.warn(f"{kind} ignores {name}={meant}", UserWarning, stacklevel=stacklevel + 1)
    return kept


def pool_size(transport_adapter: Any, *, stacklevel: int) -> int | None:
    """How many idle connections to keep, from requests' ``HTTPAdapter``; None when it does not say.

    Nothing else of it has an effect: this library does not send with requests.
    """
    size = getattr(transport_adapter, "_pool_maxsize", None)
    warnings.warn(
        "transport_adapter= has no effect, except its pool size: EsiPy sends with libcurl; "
        "retries are retry_requests=, time limits timeout=",
        UserWarning,
        stacklevel=stacklevel + 1,
    )
    return size if isinstance(size, int) and size > 0 else None


def the_calls(verb: str, calls: Any, keywords: OldKeywords) -> Any:
    """What a verb is to send, whichever keyword named it; other unknown keywords warn and are ignored.

    Raises:
        TypeError: there is nothing to send.
    """
    if calls is not None and not keywords:
        return calls
    old: dict[str, Any] = {**keywords}
    calls = old.pop("reqs_and_resps", old.pop("req_and_resp", calls))
    if not old.get("opt"):  # pyswagger's patches of a request: programs pass them empty
        old.pop("opt", None)
    for name in old:
        near = {"thread": "; did you mean threads=?", "opt": "; headers=, base_url= and timeout= are the client's"}
        warnings.warn(f"{verb}() ignores {name}={near.get(name, '')}", UserWarning, stacklevel=3)
    if calls is None:
        raise TypeError(f"{verb}() needs a call")
    return calls
