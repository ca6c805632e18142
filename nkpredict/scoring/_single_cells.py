"""Single cells are recognised before they are read, and refused: they are scored in another way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io import FoundCells, ReadingOptions, facts_of, find_cells

if TYPE_CHECKING:
    from anndata import AnnData


def cells_in(source: Any, options: ReadingOptions) -> FoundCells | None:
    """Recognise single cells without reading them as a whole.

    Parameters
    ----------
    source
        What `nkpredict.score` takes.
    options
        What is known about it.

    Returns
    -------
    FoundCells or None
        None for bulk samples, for what was read before, and for tables in memory.
    """
    adata: AnnData | Any = source
    if isinstance(source, pd.DataFrame):
        return None
    if isinstance(source, str | Path):
        if not Path(source).exists():
            return None
    elif not hasattr(source, "obs_names") or facts_of(adata).expression is not None:
        return None
    return find_cells(
        source, layer=options.layer, var_column=options.var_column, known=options.known
    )


def refusal_of_cells(found: FoundCells) -> str:
    """Say how single cells are scored, with the columns that may name groups."""
    named = f" ({name_some(found.groups, 8)})" if found.groups else ""
    return (
        f"{found.source} holds {found.cells:,} single cells; say how to gather them: --groupby "
        f"COLUMN{named} adds the counts of each group up and scores and explains the groups, "
        "--groupby none gives one number a cell alone. In Python nkpredict.score_cells does both, "
        "and nkpredict.tl.score writes them into an AnnData."
    )


def refuse_read_cells(source: Any, adata: AnnData) -> None:
    """Refuse a file that turned out to hold single cells when it was read.

    Raises
    ------
    InputError
        As `refuse_cells`.
    """
    read = facts_of(adata).expression
    if isinstance(source, str | Path) and read is not None and read.single_cells:
        raise InputError(refusal_of_cells(FoundCells(str(source), read.samples, read.format)))


def refuse_cells(source: Any, options: ReadingOptions) -> None:
    """Refuse single cells, which no model reads one by one as samples.

    Raises
    ------
    InputError
        When the source holds single cells; it says how to score them.
    """
    found = cells_in(source, options)
    if found is not None:
        raise InputError(refusal_of_cells(found))
