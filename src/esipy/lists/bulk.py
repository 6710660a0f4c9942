"""Bulk calls of any length: cut into calls that ESI takes, answered as one.

Items are asked once, whatever the list holds; chunks are sent at once, each through the whole pipeline. Where one bad
item has ESI refuse all the others with it, it is found by halving: each refusal costs, so there is a bound to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from esipy.engine.pipeline import Engine
from esipy.engine.terms import Terms
from esipy.exceptions import APIException, IncompleteBulkError, InvalidCallError
from esipy.lists.asking import ask, parallel, remedy_of
from esipy.lists.merging import items_of, merged
from esipy.operation import Call

__all__ = ["HALVED", "Bulk", "bulk", "is_too_long"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

Chunk: TypeAlias = tuple[Any, ...]

HALVED: Mapping[str, frozenset[int]] = {
    "post_universe_names": frozenset({404}),
    "post_characters_affiliation": frozenset({400, 404, 422}),
    "post_characters_character_id_assets_locations": frozenset({400, 404, 422}),
    "post_characters_character_id_assets_names": frozenset({400, 404, 422}),
    "post_corporations_corporation_id_assets_locations": frozenset({400, 404, 422}),
    "post_corporations_corporation_id_assets_names": frozenset({400, 404, 422}),
}
"""Operations that only read, and are refused whole, with one of these statuses, for one bad item."""


class Bulk(Generic[T_co]):
    """What a bulk call was answered.

    Attributes:
        data: all answers as one: lists in the order asked, numbers added up, objects of lists joined; None when the
            operation answers nothing.
        bad: the items that ESI refuses, in the order asked.
        missing: the items of which the answer says nothing, although ESI took them; empty where rows name no item.
        calls: how many calls it took.
        causes: by item, why it was not answered; empty unless ``allow_partial`` was given.
    """

    __slots__ = ("bad", "calls", "causes", "data", "missing")

    def __init__(
        self,
        data: T_co,
        *,
        bad: tuple[Any, ...],
        missing: tuple[Any, ...],
        calls: int,
        causes: Mapping[Any, Exception],
    ) -> None:
        self.data = data
        self.bad = bad
        self.missing = missing
        self.calls = calls
        self.causes = causes

    def __repr__(self) -> str:
        return f"<Bulk of {self.calls} calls, {len(self.bad)} bad, {len(self.missing)} missing>"


def is_too_long(call: Call[Any]) -> bool:
    """Whether a bulk call has more items than one exchange takes."""
    parameter = call.operation.bulk_parameter
    if parameter is None or parameter.max_items is None:
        return False
    return len(call.arguments.get(parameter.name, ())) > parameter.max_items


async def bulk(
    engine: Engine,
    call: Call[T],
    *,
    terms: Terms | None = None,
    concurrency: int = 10,
    allow_partial: bool = False,
    max_refusals: int = 30,
) -> Bulk[T]:
    """A bulk call of any length.

    Args:
        concurrency: how many chunks are sent at once, 1 to 100.
        allow_partial: give what was answered, where chunks failed.
        max_refusals: how many refusals it may cost to find the items for which ESI refuses a chunk (`HALVED`), each 5
            tokens or one of the 100 errors of a minute; 0: a chunk that is refused fails.

    Raises:
        InvalidCallError: the operation is no bulk one.
        IncompleteBulkError: a chunk failed; it holds the answers of the others.
    """
    parameter = call.operation.bulk_parameter
    if parameter is None:
        raise InvalidCallError(f"{call.operation.name} is no bulk operation: it takes no list of ids")
    assert parameter.max_items is not None
    asked: list[Any] = list(dict.fromkeys(call.arguments[parameter.name]))
    if not asked:
        call.check_sendable()
    # Where answers are kept, the same items make the same chunks, in whatever order they are asked.
    sent = sorted(asked) if call.operation.cacheable else asked
    size = parameter.max_items
    chunks = [tuple(sent[first : first + size]) for first in range(0, len(sent), size)]
    work = _Work(engine, call, parameter.name, terms, max_refusals)
    await engine.runtime.gather(work.send, chunks, parallel(concurrency))
    await work.halve()
    done = work.result(asked)
    if done.causes and not allow_partial:
        item, cause = next(iter(done.causes.items()))
        message = (
            f"{call.operation.name}: {len(done.causes)} of {len(asked)} items were not answered; {item!r}: {cause}. "
            "(allow_partial=True gives what was answered.)"
        )
        raise IncompleteBulkError(call.target, message, bulk=done, causes=done.causes)
    return done


class _Work(Generic[T]):
    """The chunks of one bulk call."""

    def __init__(self, engine: Engine, call: Call[T], name: str, terms: Terms | None, refusals: int) -> None:
        self._engine = engine
        self._call = call
        self._name = name
        self._terms = terms
        self._refusals_left = refusals
        self._statuses = HALVED.get(call.operation.name, frozenset())
        self._lock = engine.runtime.lock()
        self._answers: dict[Chunk, Any] = {}
        self._refused: list[tuple[Chunk, APIException]] = []
        self._bad: set[Any] = set()
        self._causes: dict[Any, Exception] = {}
        self._calls = 0
        self._stop: APIException | None = None

    async def send(self, chunk: Chunk) -> bool:
        """Send a chunk; gives whether it was answered. If not, it is among the refused or the failed."""
        error = self._stop
        if error is None:
            try:
                response = await ask(self._engine, self._call.replace(**{self._name: chunk}), self._terms)
            except APIException as raised:
                error = raised
                if self._is_refusal(chunk, raised):
                    return False
            else:
                with self._lock:
                    self._calls += 1
                    self._answers[chunk] = response.data
                return True
        if remedy_of(error) == "hopeless":
            self._stop = error
        self._fail(chunk, error)
        return False

    def _is_refusal(self, chunk: Chunk, error: APIException) -> bool:
        with self._lock:
            self._calls += 1
            if error.status_code not in self._statuses or self._refusals_left <= 0:
                return False
            self._refusals_left -= 1
            self._refused.append((chunk, error))
            return True

    def _fail(self, chunk: Chunk, error: APIException) -> None:
        with self._lock:
            self._causes.update(dict.fromkeys(chunk, error))

    async def halve(self) -> None:
        """Find the bad items of the chunks that were refused: one at a time, so that the bound to refusals holds."""
        while self._refused:
            chunk, error = self._refused.pop()  # it holds a bad item
            if len(chunk) == 1:
                self._bad.add(chunk[0])
            elif self._refusals_left <= 0:
                self._fail(chunk, error)
            else:
                left, right = chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]
                if await self.send(left):
                    self._refused.append((right, error))  # what is bad is in the other half: no need to ask
                else:
                    await self.send(right)

    def result(self, asked: list[Any]) -> Bulk[T]:
        """What came of it."""
        operation = self._call.operation
        place = {item: number for number, item in enumerate(asked)}
        parts = [data for _, data in sorted(self._answers.items(), key=lambda pair: place[pair[0][0]])]
        data = merged(operation, parts, asked)
        named = items_of(operation, data)
        silent = () if named is None else (one for one in asked if one not in named)
        return Bulk(
            data,
            bad=tuple(item for item in asked if item in self._bad),
            missing=tuple(one for one in silent if one not in self._bad and one not in self._causes),
            calls=self._calls,
            causes={item: self._causes[item] for item in asked if item in self._causes},
        )
