"""Who may import whom: the layers of the house, read from the source. The rules are the tables below."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "esipy"

SEAMS = frozenset({"runtime.base", "transport.base", "stores.base", "stores.flights", "stores.tokens"})
GROUND = frozenset({"exceptions", "settings", "core", "_agent"})
VALUES = GROUND | {"operation", "response", "retries", "events", "utils"}
ADAPTERS = SEAMS | {"runtime", "transport", "stores"}
CLIENTS = VALUES | ADAPTERS | {"engine", "sso", "ops", "app", "cache", "shell", "client", "security"}
CLIENTS |= {"version1", "version1.keywords", "ledgers", "caches", "tokens", "limits", "planning", "lists", "watching"}
CLIENTS |= {"_characters"}

LAYERS: dict[str, frozenset[str]] = {
    # each part of the house (its longest name counts), and the parts that it may import beside itself
    "exceptions": frozenset(),
    "settings": frozenset({"exceptions"}),
    "_agent": frozenset(),
    "core": frozenset({"exceptions", "settings"}),
    "utils": GROUND | {"cache"},  # in functions only: version 1's helpers about caches (see LAZILY)
    "call": GROUND | {"operation"},
    # in functions only (see LAZILY): an unpickled call finds its operation; calling an operation is version 1's way
    "operation": GROUND | {"call", "ops", "version1"},
    "ops": GROUND | {"operation"},
    "response": GROUND | {"operation"},
    "retries": GROUND | {"operation"},
    "_forks": frozenset(),
    "_attached": frozenset(),
    "events": GROUND | {"_forks"},
    "runtime.base": GROUND,
    "transport.base": GROUND,
    "stores.base": GROUND,
    "stores.flights": GROUND | {"stores.base"},
    "stores.tokens": GROUND,
    "engine": VALUES | SEAMS | {"ops", "_forks", "_attached"},
    "sso": VALUES | SEAMS | {"version1.keywords", "_forks", "_attached"},
    "runtime": GROUND | SEAMS | {"_forks"},
    "transport": GROUND | SEAMS | {"_forks"},
    "stores": GROUND | SEAMS | {"_forks"},
    "cache": GROUND | SEAMS | {"stores", "_forks"},
    "version1.keywords": frozenset(),
    "version1": VALUES | {"ops", "cache", "transport", "version1.keywords"},
    "scopes": VALUES | {"ops", "app"},
    "app": VALUES | {"ops", "cache", "version1", "version1.keywords"},
    "_named": GROUND | {"stores", "_forks"},
    "ledgers": VALUES | SEAMS | {"stores", "_named", "_attached"},
    "caches": GROUND | SEAMS | {"stores", "cache", "_named", "_attached"},
    "tokens": GROUND | SEAMS | {"stores", "sso", "_named"},
    "limits": VALUES | SEAMS | {"engine"},
    "lists.positions": VALUES | SEAMS | {"stores", "_named"},
    "lists": VALUES | SEAMS | {"engine", "runtime", "ops", "lists.positions"},
    "watching": VALUES | SEAMS | {"engine", "runtime", "lists", "lists.positions", "_forks"},
    "planning": VALUES | SEAMS | {"engine", "limits"},
    "_characters": VALUES | SEAMS | {"engine", "runtime", "sso", "tokens", "_named"},
    "shell": CLIENTS - {"client", "security"},
    "client": CLIENTS,
    "security": CLIENTS,
    "login": CLIENTS,
    "sandbox": frozenset({"operation", "ops"}),  # so that it cannot share the client's mistakes
    "testing": CLIENTS | {"sandbox"},
    "simulation": CLIENTS | {"sandbox"},
    "fixtures": CLIENTS | {"sandbox", "testing"},
    "cli": CLIENTS | {"login", "scopes", "sandbox", "testing"},
    "__main__": frozenset({"cli"}),
}

PARTS_OF = {
    **dict.fromkeys(("_signal", "_receivers", "_delivery", "_deferred"), "events"),
    "_given": "shell",
    "_keywords": "settings",
    "_headers": "settings",
    "_token_checks": "testing",
    "_cache_view": "client",
    "client_async": "client",
}
"""Modules that belong to another's part of the house."""

