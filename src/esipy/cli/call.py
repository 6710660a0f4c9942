"""``esipy call OPERATION [name=value ...]``: one call, its whole answer as JSON, in ESI's own spelling."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esipy.cli.kept import Tokens, find

if TYPE_CHECKING:
    from esipy.app import Operations
    from esipy.operation import Operation

__all__ = ["arguments_of", "call"]


def call(
    operation: Annotated[str | None, typer.Argument(help="an operation id, old or new, or its unique end")] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="name=value; arrays as 1,2,3 or JSON; a body as JSON", metavar="NAME=VALUE"),
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="where ESI is; also ESI_BASE_URL")] = None,
    user_agent: Annotated[str | None, typer.Option(help="who you are; also ESI_USER_AGENT")] = None,
    as_character: Annotated[
        str | None, typer.Option("--as", metavar="CHARACTER", help="whose login to use: an id or a name")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="the application of that login; also ESI_CLIENT_ID")] = None,
    tokens: Tokens = None,
    headers: Annotated[
        bool, typer.Option("--headers", help="print status and headers to stderr; of a list, of its first page only")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="list the operations (with OPERATION in them) instead")
    ] = False,
) -> None:
    """Send one call and print its answer as JSON: of a list all of it, unless page= or the like names a part.

    esipy call get_status

    esipy call get_markets_region_id_orders region_id=10000002 type_id=34

    esipy call get_markets_region_id_orders region_id=10000002 page=1

    esipy call get_characters_character_id_wallet --as "Cassia Calloway"
    """
    from esipy.app import EsiApp
    from esipy.client import EsiClient
    from esipy.events import RATE_LIMIT_WAIT
    from esipy.lists.whole import reading_of
    from esipy.settings import Settings

    operations = EsiApp().op
    if listing or operation is None:
        for name in _names(operations, operation or ""):
            typer.echo(name)
        return
    found = operations[operation]
    if found.scope is not None and as_character is None:
        raise ValueError(
            f"{found.name} needs a character's login with the scope {found.scope}: give it by --as CHARACTER; "
            "esipy characters lists those who are logged in, esipy login logs one in"
        )
    given = arguments_of(found, arguments or [])
    who = None if as_character is None else find(as_character, client_id, tokens)
    if who is not None and any(parameter.name == "character_id" for parameter in found.parameters):
        given.setdefault("character_id", who.character_id)
    built = found(**given)
    settings = Settings.from_environment(base_url=base_url, user_agent=user_agent)
    with (
        EsiClient(
            base_url=settings.base_url,
            user_agent=settings.user_agent or "esipy-call",
            client_id=None if who is None else who.client_id,
            tokens=tokens,
        ) as whole,
        RATE_LIMIT_WAIT.connected_to(_tell_wait),
    ):
        client = whole if who is None else whole.as_character(who.character_id)
        if not headers and reading_of(built) is not None:
            _print(_as_sent(client.fetch(built)))
            return
        answer = client.request(built)
    if headers:
        sys.stderr.write(f"{answer.status}\n")
        for name, value in answer.headers.pairs():
            sys.stderr.write(f"{name}: {value}\n")
    answer.raise_for_status()
    if answer.raw:
        _print(json.loads(answer.raw))


def _print(data: Any) -> None:
    # What stdout cannot write in its encoding (a file on Windows) is escaped.
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    typer.echo(json.dumps(data, indent=2, ensure_ascii=not unicode))


def _as_sent(data: Any) -> Any:
    """Data objects as plain JSON, moments as ESI writes them: what parts of a list say, the whole says, too."""
    from esipy.core.objects import DataDateTime

    if isinstance(data, DataDateTime):
        return data.replace("+00:00", "Z")
    if isinstance(data, dict):
        return {name: _as_sent(value) for name, value in data.items()}  # pyright: ignore[reportUnknownVariableType]
    return [_as_sent(item) for item in data] if isinstance(data, list) else data  # pyright: ignore[reportUnknownVariableType]


def _tell_wait(bucket: str, wait_seconds: float, **_: object) -> None:
    """Say why nothing happens."""
    sys.stderr.write(f"waiting {math.ceil(wait_seconds)} s for the limit of {bucket} (Ctrl-C ends it)\n")


def _names(operations: Operations, part: str) -> list[str]:
    wanted = _plain(part)
    names = [name for name in operations if wanted in _plain(name)]
    if not names:
        raise ValueError(f"no operation has {part!r} in its name; all of them: esipy call --list")
    return names


def _plain(name: str) -> str:
    """``get_status`` and ``GetStatus`` as the same text."""
    return name.replace("_", "").lower()


def arguments_of(operation: Operation[Any], words: list[str]) -> dict[str, Any]:
    """``["region_id=10000002", "ids=1,2"]`` as arguments, read as the operation declares them.

    Raises:
        ValueError: a word is not name=value, a name is given twice, or a body is not JSON.
    """
    from esipy import ops

    today = {parameter.name: parameter.kind for parameter in ops.operation(operation.name).parameters}
    kinds = {parameter.name: parameter.kind for parameter in operation.parameters} | today
    arguments: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r}: arguments are name=value; {operation.name} takes {', '.join(today) or 'none'}")
        if name in arguments:
            raise ValueError(f"{name!r} is given twice")
        arguments[name] = _read(name, text, kinds.get(name))
    return arguments


def _read(name: str, text: str, kind: str | None) -> Any:
    """A word as the value that the call checks: what it cannot be is left to the call, which names it."""
    if kind == "object" or (kind in ("integers", "strings") and text.startswith("[")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name!r} has to be JSON: {error}") from None
    if kind in ("integers", "strings"):
        return [item.strip() for item in text.split(",")] if text else []
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            return text
    return text.lower() if kind == "boolean" else text
