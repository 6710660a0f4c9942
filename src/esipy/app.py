"""`EsiApp` and `App`: operations, looked up by id: ``app.op["get_status"]()`` builds a call.

ESI's own come from the catalogue that is part of this package: building an app of them needs no network and no time,
whatever address of ESI was named. Any other file or address is read (`esipy.version1.documents`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

from esipy import ops
from esipy.exceptions import APIException as APIException  # version 1 had it here too
from esipy.exceptions import InvalidCallError, SettingError, UnknownOperationError
from esipy.operation import Operation
from esipy.version1.operations import old_operation

__all__ = ["App", "EsiApp", "Operations"]

SEPARATOR = "!##!"
"""What pyswagger wrote between a tag and an id; ``op["tag", "id"]`` and ``op["tag!##!id"]`` are the same."""


class Operations(Mapping[str, Operation[Any]]):
    """The operations by name: version 1's id, today's id, or a suffix of the former that only one of them has.

    Args:
        read: another document's operations; None: ESI's.
    """

    def __init__(self, read: Mapping[str, Operation[Any]] | None = None) -> None:
        self._read = read

    def __getitem__(self, name: str | tuple[str, ...]) -> Operation[Any]:
        """Find an operation.

        Raises:
            UnknownOperationError: (a KeyError) none has this name; the text lists near ones, or says what is there
                in place of one that is gone.
            InvalidCallError: (a ValueError) several end so; the text lists them.
        """
        name = str(name[-1] if isinstance(name, tuple) and name else name).rpartition(SEPARATOR)[2]
        found = self._find(name)
        if found is not None:
            return found
        names = tuple(self)
        words = _in_snake_case(name)  # the end of today's id, as CharacterIdWallet, is one of the older id too
        ending = [known for known in names if known.endswith(f"_{words}")] if words else []
        if len(ending) == 1:
            return self[ending[0]]
        if ending:
            shown = ", ".join(ending[:8]) + (", ..." if len(ending) > 8 else "")
            raise InvalidCallError(f"{name!r} is the end of {len(ending)} operations: {shown}; give one of them whole")
        near = get_close_matches(words, names, 5, 0.6)
        if near:
            way_out = f"near ones are {', '.join(near)}"
        else:
            way_out = "see `esipy call --list`" if self._read is None else f"it has {len(names)} others"
        raise UnknownOperationError(f"no operation {name!r}; {way_out}")

    def _find(self, name: str) -> Operation[Any] | None:
        if self._read is not None:
            return self._read.get(name)
        try:
            return old_operation(ops.operation(name))
        except KeyError:
            pass
        from esipy.version1 import gone  # here: those who ask for what is there do not pay for it

        if name in gone.RENAMED:
            return old_operation(ops.operation(gone.RENAMED[name]))
        if name == gone.ROUTE:
            return gone.RouteOperation(ops.operation("post_route"))
        if name in gone.GONE:
            raise UnknownOperationError(f"{name!r} is gone from ESI; in its place there is {gone.GONE[name]}")
        return None

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]
        except (KeyError, ValueError):
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(ops.names() if self._read is None else self._read)

    def __len__(self) -> int:
        return len(ops.names() if self._read is None else self._read)

    def __repr__(self) -> str:
        return f"<{len(self)} operations>"


def _in_snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


class App:
    """The operations of one API under ``.op``; those of ESI, when none is named.

    Attributes:
        op: the operations by id. After `load` and before `prepare` it is there too.
        url: the address that was named; None for ESI's own catalogue.
        schemes: how its calls are sent.
        version: of the document's form: ``2.0``, ``3.0.x``, ``3.1.x``.
    """

    def __init__(self, url: str | None = None) -> None:
        self.op = Operations()
        self.url = url
        self.schemes: list[str] = ["https"]
        self.version = "3.1.0"
        self._name = f"ESI at {ops.COMPATIBILITY_DATE}"

    @classmethod
    def load(cls, url: str, *, url_load_hook: Callable[[str], str] | None = None, **ignored: Any) -> Self:
        """Read a document: ESI's (nothing is read then, it is part of this package), or any other.

        Args:
            url: a path, ``file://``, ``http://`` or ``https://`` address of an OpenAPI 3.x or Swagger 2.0 document in
                JSON. Any address at ESI means ESI's catalogue.
            url_load_hook: gives the address to read in place of another.
            ignored: what else pyswagger took; it warns.

        Raises:
            DocumentError: (a ValueError) it cannot be read; the text names the place in it.
            NetworkError: no usable answer came.
        """
        from esipy.version1 import documents
        from esipy.version1.keywords import ignore_unknown

        ignore_unknown(f"{cls.__name__}.load()", ignored, ("url_load_hook",), stacklevel=2)
        address = url if url_load_hook is None else url_load_hook(url)
        app = cls(url)
        document = documents.read(address)
        if document is not None:
            app.op = Operations(document.operations)
            app.schemes = document.schemes
            app.version = document.version
            app._name = document.title
        return app

    def prepare(self, strict: bool = True) -> None:
        """Nothing: what `load` gives is ready. Version 1's programs call it."""

    @classmethod
    def create(cls, url: str, strict: bool = True) -> Self:
        """`load` and `prepare` in one."""
        app = cls.load(url)
        app.prepare(strict=strict)
        return app

    _create_ = create

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name}>"


