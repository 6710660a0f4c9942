"""The lists of the sandbox as tests see them: what is done to them, how they are told, and every version they had.

Rules: a list has a new version when its lifetime ends and when somebody changes it; a version can be made again at any
time, from the world and the edits up to it. What is planned for a list happens after so many of its answers, counted
here. Verbs come from other threads: all that is done holds `lock`, and so does who answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any, NamedTuple

from esipy.operation import Operation
from esipy.sandbox.clock import Clock
from esipy.sandbox.esi_asked import Asked, Handler, Reply
from esipy.sandbox.esi_edits import Added, Changed, Edit, Manner, Removed, RowId, Sized, Stirred
from esipy.sandbox.esi_freshness import Changes, Moment
from esipy.sandbox.esi_lists import Generic
from esipy.sandbox.esi_replays import Replays
from esipy.sandbox.esi_routes import Match, Router
from esipy.sandbox.validate import Invalid, check_parameters
from esipy.sandbox.world import World

__all__ = ["Lists"]

_KEPT_VERSIONS = 1_000


class _Version(NamedTuple):
    moment: Moment
    edits: tuple[Edit, ...]
    now: float


@dataclass(slots=True)
class _Odd:
    seconds: float
    times: int | None


@dataclass(slots=True)
class _Due:
    answers: int
    happen: Callable[[], None]


@dataclass(slots=True)
class _Book:
    """What is known of one path."""

    edits: tuple[Edit, ...] = ()
    manner: Manner = field(default_factory=Manner)
    odd: dict[int, _Odd] = field(default_factory=dict[int, _Odd])
    due: list[_Due] = field(default_factory=list[_Due])
    versions: list[_Version] = field(default_factory=list[_Version])


class Lists:
    """All lists.

    Args:
        world: the universe.
        clock: what time it is in the sandbox.
        router: which operation a path means.
        changes: when the data at each path changed.
        generic: the maker of lists of which only the type is known.
        handlers: the makers of the others, by operation.
        written: operations whose rows calls write: there is one version of these.

    Attributes:
        lock: held while a list changes, or is answered.
    """

    def __init__(
        self,
        world: World,
        clock: Clock,
        router: Router,
        changes: Changes,
        generic: Generic,
        handlers: Mapping[str, Handler],
        written: Collection[str],
    ) -> None:
        self.lock = RLock()
        self._world = world
        self._clock = clock
        self._router = router
        self._changes = changes
        self._generic = generic
        self._handlers = handlers
        self._written = frozenset(written)
        self._books: dict[str, _Book] = {}
        self._replays = Replays(generic, handlers)

    # ---- what ESI asks ----

    def known(self, path: str) -> tuple[tuple[Edit, ...], Manner]:
        """What was done to the list at this path, and how it is told."""
        book = self._books.get(path)
        return (book.edits, book.manner) if book is not None else ((), _USUAL)

    def reply(self, asked: Asked, moment: Moment) -> Reply:
        """Answer a GET; any version of a list that is answered is remembered."""
        handler = self._handlers.get(asked.operation.name, self._generic.reply)
        if not self._is_list(asked.operation):
            return handler(asked)
        self._note(asked.path, moment, asked.now)
        edited = bool(asked.edits) and asked.operation.pagination != "cursor"
        reply = self._replays.part(asked) if edited else handler(asked)
        if asked.manner.empty_status == 204 and (reply.data == [] or reply.raw == b"[]"):
            return replace(reply, status=204)
        return reply if asked.manner.x_pages else replace(reply, pages=None)

    def modified(self, asked: Asked, moment: Moment) -> Moment:
        """When the page that is asked for was modified, which may be odd; it counts as told."""
        book = self._books.get(asked.path)
        page: int = asked.values.get("page", 1)
        odd = book.odd.get(page) if book is not None else None
        if book is None or odd is None:
            return moment
        if odd.times is not None:
            odd.times -= 1
            if odd.times == 0:
                del book.odd[page]
        return replace(moment, modified=moment.modified + int(odd.seconds))

    def answered(self, path: str) -> None:
        """One more answer of this path was given: what was planned for now happens."""
        book = self._books.get(path)
        if book is None or not book.due:
            return
        for due in book.due:
            due.answers -= 1
        now = [due for due in book.due if due.answers == 0]
        book.due = [due for due in book.due if due.answers > 0]
        for due in now:
            due.happen()

    # ---- what tests do; `verbs_lists` tells more ----

    def bump(self, path: str) -> None:
        """The data at a path change now; of a list with a cursor its oldest record.

        Raises:
            ValueError: no operation has this path.
        """
        with self.lock:
            match, operation = self._find(path)
            self._happen(match.path, operation, Changed() if operation.pagination == "cursor" else None)

    def roll(
        self,
        path: str,
        after_requests: int = 0,
        *,
        pages: int | None = None,
        changed: Sequence[int] | None = None,
        shift: int = 0,
    ) -> None:
        """The list rolls over to its next version, now or after so many more of its answers."""
        with self.lock:
            match, operation = self._find(path)
            if operation.pagination == "cursor":
                raise ValueError(f"{match.path} has a cursor: its records are edited, added and removed one by one")
            edits: list[Edit] = [] if changed is None else [Stirred(tuple(changed))]
            if pages is not None:
                edits.append(Sized(pages))
            edits += [Added(shift, 0)] if shift > 0 else [Removed()] * -shift
            if edits:
                self._check_editable(match, operation)
            if after_requests < 0 or (pages or 0) < 0:
                raise ValueError("after_requests and pages have to be 0 or more")

            def happen() -> None:
                self._changes.roll(operation, match.path)
                self._happen(match.path, operation, *(edits or (None,)))

            if after_requests == 0:
                happen()
            else:
                self._book(match.path).due.append(_Due(after_requests, happen))

    def edit(self, path: str, row: RowId | None = None) -> RowId:
        """What a row holds changes now; gives its id."""
        with self.lock:
            match, operation = self._find(path)
            if self._is_list(operation) and operation.pagination != "cursor" and self._generic.is_bare(operation):
                raise ValueError(f"a row of {match.path} is nothing but its id")
            return self._one(match, operation, row, Changed)

    def remove(self, path: str, row: RowId | None = None) -> RowId:
        """A row is gone from now on; gives its id."""
        with self.lock:
            return self._one(*self._find(path), row, Removed)

    def add(self, path: str, rows: int = 1, place: int | None = None) -> list[RowId]:
        """So many rows are new from now on; gives their ids."""
        with self.lock:
            match, operation = self._find(path)
            self._check_editable(match, operation)
            if rows < 1:
                raise ValueError(f"at least one row is added, not {rows}")
            before = set(self._ids(match, operation))
            self._happen(match.path, operation, Added(rows, place))
            return [row for row in self._ids(match, operation) if row not in before]

    def set_list(self, path: str, **manner: Any) -> None:
        """How the list is told from now on; what is not named stays."""
        with self.lock:
            match, _ = self._find(path)
            book = self._book(match.path)
            book.manner = replace(book.manner, **manner)

    def odd_last_modified(self, path: str, page: int, times: int | None, seconds: float) -> None:
        """A page bears another ``Last-Modified``; 0 times ends it."""
        with self.lock:
            match, _ = self._find(path)
            odd = self._book(match.path).odd
            odd.pop(page, None)
            if times is None or times > 0:
                odd[page] = _Odd(seconds, times)

    def versions(self, path: str, query: Mapping[str, str] | None = None, *, ids: bool = True) -> list[list[Any]]:
        """The rows (or their ids) of every version that the list has had, the newest last."""
        with self.lock:
            match, operation = self._find(path)
            self._check_editable(match, operation)
            self._note(match.path, self._changes.moment(operation, match.path), self._clock.now())
            return [
                self._replays.rows(self._asked(match, operation, version, query), ids=ids)
                for version in self._book(match.path).versions
            ]

    # ---- inside ----

    def _book(self, path: str) -> _Book:
        return self._books.setdefault(path, _Book())

    def _find(self, path: str) -> tuple[Match, Operation[Any]]:
        match = self._router.match(path)
        if match is None:
            raise ValueError(f"no operation has the path {path!r}")
        return match, match.methods.get("GET") or next(iter(match.methods.values()))

    def _is_list(self, operation: Operation[Any]) -> bool:
        return operation.pagination == "cursor" or self._generic.is_list(operation)

    def _check_editable(self, match: Match, operation: Operation[Any]) -> None:
        if operation.method != "GET" or not self._is_list(operation):
            raise ValueError(f"{match.path} is no list")
        if operation.name in self._written:
            raise ValueError(f"the rows of {match.path} are changed by calls")

    def _happen(self, path: str, operation: Operation[Any], *edits: Edit | None) -> None:
        """Change what is at a path: by edits, or all that is made up."""
        now = self._clock.now()
        self._note(path, self._changes.moment(operation, path), now)
        for edit in edits:
            if edit is not None:
                self._book(path).edits += (edit,)
        if None in edits:
            self._changes.bump(path)
        else:
            self._changes.touch(path)
        self._note(path, self._changes.moment(operation, path), now)

    def _note(self, path: str, moment: Moment, now: float) -> None:
        book = self._book(path)
        if not book.versions or _which(book.versions[-1].moment) != _which(moment):
            book.versions.append(_Version(moment, book.edits, now))
            del book.versions[:-_KEPT_VERSIONS]

    def _one(self, match: Match, operation: Operation[Any], row: RowId | None, edit: Callable[[RowId], Edit]) -> RowId:
        self._check_editable(match, operation)
        ids = self._ids(match, operation)
        if not ids or (row is not None and row not in ids):
            raise ValueError(f"{match.path} has no row {'at all' if row is None else row}")
        meant = ids[0] if row is None else row
        self._happen(match.path, operation, edit(meant))
        return meant

    def _ids(self, match: Match, operation: Operation[Any]) -> list[RowId]:
        moment = self._changes.moment(operation, match.path)
        version = _Version(moment, self._book(match.path).edits, self._clock.now())
        return self._replays.rows(self._asked(match, operation, version, None), ids=True)

    def _asked(
        self, match: Match, operation: Operation[Any], version: _Version, query: Mapping[str, str] | None
    ) -> Asked:
        try:
            values = check_parameters(operation, match.values, list((query or {}).items()), b"", old=match.old)
        except Invalid as invalid:
            raise ValueError("; ".join(f"{fault.location}: {fault.message}" for fault in invalid.faults)) from None
        moment = version.moment
        return Asked(
            operation, match.path, values, self._world, version.now, moment.generation + moment.bumps, moment.bumps,
            edits=version.edits,
        )  # fmt: skip


_USUAL = Manner()


def _which(moment: Moment) -> tuple[int, int, int]:
    return moment.generation, moment.bumps, moment.writes
