"""What published functional experiments showed of single genes of tumour cells."""

from __future__ import annotations

from functools import cache, partial

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.evidence._checks import DOI, refuse_rows
from nkpredict.io import approved_symbols, read_shipped_table
from nkpredict.vocabulary import Axis, Effector, GeneDirection, Strength

EXPERIMENT_COLUMNS = (
    "gene",
    "direction",
    "axis",
    "group",
    "role",
    "receptor",
    "effector",
    "model",
    "scope",
    "experiment",
    "strength",
    "study",
    "doi",
    "note",
)
THIS_LINE = "this line"
"""Scope of what was found in one line and says little about others."""

DIRECT = "direct"
"""Role of what the NK cell meets or what kills the cell; regulators act through such genes."""

LOSS = ("knockout", "knockdown", "blocking antibody", "inhibitor", "CRISPR screen")
"""Experiments that take the gene away at the level at which the cells express it."""

_ALLOWED: dict[str, tuple[str, ...]] = {
    "direction": (GeneDirection.SENSITIZES, GeneDirection.PROTECTS),
    "axis": (*Axis, ""),
    "role": (DIRECT, "regulator"),
    "effector": tuple(Effector),
    "scope": ("general", THIS_LINE),
    "experiment": (*LOSS, "overexpression", "receptor-ligand killing assay"),
    "strength": tuple(Strength),
}
# What a gene has the same of in all rows.
_PER_GENE = ("axis", "group", "role")
_NEVER_EMPTY = ("gene", "group", "model", "study", "note")
# A publication may hold against itself: then each direction has a row.
_KEY = ["gene", "doi", "effector", "direction"]
_NAME = "functional experiments"


def known_experiments() -> pd.DataFrame:
    """Return what published functional experiments showed of genes of tumour cells.

    One row is one gene in one publication, with one kind of effector cells. Publications that
    contradict each other stand beside each other.

    Returns
    -------
    pandas.DataFrame
        Shape (n_rows, 14), all text, columns as in :data:`EXPERIMENT_COLUMNS`: ``direction`` is
        what the gene does in the tumour cell (``sensitizes`` or ``protects``); ``axis`` one of
        :class:`~nkpredict.vocabulary.Axis`, empty where none fits, and ``group`` its finer
        function; ``role`` ``direct`` for what the NK cell meets or what kills the cell, else
        ``regulator``: it acts through genes whose expression is read by itself. All three are the
        same in all rows of a gene. ``receptor`` on the NK cell, empty without
        one; ``effector`` one of :class:`~nkpredict.vocabulary.Effector`; ``model`` the target
        cells; ``scope`` ``general`` or ``this line``; ``experiment`` what was done; ``strength``
        one of :class:`~nkpredict.vocabulary.Strength`; ``study``, ``doi``, ``note``. A copy, free
        to be changed.

    Raises
    ------
    InputError
        When the shipped table was altered and breaks these rules.
    """
    return _experiments().copy()


@cache
def gene_functions() -> pd.DataFrame:
    """Return the function of every gene of the experiments; not to be changed.

    Returns
    -------
    pandas.DataFrame
        Index = gene, in the order of :func:`known_experiments`; columns ``axis, group, role``.

    Raises
    ------
    InputError
        As :func:`known_experiments`.
    """
    return _experiments().drop_duplicates("gene").set_index("gene")[list(_PER_GENE)]


def check_experiments(table: pd.DataFrame) -> None:
    """Check a table of functional experiments row by row.

    Parameters
    ----------
    table
        Columns as in :data:`EXPERIMENT_COLUMNS`, text without missing values.

    Raises
    ------
    InputError
        When a column is missing or a row breaks the contract stated at :func:`known_experiments`.
    """
    if tuple(table.columns) != EXPERIMENT_COLUMNS:
        raise InputError(
            f"The table of {_NAME} has the columns {name_some(table.columns, 14)}; expected "
            f"{', '.join(EXPERIMENT_COLUMNS)}."
        )
    refuse = partial(refuse_rows, _NAME, table)
    padded = table.apply(lambda column: column != column.str.strip()).any(axis=1)
    refuse(padded, "spaces around a value")
    for column, allowed in _ALLOWED.items():
        named = ", ".join(word for word in allowed if word)
        refuse(~table[column].isin(allowed), f"a {column} other than {named}")
    for column in _NEVER_EMPTY:
        refuse(table[column] == "", f"no {column}")
    unknown = ~table["gene"].isin(approved_symbols())
    refuse(unknown, "a gene that is no approved symbol")
    malformed = ~table["doi"].str.match(DOI)
    refuse(malformed, "a missing or malformed DOI")
    refuse(table.duplicated(_KEY), f"the same {', '.join(_KEY)} as another row")
    for column in _PER_GENE:
        several = table.groupby("gene")[column].transform("nunique") > 1
        refuse(several, f"more than one {column} for a gene")
    studies = table.groupby("doi")["study"].transform("nunique") > 1
    refuse(studies, "more than one study under a DOI")


@cache
def _experiments() -> pd.DataFrame:
    table = read_shipped_table("functional_experiments.csv")
    check_experiments(table)
    return table
