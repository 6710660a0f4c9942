"""How Sphinx builds these pages: ``make docs``. Nothing is fetched from a network, and every warning is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from esipy import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "EsiPy"
author = "the EsiPy authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
smartquotes_action = "D"  # dashes, which autodoc writes as --; quotes and dots stay as they are
default_role = "code"  # docstrings write `Name`

add_module_names = False
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"EsiPy {version}"
html_copy_source = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["esipy.css"]


def setup(app: Sphinx) -> None:
    """Let docstrings be read as they are meant."""
    app.connect("autodoc-process-docstring", _keep_sentences, priority=400)


def _keep_sentences(_app: Sphinx, what: str, _name: str, _object: object, _options: Any, lines: list[str]) -> None:
    """Napoleon takes what stands before a colon for a type, in a property and under ``Returns:``. Ours are sentences.

    A line that ends before its colon has none for Napoleon, and is one line again for the reader.
    """
    places = [0] if what in ("attribute", "property") else []
    places += [place + 1 for place, line in enumerate(lines) if line.strip() == "Returns:"]
    for place in reversed(places):
        sentence, colon, rest = lines[place].partition(": ")
        if colon:
            indent = sentence[: len(sentence) - len(sentence.lstrip())]
            lines[place : place + 1] = [f"{sentence}\\", f"{indent}: {rest}"]
