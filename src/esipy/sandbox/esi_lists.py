"""Answers that are made up from an operation's type: single objects, lists, page sets, cursors and walks by id.

Rules: a row depends on the seed, its path and its place alone, so that pages can be made in any order; the id by
which rows are known never repeats in a list; ids in the path appear in what is answered. Changing the data on
request changes what rows hold, never which rows there are; under a cursor it moves one row to the end, as a
record that was modified.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from msgspec import inspect

from esipy.operation import Operation
from esipy.sandbox.esi_asked import Asked, Refused, Reply
from esipy.sandbox.esi_values import ValueMaker, Values, choices_of, moment
from esipy.sandbox.esi_words import integer_of
from esipy.sandbox.validate import Fault
from esipy.sandbox.world import World, stable

__all__ = ["Generic", "page_of"]

PAGE_ROWS = 50
WALK_ROWS = 50
_WALK_TOTAL = 130
_CURSOR_TOTAL = 37
_KEYS = (
    "order_id", "item_id", "contract_id", "transaction_id", "bid_id", "record_id", "killmail_id", "notification_id",
    "medal_id", "job_id", "starbase_id", "office_id", "observer_id", "campaign_id", "mailing_list_id",
    "agent_id", "offer_id", "jump_clone_id", "id", "title_id", "label_id", "structure_id", "facility_id", "contact_id",
    "from_id", "character_id", "type_id", "planet_id", "solar_system_id", "system_id", "faction_id",
    "corporation_id", "skill_id",
)  # fmt: skip
_CURSOR_EPOCH = 1_777_593_600  # 2026-05-01T00:00:00Z


def page_of(asked: Asked, pages: int) -> int:
    """The page that is asked for.

    Raises:
        Refused: 404, there are not that many.
    """
    page: int = asked.values.get("page", 1)
    if page > pages:
        raise Refused(404, f"page {page} does not exist, the last is {pages}")
    return page


class Generic:
    """The maker of answers for operations of which only the type is known."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._values = Values(world)
        self._nodes: dict[str, inspect.Type] = {}
        self._item_makers: dict[str, ValueMaker] = {}

    def reply(self, asked: Asked) -> Reply:
        """Answer any operation."""
        operation = asked.operation
        status = operation.statuses[0]
        if operation.result is None:
            return Reply(status=status)
        if operation.pagination == "cursor":
            return Reply(self._cursor(asked))
        if not isinstance(self._node(operation), inspect.ListType):
            return Reply(self.single(asked), status)
        if operation.pagination == "pages":
            total = self._total(asked)
            pages = -(-total // PAGE_ROWS)
            first = (page_of(asked, pages) - 1) * PAGE_ROWS
            return Reply(self.rows(asked, range(first, min(first + PAGE_ROWS, total))), status, pages)
        if operation.pagination == "from_id":
            return Reply(self._walk(asked), status)
        return Reply(self.rows(asked, range(asked.dice("total").randint(3, 12))), status)

    def single(self, asked: Asked) -> Any:
        """One object (or number, or text) of the operation's type."""
        data = self._maker(asked.operation)(asked.dice("single", asked.bumps))
        return self._echoed(asked, data) if isinstance(self._node(asked.operation), inspect.StructType) else data

    def rows(self, asked: Asked, places: range) -> list[Any]:
        """The rows of a list at these places."""
        node = self._node(asked.operation)
        assert isinstance(node, inspect.ListType)
        make = self._item_maker(asked.operation)
        made = [make(asked.dice("row", place, asked.bumps)) for place in places]
        if not isinstance(node.item_type, inspect.StructType):
            return sorted(set(made))
        key = self._key(node.item_type)
        if key is not None:
            base = integer_of(key)(asked.dice("base"), self._world)
            for place, row in zip(places, made, strict=True):
                row[key] = base + place * 7 + stable(asked.path, place) % 7
        return [self._echoed(asked, row, key) for row in made]

    # ---- lists that are read in parts ----

    def _total(self, asked: Asked) -> int:
        """How many rows a page set has: one to four pages, the last not full."""
        dice = asked.dice("total")
        return dice.randrange(4) * PAGE_ROWS + dice.randint(1, PAGE_ROWS)

    def _walk(self, asked: Asked) -> list[Any]:
        """Newest first, from the id that is named, which is in the answer."""
        rows = self.rows(asked, range(_WALK_TOTAL))[::-1]
        key = "transaction_id"
        from_id = asked.values.get("from_id")
        return [row for row in rows if from_id is None or row[key] <= from_id][:WALK_ROWS]

    def _cursor(self, asked: Asked) -> dict[str, Any]:
        """Records in the order in which they were modified; the newest last."""
        node = self._node(asked.operation)
        assert isinstance(node, inspect.StructType)
        field = next(field for field in node.fields if isinstance(field.type, inspect.ListType))
        sequences = list(range(1, _CURSOR_TOTAL + 1))
        for bump in range(1, asked.bumps + 1):
            sequences[bump * 7 % _CURSOR_TOTAL] = _CURSOR_TOTAL + bump
        records = sorted((sequence, record) for record, sequence in enumerate(sequences))
        owner: int | None = asked.values.get("corporation_id") if _is_filter(asked.operation) else None
        if owner is not None:
            if owner < 98_000_000:  # no player owns it: no records, and then no cursor either
                return {field.encode_name: []}
            records = [one for one in records if one[1] % 4 == owner % 4]
        limit: int = asked.values.get("limit", 10)
        before, after = asked.values.get("before"), asked.values.get("after")
        if before is not None and after is not None:
            raise Refused(422, "request is not valid", [Fault("query.after", "given together with before", after)])
        # "0" begins at the oldest after which the others come, and at the newest before which they came.
        if after is not None:
            mark = _unmark("after", after) if after != "0" else 0
            chosen = [one for one in records if one[0] > mark][:limit]
        else:
            mark = _unmark("before", before) if before not in (None, "0") else _CURSOR_TOTAL + asked.bumps + 1
            chosen = [one for one in records if one[0] < mark][-limit:]
        make = self._item_maker(asked.operation)
        made = [self._record(asked, make, record, sequence) for sequence, record in chosen]
        ends = (chosen[0][0], chosen[-1][0]) if chosen else (mark, mark)
        return {field.encode_name: made, "cursor": {"before": _mark(ends[0]), "after": _mark(ends[1])}}

    def _record(self, asked: Asked, make: ValueMaker, record: int, sequence: int) -> dict[str, Any]:
        data: dict[str, Any] = make(asked.dice("record", record, sequence))
        if isinstance(data.get("id"), int):
            data["id"] = self._world.members_of(98_000_001)[0] + record
            data["name"] = self._world.named(data["id"])
        elif "id" in data:
            data["id"] = make(asked.dice("record", record))["id"]
        if "last_modified" in data:
            data["last_modified"] = moment(_CURSOR_EPOCH + sequence * 3600)
        state = asked.values.get("state")
        if state is not None and state != "All":
            data["state"] = state
        return self._echoed(asked, data, "id")

    # ---- types ----

    def _node(self, operation: Operation[Any]) -> inspect.Type:
        if operation.name not in self._nodes:
            self._nodes[operation.name] = inspect.type_info(operation.result_type())
        return self._nodes[operation.name]

    def _maker(self, operation: Operation[Any]) -> ValueMaker:
        return self._values.maker(operation.result_type(), choices_of(operation), _noun(operation))

    def _item_maker(self, operation: Operation[Any]) -> ValueMaker:
        if operation.name not in self._item_makers:
            node = self._node(operation)
            if isinstance(node, inspect.StructType):
                node = next(field.type for field in node.fields if isinstance(field.type, inspect.ListType))
            assert isinstance(node, inspect.ListType)
            maker = self._values.item_maker(node.item_type, choices_of(operation), _noun(operation))
            self._item_makers[operation.name] = maker
        return self._item_makers[operation.name]

    @staticmethod
    def _key(node: inspect.StructType) -> str | None:
        """The field that holds the id by which rows of this type are known."""
        names = {field.encode_name for field in node.fields if _is_integer(field.type)}
        return next((key for key in _KEYS if key in names), None)

    def _echoed(self, asked: Asked, data: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Put the path's ids where the answer has them; a thing with an id keeps its name everywhere."""
        path = {p.name: asked.values[p.name] for p in asked.operation.parameters if p.where == "path"}
        for name, value in path.items():
            if name in data and name != key and type(data[name]) is type(value):
                data[name] = value
        if key is None and asked.operation.path.endswith("}") and path and "id" in data:
            last = path[asked.operation.path.rpartition("{")[2].rstrip("}")]
            if type(data["id"]) is type(last):
                data["id"] = last
        if "name" in data and isinstance(data.get("id"), str):
            data["name"] = f"Contract {stable(self._world.seed, data['id']) % 10_000:04d}"
        return data


def _noun(operation: Operation[Any]) -> str:
    """What a bare value in the answer is, by the last literal segment: ``/alliances`` holds alliances."""
    return next(segment for segment in reversed(operation.path.split("/")) if not segment.startswith("{"))


def _is_integer(node: inspect.Type) -> bool:
    parts = node.types if isinstance(node, inspect.UnionType) else (node,)
    return any(isinstance(part, inspect.IntType) for part in parts)


def _is_filter(operation: Operation[Any]) -> bool:
    """Whether a corporation chooses among the records, where in other paths it owns them all."""
    return any(parameter.name == "corporation_id" and parameter.where == "query" for parameter in operation.parameters)


def _mark(sequence: int) -> str:
    return urlsafe_b64encode(f"record:{sequence}".encode()).decode().rstrip("=")


def _unmark(name: str, text: str) -> int:
    try:
        word, _, number = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        if word == "record":
            return int(number)
    except ValueError:
        pass
    raise Refused(422, "request is not valid", [Fault(f"query.{name}", "not a cursor of this list", text)])
