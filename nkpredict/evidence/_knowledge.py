"""The curated knowledge base: published hits of NK-cell screens, and modules of related genes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.evidence._checks import DOI, refuse_rows
from nkpredict.evidence._experiments import gene_functions
from nkpredict.io import approved_symbols, read_shipped_table
from nkpredict.shipped import shipped_path
from nkpredict.vocabulary import UNKNOWN, GeneDirection, Perturbation

HIT_COLUMNS = (
    "gene",
    "category",
    "perturbation",
    "effector",
    "target_line",
    "direction",
    "effect_size",
    "effect_unit",
    "significance",
    "significance_kind",
    "study",
    "doi",
    "note",
)

_NUMBERS = ("effect_size", "significance")
_ALLOWED = {
    "perturbation": (*Perturbation, UNKNOWN),
    "direction": (GeneDirection.SENSITIZES, GeneDirection.PROTECTS, UNKNOWN),
}
_NEVER_EMPTY = ("gene", "category", "effector", "target_line", "study")
_KEY = ["gene", "study", "perturbation", "effector", "target_line"]
_DOI_SEPARATOR = "; "
# Modules whose genes fall in one category of the study; the first named wins.
_MODULE_CATEGORY = {
    "interferon_gamma_response": "interferon gamma",
    "hla_class_i_antigen_presentation": "antigen presentation",
}


@dataclass(frozen=True)
class GeneModule:
    """A named set of genes that act together in the encounter of tumour and NK cell.

    Attributes
    ----------
    name
        Key of the module, for example ``"adhesion"``.
    description
        One sentence.
    genes
        Approved symbols, sorted.
    source
        DOI of the publication; several are joined by ``"; "``.
    """

    name: str
    description: str
    genes: tuple[str, ...]
    source: str


def known_hits() -> pd.DataFrame:
    """Return what published screens of NK cells say about single genes.

    One row is one gene in one study. ``direction`` is read from the measured effect by the
    convention of the package (loss of function and enriched = the gene sensitizes tumour cells to
    NK cells). It is ``unknown`` where a study published membership only, the effect may have
    another cause or is too small to tell; ``note`` says which.

    Returns
    -------
    pandas.DataFrame
        Shape (n_rows, 13), columns as in :data:`HIT_COLUMNS`: ``perturbation`` (``loss``,
        ``gain`` or ``unknown``), ``direction`` (``sensitizes``, ``protects`` or ``unknown``),
        ``effect_size`` in ``effect_unit`` as published (not turned by perturbation),
        ``significance`` between 0 and 1 as named by ``significance_kind``, both NaN where
        absent; other columns are text, empty where absent. A copy, free to be changed.

    Raises
    ------
    InputError
        When the shipped table was altered and breaks these rules.
    """
    return _hits().copy()


def gene_modules() -> dict[str, GeneModule]:
    """Return the modules of genes relevant to killing by NK cells.

    Returns
    -------
    dict of str to GeneModule
        By name, sorted.

    Raises
    ------
    InputError
        When the shipped file was altered: a module is empty, has no source or names a gene that
        is no approved symbol.
    """
    return dict(_modules())


def gene_categories() -> dict[str, str]:
    """Return the category of every gene of the knowledge base that has one.

    The category of the study's figure 4 where it lists the gene, else that of the module the gene
    belongs to, else its group among the functional experiments.

    Returns
    -------
    dict of str to str
        Approved symbol → category, such as ``"antigen presentation"``.

    Raises
    ------
    InputError
        As :func:`known_hits`, :func:`gene_modules` and :func:`known_experiments`.
    """
    return dict(_categories())


@cache
def _categories() -> dict[str, str]:
    hits = _hits()
    by_group = {str(gene): str(group) for gene, group in gene_functions()["group"].items()}
    listed = hits[hits["category"] != "uncategorised"].drop_duplicates("gene")
    by_module = {
        gene: category
        for name, category in _MODULE_CATEGORY.items()
        if name in _modules()
        for gene in _modules()[name].genes
    }
    return by_group | by_module | dict(zip(listed["gene"], listed["category"], strict=True))


@cache
def _hits() -> pd.DataFrame:
    table = read_shipped_table("screen_hits.csv")
    if tuple(table.columns) != HIT_COLUMNS:
        raise InputError(
            f"The table of screen hits has the columns {name_some(table.columns, 13)}; expected "
            f"{', '.join(HIT_COLUMNS)}."
        )
    for column in _NUMBERS:
        try:
            table[column] = pd.to_numeric(table[column].replace("", np.nan)).astype(np.float64)
        except ValueError as error:
            raise InputError(
                f"The table of screen hits has text in the column {column} ({error}); expected "
                "numbers or empty cells."
            ) from error
    check_hits(table)
    return table


def check_hits(table: pd.DataFrame) -> None:
    """Check a table of screen hits row by row.

    Parameters
    ----------
    table
        Columns as in :data:`HIT_COLUMNS`, numbers as float64, text without missing values.

    Raises
    ------
    InputError
        When a row breaks the contract stated at :func:`known_hits`.
    """
    refuse = partial(refuse_rows, "screen hits", table)
    for column, allowed in _ALLOWED.items():
        refuse(~table[column].isin(allowed), f"a {column} other than {', '.join(allowed)}")
    for column in _NEVER_EMPTY:
        refuse(table[column].str.strip() == "", f"no {column}")
    refuse(~table["gene"].isin(approved_symbols()), "a gene that is no approved symbol")
    refuse(table.duplicated(_KEY), f"the same {', '.join(_KEY)} as another row")
    malformed = (table["doi"] != "") & ~table["doi"].str.match(DOI)
    refuse(malformed, "a malformed DOI")
    refuse(~np.isfinite(table["effect_size"].fillna(0)), "an infinite effect size")
    outside = table["significance"].notna() & ~table["significance"].between(0, 1)
    refuse(outside, "a significance outside 0 to 1")
    for number, unit in (("effect_size", "effect_unit"), ("significance", "significance_kind")):
        half = table[number].notna() != (table[unit] != "")
        refuse(half, f"only one of {number} and {unit}")
    turned = table["perturbation"].map({Perturbation.LOSS: 1.0, Perturbation.GAIN: -1.0})
    expected = np.sign(table["effect_size"] * turned).map(
        {1.0: GeneDirection.SENSITIZES, -1.0: GeneDirection.PROTECTS}
    )
    contrary = (table["direction"] != UNKNOWN) & (table["direction"] != expected)
    refuse(contrary, "a direction that is not the sign of a measured effect")


@cache
def _modules() -> dict[str, GeneModule]:
    path = shipped_path("reference", "gene_sets.json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        modules = {
            name: GeneModule(
                name, entry["description"], tuple(sorted(entry["genes"])), entry["source"]
            )
            for name, entry in sorted(content.items())
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "The file of gene modules is altered; expected JSON with description, genes and "
            f"source for each module ({error!r})."
        ) from error
    for module in modules.values():
        _check_module(module)
    return modules


def _check_module(module: GeneModule) -> None:
    foreign = sorted(set(module.genes) - approved_symbols())
    if not module.genes or foreign or len(set(module.genes)) < len(module.genes):
        raise InputError(
            f"The gene module {module.name} has {len(module.genes)} genes, of which "
            f"{len(foreign)} are no approved symbols ({name_some(foreign) or 'none'}); expected "
            "approved symbols, each once."
        )
    if not module.description or not all(map(DOI.match, module.source.split(_DOI_SEPARATOR))):
        raise InputError(
            f"The gene module {module.name} has the source {module.source!r}; expected a "
            "description and one or more DOIs."
        )
