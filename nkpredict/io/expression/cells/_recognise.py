"""Recognise single cells before they are read: from a few rows and the sizes of the matrix."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from nkpredict.errors import InputError
from nkpredict.io.expression._matrix_market import matrix_sizes
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._single_cells import are_cells
from nkpredict.io.expression._sound import require_sound
from nkpredict.io.expression._tenx import is_mtx, opened_mtx, parts_of_mtx
from nkpredict.io.expression.cells._file import CellFile, looks_like_cells, open_cells

if TYPE_CHECKING:
    from anndata import AnnData

MOST_GROUPS = 2000
"""Values that a column may have to name groups of cells; set by hand."""
_ROWS = 200  # cells that are looked at; set by hand


@dataclass(frozen=True)
class FoundCells:
    """Single cells that were recognised and not read.

    Attributes
    ----------
    source
        File, or how to call an AnnData.
    cells
        How many there are.
    format
        What the source is, in words.
    groups
        Columns of the cells' table that may name groups: each of few values.
    first : AnnData or None
        Some of the cells, with the matrix that would be read; None where that would take reading
        all of them.
    """

    source: str
    cells: int
    format: str
    groups: tuple[str, ...] = ()
    first: AnnData | None = None


def find_stored_cells(source: str | Path | AnnData, options: ReadingOptions) -> FoundCells | None:
    """Recognise cells of an AnnData, on disk or in memory, or of Cell Ranger; see `find_cells`."""
    if not isinstance(source, str | Path):
        if not source.isbacked or source.is_view:
            return _in_memory(source)
        source = Path(str(source.filename))
    path = Path(source)
    if is_mtx(path):
        return _in_matrix_market(path)
    if path.is_file() and path.suffix.lower() in (".h5ad", ".h5", ".hdf5"):
        require_sound(path)
    found = _opened(path, options)
    if found is None or not found.cells or not found.genes or not looks_like_cells(found):
        return None
    few = [column for column in found.columns if _few_values(found, column)]
    first = None if found.stored == "csc" else _first(found)
    return FoundCells(str(path), found.cells, found.format, tuple(few), first)


def _opened(path: Path, options: ReadingOptions) -> CellFile | None:
    """Open a file of cells; one that is scaled and holds no counts by what it has."""
    for matrix in dict.fromkeys((options.layer, options.layer or "X")):
        try:
            return open_cells(
                path, layer=matrix, var_column=options.var_column, known=options.known
            )
        except InputError:  # what reads the file says what is wrong with it
            continue
    return None


def _in_memory(adata: AnnData) -> FoundCells | None:
    held = [adata.X, *adata.layers.values()] if adata.X is not None else [*adata.layers.values()]
    if not held or not adata.n_vars:
        return None
    zeros = max(_zeros(values[:_ROWS]) for values in held)
    if not are_cells(adata.obs_names[:_ROWS], zeros):
        return None
    few = [
        str(column)
        for column in adata.obs
        if 1 <= adata.obs[column].nunique() <= _most(adata.n_obs)
    ]
    return FoundCells("The AnnData", adata.n_obs, "AnnData", tuple(few), adata[:_ROWS].copy())


def _in_matrix_market(path: Path) -> FoundCells | None:
    matrix, features, cells = parts_of_mtx(path)
    try:
        with opened_mtx(matrix) as stream:
            sizes = matrix_sizes(stream)
    except (ValueError, OSError, EOFError, zlib.error):
        return None  # what reads the matrix says what is wrong with it
    stored = sizes[2] if len(sizes) == 3 else len(features) * len(cells)
    zeros = 1 - stored / max(len(features) * len(cells), 1)
    return (
        FoundCells(str(path), len(cells), "10x matrix folder")
        if are_cells(cells[:_ROWS], zeros)
        else None
    )


def _zeros(part: Any) -> float:
    stored = int(part.nnz if sparse.issparse(part) else np.count_nonzero(np.asarray(part)))
    size = int(part.shape[0]) * int(part.shape[1])
    return 1 - stored / max(size, 1)


def _few_values(found: CellFile, column: str) -> bool:
    try:
        with found.open() as rows:
            _, names = rows.labels(column)
    except InputError:  # a damaged column names no groups
        return False
    return 1 <= len(names) <= _most(found.cells)


def _most(cells: int) -> int:
    return min(MOST_GROUPS, max(cells // 2, 1))


def _first(found: CellFile) -> AnnData:
    import anndata

    stop = min(_ROWS, found.cells)
    with found.open() as rows:
        pointers, columns, values = rows.rows(0, stop)
        names = rows.names(0, stop)
    part = sparse.csr_matrix((values, columns, pointers), (stop, len(found.genes)))
    return anndata.AnnData(
        part.astype(np.float32),
        pd.DataFrame(index=pd.Index(names)),
        pd.DataFrame(index=pd.Index(found.genes)),
    )
