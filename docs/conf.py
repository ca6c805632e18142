"""How the documentation is built: sphinx-build -W docs build/docs. No network is needed."""

from __future__ import annotations

import importlib
import os
import re
from enum import Enum
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

HERE = Path(__file__).parent

# One thread, for equal figures on every machine; no colours in printed tables.
os.environ |= {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "TERM": "dumb"}

project = "nkpredict"
author = "the nkpredict authors"
copyright = "the nkpredict authors, Apache-2.0"
version = release = installed_version("nkpredict")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
]
templates_path = ["_templates"]
exclude_patterns = ["_templates"]
html_theme = "sphinx_book_theme"
html_title = "nkpredict"
html_theme_options = {"show_navbar_depth": 1, "home_page_in_toc": True}
html_show_sourcelink = False

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"

nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# What users import, room by room; each gets a page of its public names.
DOORS = {
    "nkpredict": "What most work needs",
    "nkpredict.datasets": "Data to try it with",
    "nkpredict.pl": "Figures",
    "nkpredict.explain": "From scores to genes",
    "nkpredict.evidence": "Screens and published experiments",
    "nkpredict.drugs": "Drugs and targets",
    "nkpredict.evaluate": "How good a model is",
    "nkpredict.outcome": "Scores and an outcome in time",
    "nkpredict.registry": "Bundles and the registry",
    "nkpredict.io": "Readers",
    "nkpredict.simulate": "Simulated studies",
    "nkpredict.dreval": "On the benchmark DrEval",
    "nkpredict.testing": "Checks for what you add",
}


def _names(door: ModuleType, known: set[int]) -> list[str]:
    """Public functions and classes of a door that stand on no earlier page."""
    found = {name: getattr(door, name) for name in door.__all__}
    vocabularies = {n for n, value in found.items() if isinstance(value, type(Enum))}
    names = [n for n, value in found.items() if callable(value) and id(value) not in known]
    known |= {id(value) for value in found.values()}
    return sorted(set(names) - vocabularies)


def write_reference(app: Sphinx, config: object) -> None:
    """Write a page of public names for each door, from the doors themselves."""
    folder = HERE / "api" / "doors"
    folder.mkdir(parents=True, exist_ok=True)
    known: set[int] = set()
    for module, title in DOORS.items():
        door = importlib.import_module(module)
        lines = [
            title,
            "=" * len(title),
            "",
            f"``{module}``",
            "",
            f".. currentmodule:: {module}",
            "",
            ".. autosummary::",
            "   :toctree: ../generated",
            "   :nosignatures:",
            "",
            *(f"   {name}" for name in _names(door, known)),
            "",
        ]
        page, text = folder / f"{module}.rst", "\n".join(lines)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def keep_bars(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list) -> None:
    """Leave the bars of an absolute value, which reStructuredText reads as a substitution."""
    lines[:] = [re.sub(r"\|([^|`]+)\|", r"\|\1\|", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Register what is done before the pages are read."""
    app.connect("config-inited", write_reference)
    app.connect("autodoc-process-docstring", keep_bars)