LAZILY = {("operation", "ops"), ("operation", "version1"), ("utils", "cache")}
"""Against the order of the layers, so inside functions only."""

PURE = frozenset(
    {"base64", "collections.abc", "datetime", "difflib", "email.utils", "functools", "json", "operator", "re", "typing"}
    | {"urllib.parse", "msgspec", "msgspec.inspect", "__future__"}
)
"""All that `core` may import from outside: pure parts of the standard library, and msgspec."""

NEVER: dict[str, frozenset[str]] = {
    # what must not reach these parts, from outside the house: time, threads, loops and sockets come by the seams
    "core": frozenset({"asyncio", "threading", "time", "socket", "random", "concurrent", "os", "logging"}),
    "engine": frozenset({"asyncio", "threading", "time", "socket", "random", "concurrent", "os"}),
}

THIRD_PARTY: dict[str, frozenset[str]] = {
    # each third-party package, and the modules (or whole parts) that may import it
    "msgspec": frozenset({"version1", "core", "operation", "ops", "engine", "sso", "stores", "_given", "sandbox"})
    | {"simulation", "watching"},
    "pycurl": frozenset({f"transport.{name}" for name in ("curl", "curl_aio", "curl_handle", "curl_options")})
    | {"transport.curl_watch"},
    "httpx2": frozenset({"transport.httpx2"}),
    "joserfc": frozenset({"sso.keys", "sandbox.keys"}),
    "cryptography": frozenset({"sso.sealing"}),
    "keyring": frozenset({"sso.keychain"}),
    "httptools": frozenset({"sandbox.connection"}),
    "typer": frozenset({"cli"}),
    "rich": frozenset({"cli"}),
    "pytest": frozenset({"fixtures"}),
    "redis": frozenset({"stores.redis"}),
}


class Import(NamedTuple):
    """One import: the module that has it, the module it names, and how."""

    module: str
    target: str
    line: int
    in_function: bool
    for_types: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules() -> dict[str, ast.Module]:
    """Every module's tree, by its name without ``esipy.``; the package itself is ``""``."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text("utf-8"))
    return found


MODULES = modules()


def imports(module: str, tree: ast.AST, in_function: bool = False, for_types: bool = False) -> Iterator[Import]:
    """Every import of a module, wherever it stands; those of ``esipy`` with its name taken off."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(module, _inside(name.name), node.lineno, in_function, for_types)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import hides where it leads"
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                is_module = _inside(whole).removeprefix(".") in MODULES and whole.startswith("esipy.")
                yield Import(module, _inside(whole if is_module else node.module or ""), node.lineno, in_function,
                             for_types)  # fmt: skip
        else:
            function = in_function or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            guard = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            yield from imports(module, node, function, for_types or guard)


def _inside(name: str) -> str:
    """``.core.wire`` for a module of ours (``.`` for the package itself), other names as they are."""
    return f".{name[6:]}" if name == "esipy" or name.startswith("esipy.") else name


ALL = [found for module, tree in MODULES.items() for found in imports(module, tree)]
OURS = [found._replace(target=found.target[1:]) for found in ALL if found.target.startswith(".")]
OTHERS = [found for found in ALL if not found.target.startswith(".")]


def is_in(module: str, part: str) -> bool:
    """Whether a module is this one, or within this package."""
    return module == part or module.startswith(f"{part}.")


def part_of(module: str) -> str:
    """The part of the house that a module belongs to."""
    module = PARTS_OF.get(module, module)
    return next((part for part in sorted(LAYERS, key=len, reverse=True) if is_in(module, part)), "")


def top(target: str) -> str:
    """The package that an import from outside is of."""
    return target.partition(".")[0]


def test_every_module_has_its_place() -> None:
    """A new module is put into the table, so that it has a layer."""
    assert [] == [module for module in MODULES if module and not part_of(module)]


