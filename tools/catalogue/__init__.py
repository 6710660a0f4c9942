"""ESI's OpenAPI document -> `src/esipy/ops`.

``python -m tools.catalogue DOCUMENT [--output DIR]`` writes the catalogue anew. The same document gives the same
bytes. What is written are facts (ids, paths, names, types, numbers, enum values); no sentence of the document.

- `document`: reads the operations into facts.
- `schemas`: turns JSON schemas into type expressions, Structs and enums.
- `walking`: walks through the document.
- `naming`: every rule by which a name is made.
- `layout`: how Python text is laid out, so that no formatter is needed.
- `write_operations`, `write_types`: facts into the text of modules.
"""
