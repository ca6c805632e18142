"""Which proteins stand on the cell surface, where an antibody reaches them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io import (
    approve_gene_names,
    approved_symbols,
    read_shipped_table,
    read_text_cells,
    require_file,
)

SURFACE_COLUMNS = ("gene", "surface", "source", "note")

_WHAT = "table of surface proteins"


def surface_proteins() -> pd.DataFrame:
    """Return the shipped mark of genes of NK resistance and of the drug table.

    Returns
    -------
    pandas.DataFrame
        One row per gene, columns as in :data:`SURFACE_COLUMNS`, all text; ``surface`` is ``yes``
        (the protein stands on the cell surface) or ``no``. A gene that is absent is unknown. A
        copy, free to be changed.

    Raises
    ------
    InputError
        When the shipped file was altered.
    """
    return _shipped().copy()


@cache
def _shipped() -> pd.DataFrame:
    table = read_shipped_table("surface_proteins.csv")
    if tuple(table.columns) != SURFACE_COLUMNS:
        raise InputError(
            f"The {_WHAT} has the columns {name_some(table.columns)}; expected "
            f"{', '.join(SURFACE_COLUMNS)}."
        )
    check_surface(table)
    return table


def read_surface_proteins(path: str | Path) -> pd.DataFrame:
    """Read a list of surface proteins.

    Parameters
    ----------
    path
        A table with the columns ``gene`` or ``symbol`` and, where it has them, ``surface``
        (``yes`` or ``no``; without it every gene listed is on the surface) and ``source``.

    Returns
    -------
    pandas.DataFrame
        As :func:`surface_proteins`; genes the reference table does not know are left out, and
        ``attrs["dropped"]`` counts them.

    Raises
    ------
    InputError
        When the file is malformed or names no gene.
    """
    path = require_file(path, _WHAT)
    given, _ = read_text_cells(path, _WHAT)
    column = next((name for name in ("gene", "symbol", "gene_name") if name in given), None)
    if column is None:
        raise InputError(
            f"{path} has the columns {name_some(given.columns, 8)}; expected a {_WHAT} with the "
            "column gene or symbol."
        )
    table = pd.DataFrame(
        {
            "gene": approve_gene_names(list(given[column])).approved,
            "surface": given["surface"].str.lower() if "surface" in given else "yes",
            "source": given.get("source", path.name),
            "note": given.get("note", ""),
        }
    )
    table.loc[table["source"] == "", "source"] = path.name
    known = table["gene"].isin(approved_symbols())
    dropped = int((~known).sum())
    # a gene listed twice is on the surface when one row says so
    table = table[known].sort_values(["gene", "surface"], ascending=[True, False], kind="stable")
    table = table.drop_duplicates("gene").reset_index(drop=True)
    if table.empty:
        raise InputError(
            f"{path} names no known gene (found {name_some(given[column].unique())}); expected "
            "human gene symbols."
        )
    check_surface(table)
    table.attrs["dropped"] = dropped
    return table


def check_surface(table: pd.DataFrame) -> None:
    """Check a table of surface proteins row by row.

    Raises
    ------
    InputError
        When a gene is no approved symbol or stands twice, ``surface`` is neither ``yes`` nor
        ``no``, or a source is missing.
    """
    lacking = [name for name in ("gene", "surface", "source") if name not in table]
    if lacking:
        raise InputError(f"The {_WHAT} lacks the columns {name_some(lacking)}.")
    wrong = {
        "a gene that is no approved symbol": ~table["gene"].isin(approved_symbols()),
        "a gene more than once": table["gene"].duplicated(),
        "a surface other than yes and no": ~table["surface"].isin(("yes", "no")),
        "no source": table["source"].str.strip() == "",
    }
    for what, rows in wrong.items():
        if rows.any():
            raise InputError(
                f"The {_WHAT} has {what} in {int(rows.sum())} rows "
                f"({name_some(table.loc[rows, 'gene'])}). Mend these rows."
            )
