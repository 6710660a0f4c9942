"""Lists that are read by cursor: once whole, then what has changed since, for days.

The rules of the protocol are `esipy.core.cursors`. What is told, and when a position counts as reached:

- Rows come in a `Batch`, which has the position behind it. A program that stores both in one transaction is told each
  change exactly once, whatever breaks.
- Else the cursor keeps the position: a batch of `changes` is taken when the loop asks for the next one, that of
  `initial` when `changes` is begun, either when `commit` says so. Only then its position is kept, and saved under a
  name if there is a store. A batch that was given and not taken (the loop was left, the program died) is given again:
  nothing is lost, and at most one batch is told twice.
- That a record was deleted is told by nobody: it is missing when the list is read whole.

A cursor belongs to one thread or task at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from esipy.core.cursors import START, Backward, Forward, Position, list_field, read_page
from esipy.exceptions import BadRequestError, InvalidCallError, PositionRefusedError
from esipy.lists.positions import PositionStore
from esipy.lists.walk import Fetch, require_pagination
from esipy.operation import Call
from esipy.runtime.base import Runtime
from esipy.runtime.blocking import run

__all__ = ["AsyncCursor", "Batch", "Course", "Cursor", "Position"]

R = TypeVar("R")


class Batch(NamedTuple, Generic[R]):
    """Rows of a list.

    Attributes:
        rows: each once, the one that was modified last at the end.
        position: behind these rows; reading goes on from there.
        whole: True: they are the whole list, so delete all else that you have kept of it. False: each is new, or
            replaces the row with the same id. `Cursor.initial` gives False when ESI did not show the list down to its
            oldest record: then `changes` tells all of it once more.
    """

    rows: list[R]
    position: Position
    whole: bool


class Saved(NamedTuple):
    """Where a cursor keeps its position."""

    store: PositionStore
    name: str


class Course(Generic[R]):
    """One reader of one list, without a colour.

    Args:
        call: the list. Without a ``limit`` it is read in the largest pages there are.
        position: where to go on; None: from what `save_in` finds.

    Raises:
        InvalidCallError: the list is not read by cursor, the call names a token, or the position is of another list.
    """

    def __init__(self, fetch: Fetch, runtime: Runtime, call: Call[Any], position: Position | None = None) -> None:
        require_pagination(call, "cursor")
        for token in ("before", "after"):
            if token in call.arguments:
                raise InvalidCallError(f"{call.operation.name}: {token!r} is the cursor's own: leave it away")
        self.target = call.replace(limit=None).target
        self._call = call if "limit" in call.arguments else call.replace(limit=call.operation.by_name["limit"].maximum)
        self._fetch = fetch
        self._runtime = runtime
        self._field = list_field(call.operation.result_type())
        self._position = None if position is None else self._own(position)
        self._saved: Saved | None = None
        self._loaded = True
        self._given: Position | None = None
        self._initial: Position | None = None

    def save_in(self, store: PositionStore, name: str) -> None:
        """Keep the position in a store, and begin with what it has, unless there is a position already."""
        self._saved = Saved(store, name)
        self._loaded = self._position is not None

    async def position(self) -> Position | None:
        """Behind the last batch that was taken; None: none was, in no run of the program."""
        if self._saved is not None and not self._loaded:
            text = await self._do(self._saved.store.load, self._saved.name)
            self._position = None if text is None else self._own(Position.parse(text))
            self._loaded = True
        return self._position

    async def initial(self) -> Batch[R]:
        """The whole list; its position is taken when `begin` is called."""
        batch = await self._whole()
        self._given = self._initial = batch.position
        return batch

    async def begin(self) -> Forward | None:
        """Take what `initial` gave, and get ready for `more`; None: nothing was read yet."""
        if self._initial is not None:
            await self._take(self._initial)
        self._given = None
        position = await self.position()
        return None if position is None else Forward(position.after)

    async def more(self, way: Forward | None) -> tuple[Batch[R] | None, Forward]:
        """The next batch, and how to go on after it; None: there are no more changes for now."""
        if way is None:
            batch = await self._whole()
            self._given = batch.position
            return batch, Forward(batch.position.after)
        if way.ended:
            return None, way
        asked = way.after
        try:
            data = await self._fetch(self._call.replace(after=asked))
        except BadRequestError as error:
            if asked == START:
                raise
            raise _refused(self._call, error) from error
        rows: list[R] = way.take(read_page(data, self._field))
        position = Position(self.target, way.after)
        if rows:
            self._given = position
            return Batch(rows, position, whole=False), way
        if way.after != asked:
            await self._take(position)
        return None, way

    async def taken(self, batch: Batch[R]) -> None:
        """The user has done with a batch."""
        await self._take(batch.position)

    async def commit(self) -> None:
        """The user has done with the batch that was given last."""
        if self._given is not None:
            await self._take(self._given)

    async def _whole(self) -> Batch[R]:
        way = Backward()
        token = way.take(read_page(await self._fetch(self._call), self._field))
        while token is not None:
            token = way.take(read_page(await self._fetch(self._call.replace(before=token)), self._field))
        return Batch(way.rows(), Position(self.target, way.after or START), way.whole)

    async def _take(self, position: Position) -> None:
        if self._saved is not None:
            await self._do(self._saved.store.save, self._saved.name, str(position))
        self._position, self._loaded = position, True
        self._given = self._initial = None

    async def _do(self, verb: Any, *arguments: str) -> Any:
        return await self._runtime.join(self._runtime.begin(verb, *arguments))

    def _own(self, position: Position) -> Position:
        if position.target != self.target:
            raise InvalidCallError(f"a position of {position.target} cannot be used for {self.target}: begin anew")
        return position


def _refused(call: Call[Any], error: BadRequestError) -> PositionRefusedError:
    return PositionRefusedError(
        error.url,
        error.status_code,
        response=error.response,
        request_param=error.request_param,
        response_header=error.response_header,
        message=f"{call!r}: ESI does not take the position any more ({error}): begin anew with initial()",
    )


class Cursor(Generic[R]):
    """A list of the blocking client: made by `esipy.EsiClient.cursor`.

    A batch counts as taken when you have done with it: only then its position is kept, and saved if there is a store.
    One that was given and not taken will be given again.
    """

    def __init__(self, course: Course[R]) -> None:
        self._course = course

    def position(self) -> Position | None:
        """Behind the last batch that was taken; None: nothing was read yet.

        Raises:
            InvalidCallError: what is saved is no position of this list.
            StoreUnavailable: the store does not answer.
        """
        return run(self._course.position())

    def initial(self) -> Batch[R]:
        """The whole list, read from its newest record to its oldest, whatever was read before.

        It is taken when `changes` is called next, or by `commit`.

        Raises:
            APIException: there is no good answer for one of its pages.
        """
        return run(self._course.initial())

    def changes(self) -> Iterator[Batch[R]]:
        """What is new or was changed since the position, in batches, until there is no more for now.

        Where nothing was read yet, the first batch is the whole list.

        A batch is taken when the loop asks for the next one. When the loop is left before that, the batch will be given
        again, unless `commit` was called.

        Raises:
            PositionRefusedError: ESI does not take the position any more: `initial` begins anew.
            APIException: there is no good answer. The next `changes` goes on from the last batch that was taken.
            InvalidCallError: what is saved is no position of this list: `initial` begins anew.
            StoreUnavailable: the position cannot be loaded, or not be saved: the batch will be given again.
        """
        way = run(self._course.begin())
        while True:
            batch, way = run(self._course.more(way))
            if batch is None:
                return
            yield batch
            run(self._course.taken(batch))

    def commit(self) -> None:
        """Take the batch that was given last now: save its position."""
        run(self._course.commit())

    def __repr__(self) -> str:
        return f"<Cursor of {self._course.target}>"


class AsyncCursor(Generic[R]):
    """A list of the asyncio client: made by `esipy.AsyncEsiClient.cursor`. What is said of `Cursor` holds here."""

    def __init__(self, course: Course[R]) -> None:
        self._course = course

    async def position(self) -> Position | None:
        """See `Cursor.position`."""
        return await self._course.position()

    async def initial(self) -> Batch[R]:
        """See `Cursor.initial`."""
        return await self._course.initial()

    async def changes(self) -> AsyncIterator[Batch[R]]:
        """See `Cursor.changes`."""
        way = await self._course.begin()
        while True:
            batch, way = await self._course.more(way)
            if batch is None:
                return
            yield batch
            await self._course.taken(batch)

    async def commit(self) -> None:
        """See `Cursor.commit`."""
        await self._course.commit()

    def __repr__(self) -> str:
        return f"<AsyncCursor of {self._course.target}>"