def test_imports_run_downward_only() -> None:
    """Each part imports itself and what its layer may, nothing above: in functions and for types too."""
    assert [] == [
        str(found)
        for found in OURS
        if found.module
        and found.target  # the package's own facts (its version) are everyone's
        and part_of(found.target) != part_of(found.module)
        and part_of(found.target) not in LAYERS[part_of(found.module)]
    ]


def test_what_goes_upward_waits_in_functions() -> None:
    """Where a lower layer needs an upper one, it is when a function runs, never when it is imported."""
    assert [] == [
        str(found)
        for found in OURS
        if (part_of(found.module), part_of(found.target)) in LAZILY and not (found.in_function or found.for_types)
    ]


def test_the_package_itself_imports_nothing_when_imported() -> None:
    """``import esipy`` loads none of its parts."""
    assert [] == [str(found) for found in OURS if not found.module and not (found.in_function or found.for_types)]


def test_core_is_pure() -> None:
    """`core` imports the standard library's pure parts and msgspec only."""
    assert [] == [str(found) for found in OTHERS if is_in(found.module, "core") and found.target not in PURE]


@pytest.mark.parametrize("part", NEVER)
def test_core_and_engine_know_no_loop_no_thread_no_clock(part: str) -> None:
    """What they need of the world comes in through the runtime."""
    assert [] == [str(found) for found in OTHERS if is_in(found.module, part) and top(found.target) in NEVER[part]]


def test_the_sandbox_shares_no_mistakes() -> None:
    """It takes the catalogue's facts, and nothing of client, engine or core."""
    assert [] == [
        str(found)
        for found in OURS
        if is_in(found.module, "sandbox") and any(is_in(found.target, part) for part in ("client", "engine", "core"))
    ]


def test_third_party_packages_are_confined() -> None:
    """Each is known, and imported only where the table says."""
    assert [] == [
        str(found)
        for found in OTHERS
        if top(found.target) not in sys.stdlib_module_names
        and top(found.target) != "annotationlib"  # the standard library's, from 3.14 on
        and not any(is_in(found.module, place) for place in THIRD_PARTY.get(top(found.target), ()))
    ]


def optional_packages() -> set[str]:
    """What the extras of pyproject.toml bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        requirement.split(">")[0].split("[")[0].strip()
        for extra in project["optional-dependencies"].values()
        for requirement in extra
    }


@pytest.mark.parametrize("package", sorted(optional_packages()))
def test_an_optional_package_has_one_door(package: str) -> None:
    """It is imported in exactly one file, and there inside a function."""
    doors = [found for found in OTHERS if top(found.target) == package]
    assert 1 == len({found.module for found in doors}), [str(found) for found in doors]
    assert [] == [str(found) for found in doors if not (found.in_function or found.for_types)]


def loaded(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement, beyond those of a bare one."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); {code}"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_esipy_costs_next_to_nothing() -> None:
    """No third-party package, no asyncio, no thread, none of its own parts."""
    found = loaded("import esipy")
    assert {"esipy"} == {name for name in found if is_in(name, "esipy")}
    assert set() == found & {"msgspec", "pycurl", "joserfc", "typer", "rich", "asyncio", "threading", "logging", "ssl"}


def test_building_a_call_loads_one_module_of_the_catalogue() -> None:
    """And neither msgspec, nor a transport, nor asyncio."""
    found = loaded("from esipy import ops; ops.market.get_markets_region_id_orders(region_id=1, order_type='all')")
    catalogue = {name for name in found if is_in(name, "esipy.ops")}
    assert {"esipy.ops", "esipy.ops.market"} == catalogue - {"esipy.ops._index"}
    assert set() == found & {"msgspec", "pycurl", "asyncio", "esipy.client", "esipy.engine"}


def test_the_public_names_are_all_there() -> None:
    """Each name in ``__all__`` can be had, is listed by ``dir``, and an unknown one is an AttributeError."""
    import esipy

    for name in esipy.__all__:
        assert getattr(esipy, name) is not None
        assert name in dir(esipy)
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        esipy.absent  # noqa: B018