def _is_cache(cache: object) -> bool:
    from esipy.cache import BaseCache  # not everyone has one of these

    return isinstance(cache, BaseCache) or hasattr(cache, "put")


_VERSIONS = ("latest", "dev", "legacy", *(f"v{number}" for number in range(1, 7)))
_SPECIFICATIONS = frozenset(f"{get}{version}_swagger" for get in ("get_", "get__") for version in _VERSIONS)


class EsiApp:
    """Version 1's entry: every version's document that it could ask for is the one catalogue of this package.

    ``get_latest_swagger``, ``get_dev_swagger``, ``get_legacy_swagger``, ``get_v1_swagger`` to ``get_v6_swagger``, and
    the same with ``get__`` give an `App` of it.

    Args:
        cache: taken and kept, and not used: there is nothing to fetch.
        cache_time: likewise.
        cache_prefix: likewise.
        meta_url: likewise.
        datasource: likewise; a call takes ``datasource=``, a client ``tenant=``.
        ignored: what else version 1's programs pass; it warns.

    Raises:
        SettingError: (a ValueError) ``cache`` is no cache.
    """

    def __init__(
        self,
        *,
        cache: Any = False,
        cache_time: float | None = 86400,
        cache_prefix: str = "esipy",
        meta_url: str = "https://esi.evetech.net/swagger.json",
        datasource: str = "tranquility",
        **ignored: Any,
    ) -> None:
        if ignored:
            from esipy.version1.keywords import ignore_unknown

            known = ("cache", "cache_time", "cache_prefix", "meta_url", "datasource")
            ignore_unknown("EsiApp", ignored, known, stacklevel=2)
        if cache not in (None, False, True) and not _is_cache(cache):
            raise SettingError(f"cache={cache!r}: has to be derived from esipy.cache.BaseCache, or None")
        self.cache = cache
        self.caching = cache is not None
        self.expire = 86400 if cache_time is not None and cache_time < 0 else cache_time
        self.cache_prefix = cache_prefix
        self.meta_url = meta_url
        self.datasource = datasource
        self.app = App()

    @property
    def op(self) -> Operations:
        """The operations by id."""
        return self.app.op

    def clear_cached_endpoints(self, prefix: str | None = None) -> None:
        """Nothing: no document is kept anywhere. Version 1's programs call it."""

    def __getattr__(self, name: str) -> App:
        if name in _SPECIFICATIONS:
            return self.app
        if not name.startswith("_") and name in self.op:
            raise AttributeError(f"{name} is not a swagger endpoint; call it with app.op[{name!r}](...)")
        raise AttributeError(f"{name} is not a valid operation")

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *_SPECIFICATIONS])

    def __repr__(self) -> str:
        return f"<EsiApp of ESI at {ops.COMPATIBILITY_DATE}>"


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Names that could be had from here in version 1, and that nothing here needs."""
        if name in ("check_cache", "get_cache_time_left"):
            from esipy import utils

            return getattr(utils, name)
        if name == "LOGGER":
            from logging import getLogger

            return getLogger(__name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
