"""What is loaded when: nothing before it is asked for, one module for one call, msgspec only for types."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from esipy import ops


def loaded_after(code: str) -> set[str]:
    """The modules of the catalogue, and msgspec, that a fresh interpreter has loaded after this code."""
    program = f"import sys\n{code}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name for name in json.loads(done.stdout) if name.startswith("esipy.ops.") or name == "msgspec"}


def test_importing_the_catalogue_loads_no_module_of_it() -> None:
    """Neither a tag's module, nor the index, nor msgspec."""
    assert loaded_after("from esipy import ops; dir(ops)") == set()


def test_one_call_loads_one_module() -> None:
    """Building a call loads its tag's facts, not its types, not msgspec."""
    code = "from esipy import ops; ops.market.get_markets_region_id_orders(region_id=1, page=2).target"
    assert loaded_after(code) == {"esipy.ops.market"}


def test_a_name_is_looked_up_without_loading_other_modules() -> None:
    """`operation` loads the index and one module; `names` the index only."""
    assert loaded_after("from esipy import ops; ops.names()") == {"esipy.ops._index"}
    assert loaded_after("from esipy import ops; ops.operation('get_status')") == {
        "esipy.ops._index",
        "esipy.ops.status",
    }


def test_asking_about_a_module_loads_no_types() -> None:
    """What tools ask of every module (its path, its tests, its signature) is no reason to load msgspec."""
    code = "from esipy.ops import market; [hasattr(market, name) for name in ('__path__', '__wrapped__', 'pytest_x')]"
    assert loaded_after(code) == {"esipy.ops.market"}


def test_a_type_is_loaded_when_it_is_asked_for() -> None:
    """``ops.market.X`` is ``ops.types.market.X``, loaded at that moment."""
    code = "from esipy import ops; ops.market.MarketsRegionIdOrdersItem"
    assert loaded_after(code) == {
        "msgspec", "esipy.ops.market", "esipy.ops.types", "esipy.ops.types.common", "esipy.ops.types.market",
    } | {name for name in loaded_after("import msgspec") if name != "msgspec"}  # fmt: skip


def test_what_is_not_there_is_an_attribute_error() -> None:
    """A wrong module, function or type is named in the error, as in any module."""
    with pytest.raises(AttributeError, match=r"'esipy\.ops' has no attribute 'markets'"):
        _ = ops.markets  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"'esipy\.ops\.market' has no attribute 'get_orders'"):
        _ = ops.market.get_orders  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"'esipy\.ops\.market' has no attribute 'Nothing'"):
        _ = ops.market.Nothing  # type: ignore[attr-defined]


def test_dir_lists_the_modules() -> None:
    """All 37 tags are there for completion, with the package's own functions."""
    listed = set(dir(ops))
    assert {"market", "planetary_interaction", "wars", "operation", "operations", "names"} <= listed
    assert {operation.module for operation in ops.operations()} <= listed


def test_every_operation_has_its_function() -> None:
    """Each module holds, for each of its operations, the function of its name with exactly its parameters."""
    import inspect
    from importlib import import_module

    for operation in ops.operations():
        module = import_module(f"esipy.ops.{operation.module}")
        assert module.OPERATIONS[operation.name] is operation
        function = getattr(module, operation.name)
        signature = inspect.signature(function)
        assert list(signature.parameters) == [parameter.name for parameter in operation.parameters]
        for parameter in operation.parameters:
            shown = signature.parameters[parameter.name]
            assert shown.kind is inspect.Parameter.KEYWORD_ONLY
            if parameter.default is not None:
                assert shown.default == parameter.default
            else:
                assert shown.default is (inspect.Parameter.empty if parameter.required else None)
        assert function.__doc__.startswith(f"{operation.method} {operation.path}\n")
        assert (operation.scope or "Public") in function.__doc__
