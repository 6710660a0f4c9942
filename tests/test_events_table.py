"""One table of signals: in the module's docstring, in the docs, and in the code, the same."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from esipy import events
from esipy.events import Signal

DOCS = Path(__file__).parents[1] / "docs" / "signals.md"
HEAD = "| signal | argument | type | what it is |"


def table(text: str) -> list[str]:
    """The lines of the table, as they stand."""
    lines = text.splitlines()
    start = lines.index(HEAD)
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    return lines[start:end]


def documented() -> dict[str, tuple[str, dict[str, str]]]:
    """Signal -> (when it is sent, argument -> type), as the module's docstring tells."""
    signals: dict[str, tuple[str, dict[str, str]]] = {}
    for line in table(events.__doc__ or "")[2:]:
        name, argument, kind, what = (cell.strip() for cell in line.strip("|").split("|"))
        assert what, line
        if name:
            signals[name] = what, {}
        else:
            signals[list(signals)[-1]][1][argument] = kind
    return signals


def declared(signal: Signal[Any]) -> tuple[str, dict[str, str]]:
    """The same of a signal's spec."""
    assert signal.spec is not None
    arguments: dict[str, str] = {}
    for parameter in inspect.signature(signal.spec).parameters.values():
        name = f"**{parameter.name}" if parameter.kind is parameter.VAR_KEYWORD else parameter.name
        arguments[name] = str(parameter.annotation).replace(" | ", " or ")
    return inspect.getdoc(signal.spec) or "", arguments


def test_the_table_tells_every_signal_as_it_is() -> None:
    """Names, arguments in order, types and when it is sent: docstring and declaration agree."""
    actual = {name: value for name, value in vars(events).items() if isinstance(value, Signal)}
    assert list(documented()) == list(actual)
    assert sorted([*actual, "Signal"]) == sorted(events.__all__)
    for name, signal in actual.items():
        assert name == signal.name
        when, arguments = documented()[name]
        doc, parameters = declared(signal)
        assert f"{when[0].upper()}{when[1:]}." == doc
        if "**extra" not in arguments:
            # Every declaration ends so; the table shows it where extra arguments really come.
            assert "Any" == parameters.pop("**extra")
        assert list(arguments.items()) == list(parameters.items())


def test_the_docs_hold_the_same_table() -> None:
    """docs/signals.md repeats the docstring's table, to the letter."""
    expected = [line.replace("``", "`") for line in table(events.__doc__ or "")]
    assert expected == table(DOCS.read_text(encoding="utf-8"))
