"""Answers that are made up from an operation's type: single objects, lists, page sets and walks by id.

Rules: a row depends on the seed, its path and its place alone, so that pages can be made in any order; the id by
which rows are known never repeats in a list; ids in the path appear in what is answered. Changing the data on
request changes what rows hold, never which rows there are. What tests do to lists besides is in `esi_versions`.
"""

from __future__ import annotations

from typing import Any

from msgspec import inspect

from esipy.operation import Operation
from esipy.sandbox.esi_asked import Asked, Refused, Reply
from esipy.sandbox.esi_cursor import Cursors
from esipy.sandbox.esi_values import ValueMaker, Values, choices_of
from esipy.sandbox.esi_words import integer_of
from esipy.sandbox.world import World, stable

__all__ = ["PAGE_ROWS", "Generic", "page_of", "walked"]

PAGE_ROWS = 50
WALK_ROWS = 50
_WALK_TOTAL = 130
_KEYS = (
    "order_id", "item_id", "contract_id", "transaction_id", "bid_id", "record_id", "killmail_id", "notification_id",
    "medal_id", "job_id", "starbase_id", "office_id", "observer_id", "campaign_id", "mailing_list_id",
    "agent_id", "offer_id", "jump_clone_id", "id", "title_id", "label_id", "structure_id", "facility_id", "contact_id",
    "from_id", "character_id", "type_id", "planet_id", "solar_system_id", "system_id", "faction_id",
    "corporation_id", "skill_id",
)  # fmt: skip


def page_of(asked: Asked, pages: int) -> int:
    """The page that is asked for.

    Raises:
        Refused: 404, there are not that many.
    """
    page: int = asked.values.get("page", 1)
    if page > pages:
        raise Refused(404, f"page {page} does not exist, the last is {pages}")
    return page


def walked(asked: Asked, rows: list[Any]) -> list[Any]:
    """The part of a walk that is asked for: newest first, from the id that is named, which is in the answer."""
    from_id = asked.values.get("from_id")
    return [row for row in rows if from_id is None or row["transaction_id"] <= from_id][:WALK_ROWS]


class Generic:
    """The maker of answers for operations of which only the type is known.

    Attributes:
        cursors: the maker of those with a cursor.
    """

    def __init__(self, world: World) -> None:
        self.cursors = Cursors(self)
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
            return self.cursors.reply(asked)
        if not isinstance(self.node(operation), inspect.ListType):
            return Reply(self.single(asked), status)
        if operation.pagination == "pages":
            total = self._total(asked)
            pages = -(-total // PAGE_ROWS)
            first = (page_of(asked, pages) - 1) * PAGE_ROWS
            return Reply(self.rows(asked, range(first, min(first + PAGE_ROWS, total))), status, pages)
        if operation.pagination == "from_id":
            return Reply(walked(asked, self.whole(asked)), status)
        return Reply(self.whole(asked), status)

    def single(self, asked: Asked) -> Any:
        """One object (or number, or text) of the operation's type."""
        data = self._maker(asked.operation)(asked.dice("single", asked.bumps))
        return self.echoed(asked, data) if isinstance(self.node(asked.operation), inspect.StructType) else data

    def rows(self, asked: Asked, places: range) -> list[Any]:
        """The rows of a list at these places."""
        node = self.node(asked.operation)
        assert isinstance(node, inspect.ListType)
        make = self.item_maker(asked.operation)
        made = [make(asked.dice("row", place, asked.bumps)) for place in places]
        if not isinstance(node.item_type, inspect.StructType):
            return sorted(set(made))
        key = _key(node.item_type)
        if key is not None:
            base = integer_of(key)(asked.dice("base"), self._world)
            for place, row in zip(places, made, strict=True):
                row[key] = base + place * 7 + stable(asked.path, place) % 7
        return [self.echoed(asked, row, key) for row in made]

    # ---- lists that are read in parts ----

    def _total(self, asked: Asked) -> int:
        """How many rows a page set has: one to four pages, the last not full."""
        dice = asked.dice("total")
        return dice.randrange(4) * PAGE_ROWS + dice.randint(1, PAGE_ROWS)

    def whole(self, asked: Asked) -> list[Any]:
        """All rows of a list that this class makes up, in the order in which they are told."""
        if asked.operation.pagination == "from_id":
            return self.rows(asked, range(_WALK_TOTAL))[::-1]
        if asked.operation.pagination == "pages":
            return self.rows(asked, range(self._total(asked)))
        return self.rows(asked, range(asked.dice("total").randint(3, 12)))

    def changed(self, asked: Asked, row: Any, turn: int) -> Any:
        """A row with other data and the same id: other amounts; or, where it has none, all but the id.

        What has no data but its id stays as it is.
        """
        if not isinstance(row, dict):
            return row
        known: dict[str, Any] = row  # pyright: ignore[reportUnknownVariableType]
        key = self.key(asked.operation)
        dice = asked.dice("changed", turn, known.get(key or ""))
        if any(isinstance(value, float) for value in known.values()):
            return {
                name: round(value * dice.uniform(0.9, 1.1) + 0.01, 2) if isinstance(value, float) else value
                for name, value in known.items()
            }
        for _ in range(20):
            made: dict[str, Any] = self.item_maker(asked.operation)(dice)
            if key is not None:
                made[key] = known[key]
            made = self.echoed(asked, made, key)
            if made != known:
                return made
        return known

    @staticmethod
    def is_list(operation: Operation[Any]) -> bool:
        """Whether the operation answers a list; one with a cursor answers an object that holds it."""
        return operation.result is not None and operation.result.startswith("list[")

    def is_bare(self, operation: Operation[Any]) -> bool:
        """Whether the rows of a list are bare values, and no objects."""
        node = self.node(operation)
        return isinstance(node, inspect.ListType) and not isinstance(node.item_type, inspect.StructType)

    def key(self, operation: Operation[Any]) -> str | None:
        """The field that holds the id of a list's rows; None when they have none."""
        node = self.node(operation)
        assert isinstance(node, inspect.ListType)
        return _key(node.item_type) if isinstance(node.item_type, inspect.StructType) else None

    # ---- types ----

    def node(self, operation: Operation[Any]) -> inspect.Type:
        if operation.name not in self._nodes:
            self._nodes[operation.name] = inspect.type_info(operation.result_type())
        return self._nodes[operation.name]

    def _maker(self, operation: Operation[Any]) -> ValueMaker:
        return self._values.maker(operation.result_type(), choices_of(operation), _noun(operation))

    def item_maker(self, operation: Operation[Any]) -> ValueMaker:
        if operation.name not in self._item_makers:
            node = self.node(operation)
            if isinstance(node, inspect.StructType):
                node = next(field.type for field in node.fields if isinstance(field.type, inspect.ListType))
            assert isinstance(node, inspect.ListType)
            maker = self._values.item_maker(node.item_type, choices_of(operation), _noun(operation))
            self._item_makers[operation.name] = maker
        return self._item_makers[operation.name]

    def echoed(self, asked: Asked, data: dict[str, Any], key: str | None = None) -> dict[str, Any]:
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


def _key(node: inspect.StructType) -> str | None:
    """The field that holds the id by which rows of this type are known."""
    names = {field.encode_name for field in node.fields if _is_integer(field.type)}
    return next((key for key in _KEYS if key in names), None)


def _is_integer(node: inspect.Type) -> bool:
    parts = node.types if isinstance(node, inspect.UnionType) else (node,)
    return any(isinstance(part, inspect.IntType) for part in parts)
