"""The tool that writes `esipy.ops`: the same bytes each time, every operation, and no sentence of the document."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.catalogue import naming
from tools.catalogue.__main__ import generate, main, write
from tools.catalogue.layout import bracketed, literal
from tools.catalogue.schemas import Types

ROOT = Path(__file__).parents[2]
OPS = ROOT / "src" / "esipy" / "ops"
PLACES = [
    Path(os.environ.get("ESI_OPENAPI", "esi-openapi-2026-08-04.json")),
    ROOT.parent / "shared" / "esi-openapi-2026-08-04.json",
]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """ESI's document, from ``ESI_OPENAPI`` or beside the repository; without it the test is skipped."""
    for place in PLACES:
        if place.is_file():
            read: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
            return read
    pytest.skip("ESI's OpenAPI document is not here: name it in ESI_OPENAPI to compare the catalogue with it")


def committed() -> dict[str, str]:
    """What is in the repository: relative path -> text."""
    return {path.relative_to(OPS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(OPS.rglob("*.py"))}


def test_the_committed_catalogue_is_what_the_tool_writes(document: dict[str, Any], tmp_path: Path) -> None:
    """Writing the catalogue anew gives the committed files, byte for byte, and no file more or less."""
    write(generate(document), tmp_path)
    anew = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.py")}
    assert {name: text.encode() for name, text in committed().items()} == anew


def test_the_document_holds_nothing_that_is_not_read(document: dict[str, Any]) -> None:
    """Every operation and every schema of the document is in the catalogue: 225 and 327."""
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == 225
    assert len(document["components"]["schemas"]) == 327
    index = committed()["_index.py"]
    missing = [one["operationId"] for one in operations if f'"{one["operationId"]}"' not in index]
    assert not missing


def test_every_one_of_is_one_struct_whose_fields_may_be_absent(document: dict[str, Any]) -> None:
    """The 34 ``oneOf`` are read: each becomes a Struct with all alternatives' keys, none of them required."""
    types = Types(document)
    structs = {struct.name: struct for module in types.modules.values() for struct in module.structs}
    found = list(_one_ofs(document["components"]["schemas"]))
    assert len(found) == 34
    for alternatives in found:
        keys = [key for alternative in alternatives for key in alternative["properties"]]
        fitting = [
            name
            for name, struct in structs.items()
            if [field.key for field in struct.fields] == keys
            and all(field.default == "None" for field in struct.fields)
        ]
        assert fitting, keys


def _one_ofs(node: Any) -> Iterator[list[dict[str, Any]]]:
    if isinstance(node, dict):
        if "oneOf" in node:
            yield node["oneOf"]
        for value in node.values():
            yield from _one_ofs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _one_ofs(value)


def test_no_sentence_of_the_document_is_copied(document: dict[str, Any]) -> None:
    """No description, summary or title of more than four words, nor a sentence of one, occurs in the catalogue."""
    sentences = {
        " ".join(sentence.split()).lower()
        for text in _prose(document)
        for sentence in [text, *re.split(r"[.!?:;\n]+", text)]
        if len(sentence.split()) > 4
    }
    assert len(sentences) > 500
    ours = " ".join(" ".join(committed().values()).split()).lower()
    copied = [sentence for sentence in sorted(sentences) if sentence in ours]
    assert not copied


def _prose(node: Any, key: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for word, value in node.items():
            yield from _prose(value, word if word != "x-enum-descriptions" and key != "x-enum-descriptions" else key)
            if word == "x-enum-descriptions":
                yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _prose(value)
    elif isinstance(node, str) and key in ("description", "summary", "title"):
        yield node


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def test_the_command_writes_where_it_is_told_and_takes_old_modules_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--output`` is obeyed; a module that an earlier document needed is gone, other files stay."""
    source = tmp_path / "document.json"
    source.write_text(json.dumps(_small_document()), encoding="utf-8")
    output = tmp_path / "ops"
    (output / "types").mkdir(parents=True)
    (output / "types" / "gone.py").write_text("")
    (output / "py.typed").write_text("")
    assert main([str(source), "--output", str(output)]) == 0
    written = sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    assert written == [
        "__init__.py", "_index.py", "_scopes.py", "py.typed", "tea_house.py", "types/__init__.py", "types/common.py",
        "types/tea_house.py",
    ]  # fmt: skip
    assert "7 files" in capsys.readouterr().out


def test_what_is_written_runs_and_holds_the_facts(tmp_path: Path) -> None:
    """Parameters, defaults, bounds, awkward names, recursion and unions of a small document come out right."""
    files = generate(_small_document())
    text = files["tea_house.py"]
    assert "def post_teas_tea_id(" in text
    assert 'size: Literal["small", "large"] | str = "small"' in text
    assert "limit: int | None = None" in text
    assert "from_: int" in text
    assert '"from": from_' in text
    assert 'RateGroup("tea", 150, 900)' in text
    assert 'roles=("Brewer",)' in text
    types = files["types/tea_house.py"]
    assert "class TeasTeaId(msgspec.Struct" in types
    assert "    herbs: list[TeasTeaIdHerb] | None = None" in types
    assert '    import_: TeasTeaId | None = msgspec.field(default=None, name="import")' in types
    assert "class PostTeasTeaIdBody(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True" in types
    assert "    sugar: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2" in types
    assert 'TeasTeaIdHerb.colour": ("green", "black")' in types
    for name, source in files.items():
        compile(source, name, "exec")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda operation: operation["parameters"][1].update({"in": "cookie"}), "from has no place"),
        (lambda operation: operation["parameters"][0].update({"$ref": "#/x/Shard"}), "Shard is not known"),
        (lambda operation: operation["security"].append({"OAuth2": ["esi.other.v1"]}), "several scopes"),
        (lambda operation: operation["parameters"][1].update({"schema": {"type": "object"}}), "not known"),
        (lambda operation: operation["tags"].append("Meta"), "not what is known"),
    ],
)
def test_what_the_tool_does_not_know_stops_it(change: Any, message: str) -> None:
    """A fact of a new kind is never passed over: the tool stops and names the operation."""
    document = _small_document()
    change(document["paths"]["/teas/{tea_id}"]["post"])
    with pytest.raises(ValueError, match=message):
        generate(document)


def test_two_types_never_share_a_name() -> None:
    """When two types would be called the same, the tool stops instead of dropping one."""
    document = _small_document()
    document["components"]["schemas"]["TeasTeaIdHerb"] = {"type": "object", "properties": {"x": {"type": "string"}}}
    with pytest.raises(ValueError, match="TeasTeaIdHerb"):
        generate(document)


def test_names_are_made_by_rule() -> None:
    """Ids, tags, fields and squashed words become the names that users see."""
    assert naming.operation_name("GetMarketsRegionIdOrders") == "get_markets_region_id_orders"
    assert naming.module("Planetary Interaction") == "planetary_interaction"
    assert naming.attribute("from") == "from_"
    assert naming.attribute("type") == "type"
    assert naming.singular("cost_indices") == "cost_index"
    assert naming.singular("allies") == "ally"
    assert naming.singular("class") == "class"
    known = naming.vocabulary(["tax_rates", "/fleets/{fleet_id}"])
    assert naming.recased("FleetsTaxrates", known) == "FleetsTaxRates"
    assert naming.recased("FleetsTaxunknown", known) == "FleetsTaxunknown"
    with pytest.raises(ValueError, match="GetÄrger"):
        naming.operation_name("GetÄrger_x")


def test_text_is_laid_out_by_rule() -> None:
    """One line when it fits in 120 columns, else filled lines; double quotes; tuples of one keep their comma."""
    assert bracketed("f(", ["a", "b"], ")") == ["f(a, b)"]
    long = [f"argument_{number}" for number in range(12)]
    lines = bracketed("f(", long, ")")
    assert lines[0] == "f("
    assert lines[-1] == ")"
    assert all(len(line) <= 120 for line in lines)
    assert " ".join(line.strip() for line in lines[1:-1]) == ", ".join(long) + ","
    assert literal(('a"b',)) == '("a\\"b",)'
    assert literal(None) == "None"


def _small_document() -> dict[str, Any]:
    herb = {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["green", "black"]}},
        "required": ["colour"],
    }
    tea = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "herbs": {"type": "array", "items": herb},
            "import": {"$ref": "#/components/schemas/TeasTeaIdGet"},
        },
        "required": ["name"],
    }
    body = {
        "type": "object",
        "properties": {"sugar": {"type": "integer", "minimum": 0, "maximum": 5, "default": 2}},
    }
    size = {"type": "string", "enum": ["small", "large"], "default": "small"}
    operation = {
        "operationId": "PostTeasTeaId",
        "tags": ["Tea House"],
        "parameters": [
            {"$ref": "#/components/parameters/Tenant"},
            {"in": "query", "name": "from", "required": True, "schema": {"type": "integer", "format": "int64"}},
            {"in": "query", "name": "limit", "schema": {"type": "integer"}},
            {"in": "query", "name": "size", "schema": size},
            {"in": "path", "name": "tea_id", "required": True, "schema": {"type": "string"}},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/TeasTeaIdGet"}}}},
            "default": {},
        },
        "security": [{"OAuth2": ["esi-tea.brew.v1"]}],
        "x-required-roles": ["Brewer"],
        "x-rate-limit": {"group": "tea", "max-tokens": 150, "window-size": "15m"},
        "x-compatibility-date": "2020-01-01",
    }
    return {
        "info": {"version": "2026-08-04"},
        "tags": [{"name": "Tea House"}],
        "paths": {"/teas/{tea_id}": {"post": operation}},
        "components": {
            "schemas": {"TeasTeaIdGet": tea},
            "securitySchemes": {"OAuth2": {"flows": {"authorizationCode": {"scopes": {"esi-tea.brew.v1": ""}}}}},
        },
    }
