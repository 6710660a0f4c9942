"""How one payload is brought to one receiver: which arguments it takes, and what is told when it fails.

Rules kept here: a receiver with ``**kwargs`` gets everything, any other gets the arguments it names; a failure
is logged with its traceback, but no token of the payload is ever in the log (T44).
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from esipy.core.hiding import hide

__all__ = [
    "Names",
    "failed",
    "full_name",
    "hand_over",
    "is_meant_for_us",
    "names_taken",
    "refuse_coroutine",
    "withhold",
]

LOGGER = logging.getLogger("esipy.events")

Names = frozenset[str] | None
"""The arguments a receiver takes; None for all."""


def full_name(receiver: Callable[..., object]) -> str:
    """``module.qualified_name`` of a receiver: never its repr, which may show arguments of a partial."""
    while isinstance(receiver, functools.partial):
        receiver = receiver.func
    named: Any = receiver if hasattr(receiver, "__qualname__") else type(receiver)
    module = getattr(named, "__module__", None)
    return f"{module}.{named.__qualname__}" if module else str(named.__qualname__)


def names_taken(receiver: Callable[..., object], signal: str, declared: tuple[str, ...] | None) -> Names:
    """Which arguments to give to ``receiver``.

    Args:
        receiver: any callable; one that does not tell its parameters (some builtins) takes everything.
        signal: the signal's name, for the error.
        declared: the signal's arguments; None when they are not declared, and then nothing is checked.

    Raises:
        TypeError: it requires an argument that the signal does not have.
    """
    import inspect  # costs 5 ms: only programs with receivers pay

    try:
        if sys.version_info >= (3, 14):
            import annotationlib

            # Receivers may be annotated with names that exist for the type checker only.
            signature = inspect.signature(receiver, annotation_format=annotationlib.Format.STRING)
        else:
            signature = inspect.signature(receiver)
    except (TypeError, ValueError):
        return None
    parameters = signature.parameters.values()
    # A decorator (functools.wraps) shows what it wraps, and may itself give what is missing here.
    if declared is not None and not hasattr(receiver, "__wrapped__"):
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            by_position = parameter.kind is parameter.POSITIONAL_ONLY
            if parameter.default is parameter.empty and (by_position or parameter.name not in declared):
                why = "by position" if by_position else "which the signal does not have"
                raise TypeError(
                    f"receiver {full_name(receiver)} requires {parameter.name!r}, {why}; "
                    f"{signal} gives, by name: {', '.join(declared)}"
                )
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(parameter.name for parameter in parameters if parameter.kind in by_name)


def hand_over(call: Callable[..., object], names: Names, payload: Mapping[str, Any]) -> object:
    """Call a receiver with those arguments of the payload that it takes."""
    if names is None or names.issuperset(payload):
        return call(**payload)
    return call(**{name: payload[name] for name in names if name in payload})


def refuse_coroutine(answer: object, receiver: Callable[..., object]) -> None:
    """Raise TypeError when a receiver that was called without awaiting is a coroutine function.

    Coroutine functions are known by what they return: so also partials, methods, wrappers, ``async __call__``.
    """
    if isinstance(answer, Coroutine):
        answer.close()
        raise TypeError(
            f"receiver {full_name(receiver)} is a coroutine function, which nobody awaits here; "
            "use AsyncEsiClient (or Signal.asend), or make it a plain function"
        )


def is_meant_for_us(error: BaseException) -> bool:
    """Whether what a receiver raised is to end the sender too: an interrupt, an exit, our own cancellation.

    A receiver that awaits something cancelled raises CancelledError as well; then nobody has cancelled our task.
    """
    if isinstance(error, Exception):
        return False
    from asyncio import CancelledError, current_task  # costs 40 ms: only who is cancelled or ended pays

    if not isinstance(error, CancelledError):
        return True
    try:
        task = current_task()
    except RuntimeError:  # no loop runs here
        return False
    return task is not None and task.cancelling() > 0


def withhold(text: str, payload: Mapping[str, Any]) -> str:
    """``text`` without the tokens, secrets and codes that the payload holds."""
    named = ((name, value) for name, value in payload.items() if name.endswith(("_token", "secret", "code")))
    return hide(text, {value: f"<{name}>" for name, value in named if isinstance(value, str)})


def failed(signal: str, receiver: Callable[..., object], error: BaseException, payload: Mapping[str, Any]) -> None:
    """Log that a receiver raised.

    The traceback is part of the text and not ``exc_info``: handlers (Sentry's, for one) would show the exception
    and the local variables of its frames, tokens included.
    """
    import traceback

    trace = "".join(traceback.format_exception(error))
    LOGGER.error("receiver %s of signal %s failed:\n%s", full_name(receiver), signal, withhold(trace, payload))
