"""Lists with a cursor: records in the order in which they were modified, and the marks that lead through them.

Rules: a record has a sequence number; an edit gives it the next one, so that it is the newest. Marks name a sequence
number, and stay good whatever happens to the records. ``before`` leads to older records, ``after`` to newer ones; the
newest record is the last of its answer.

Source: https://developers.eveonline.com/docs/services/esi/pagination/cursor-based/
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import inspect

from esipy.operation import Operation
from esipy.sandbox.esi_asked import Asked, Refused, Reply
from esipy.sandbox.esi_edits import Added, Changed, Removed, RowId
from esipy.sandbox.esi_values import moment
from esipy.sandbox.validate import Fault

if TYPE_CHECKING:
    from esipy.sandbox.esi_lists import Generic

__all__ = ["Cursors"]

_TOTAL = 37
_KEPT_IDS = 10_000
_EPOCH = 1_777_593_600  # 2026-05-01T00:00:00Z


class _Record(NamedTuple):
    sequence: int
    number: int


class Cursors:
    """The maker of answers for lists with a cursor."""

    def __init__(self, generic: Generic) -> None:
        self._generic = generic
        self._ids: dict[tuple[str, str, int], RowId] = {}

    def reply(self, asked: Asked) -> Reply:
        """One part of the list.

        Raises:
            Refused: 422, the marks cannot be meant.
        """
        field = self._field(asked.operation)
        before, after = _mark_of(asked, "before"), _mark_of(asked, "after")
        if before is not None and after is not None:
            fault = Fault("query.after", "given together with before", asked.values["after"])
            raise Refused(422, "request is not valid", [fault])
        records = self._records(asked)
        if records is None:  # no player owns any: no records, and then no cursor either
            return Reply({field: []})
        newest = max((record.sequence for record in records), default=0)
        limit: int = asked.values.get("limit", 10)
        overlap = min(asked.manner.overlap, limit - 1)
        # "0" begins at the oldest after which the others come, and at the newest before which they came.
        if after is not None:
            others = [record for record in records if record.sequence > after][: limit - overlap]
            repeated = [record for record in records if record.sequence <= after][-overlap:] if overlap else []
            chosen = [*repeated, *others] if others else []
            marks = (chosen[0].sequence, chosen[-1].sequence) if chosen else (after, after)
        else:
            start = before or newest + 1
            others = [record for record in records if record.sequence < start][-(limit - overlap) :]
            repeated = [record for record in self._past(asked, records) if record.sequence >= start][:overlap]
            chosen = [*others, *repeated] if others else []
            marks = (others[0].sequence, others[-1].sequence) if others else (start, before or newest)
        answer: dict[str, Any] = {field: [self._made(asked, record) for record in chosen]}
        if chosen or asked.manner.cursor_at_end:
            answer["cursor"] = {"before": _mark(marks[0]), "after": _mark(marks[1])}
        return Reply(answer)

    def whole(self, asked: Asked) -> list[dict[str, Any]]:
        """All records, the newest last."""
        return [self._made(asked, record) for record in self._records(asked) or []]

    def ids(self, asked: Asked) -> list[RowId]:
        """The ids of all records, the newest last."""
        return [self._id(asked, record.number) for record in self._records(asked) or []]

    def _records(self, asked: Asked) -> list[_Record] | None:
        sequences = {number: number + 1 for number in range(_TOTAL)}
        ids: dict[RowId, int] = {}
        last = total = _TOTAL
        for edit in asked.edits:
            if isinstance(edit, Added):
                sequences |= {total + n: last + 1 + n for n in range(edit.rows)}
                last, total = last + edit.rows, total + edit.rows
            elif isinstance(edit, Changed | Removed):
                if edit.row is not None and edit.row not in ids:
                    ids = {self._id(asked, number): number for number in range(total)}
                oldest = min(sequences, key=sequences.__getitem__, default=None)
                number = oldest if edit.row is None else ids.get(edit.row)
                if number in sequences:
                    del sequences[number]
                    if isinstance(edit, Changed):
                        last += 1
                        sequences[number] = last
        records = sorted(_Record(sequence, number) for number, sequence in sequences.items())
        owner: int | None = asked.values.get("corporation_id") if _is_filter(asked.operation) else None
        if owner is None:
            return records
        return None if owner < 98_000_000 else [record for record in records if record.number % 4 == owner % 4]

    def _past(self, asked: Asked, records: list[_Record]) -> list[_Record]:
        """All that the records that are there ever were, in the order of its sequence numbers."""
        there = {record.number for record in records}
        past = set(records)
        for end in range(len(asked.edits)):
            past.update(self._records(replace(asked, edits=asked.edits[:end])) or ())
        return sorted(record for record in past if record.number in there)

    def _made(self, asked: Asked, record: _Record) -> dict[str, Any]:
        make = self._generic.item_maker(asked.operation)
        data: dict[str, Any] = make(asked.dice("record", record.number, record.sequence))
        if "id" in data:
            data["id"] = self._id(asked, record.number)
            if isinstance(data["id"], int):
                data["name"] = asked.world.named(data["id"])
        if "last_modified" in data:
            data["last_modified"] = moment(_EPOCH + record.sequence * 3600)
        state = asked.values.get("state")
        if state is not None and state != "All":
            data["state"] = state
        return self._generic.echoed(asked, data, "id")

    def _id(self, asked: Asked, number: int) -> RowId:
        place = (asked.tenant, asked.path, number)
        if place not in self._ids:
            if len(self._ids) >= _KEPT_IDS:
                self._ids.clear()
            made: RowId = self._generic.item_maker(asked.operation)(asked.dice("record", number))["id"]
            is_number = isinstance(made, int)
            self._ids[place] = asked.world.members_of(98_000_001)[0] + number if is_number else made
        return self._ids[place]

    def _field(self, operation: Operation[Any]) -> str:
        node = self._generic.node(operation)
        assert isinstance(node, inspect.StructType)
        return next(field.encode_name for field in node.fields if isinstance(field.type, inspect.ListType))


def _is_filter(operation: Operation[Any]) -> bool:
    """Whether a corporation chooses among the records, where in other paths it owns them all."""
    return any(parameter.name == "corporation_id" and parameter.where == "query" for parameter in operation.parameters)


def _mark(sequence: int) -> str:
    return urlsafe_b64encode(f"record:{sequence}".encode()).decode().rstrip("=")


def _mark_of(asked: Asked, name: str) -> int | None:
    text: str | None = asked.values.get(name)
    if text is None or text == "0":
        return None if text is None else 0
    try:
        word, _, number = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        if word == "record":
            return int(number)
    except ValueError:
        pass
    raise Refused(422, "request is not valid", [Fault(f"query.{name}", "not a cursor of this list", text)])
