"""Find the cells in what was given: a file, a folder or an AnnData."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from nkpredict.errors import InputError
from nkpredict.io import (
    CellFile,
    CellsInMemory,
    ReadingOptions,
    is_mtx,
    is_table_of_cells,
    matrix_market_as_hdf5,
    open_cells,
    table_as_h5ad,
)

if TYPE_CHECKING:
    from anndata import AnnData


def cells_of(
    source: str | Path | AnnData,
    *,
    layer: str | None = None,
    var_column: str | None = None,
    known: Collection[str] = (),
    converted: Path | None = None,
) -> CellFile | CellsInMemory:
    """Return the cells of a file, a folder or an AnnData, ready to be read in stretches.

    Parameters
    ----------
    source
        ``.h5ad``, ``.zarr``, Cell Ranger's HDF5 or folder with ``matrix.mtx``, text, loom, or
        AnnData, in memory or backed.
    layer, var_column
        As `nkpredict.read_expression` takes them.
    known
        Names of genes that a model knows.
    converted
        File to which what cannot be read in stretches (a folder with ``matrix.mtx``, text, loom)
        is written anew, once.

    Raises
    ------
    InputError
        When there is no such file, or it holds no cells that can be read in stretches.
    """
    if not isinstance(source, str | Path):
        if not source.isbacked:
            return CellsInMemory(source, layer, var_column, known)
        source = Path(str(source.filename))
    path = Path(source)
    if not path.exists():
        raise InputError(f"There is no file {path}; expected single cells. Check the path.")
    options = ReadingOptions(layer=layer, var_column=var_column, known=known)
    if converted is not None and (is_mtx(path) or is_table_of_cells(path, options)):
        path, layer, var_column = _converted(path, converted, options), None, None
    found = open_cells(path, layer=layer, var_column=var_column, known=known)
    if found is None:
        raise InputError(
            f"{path} is no file of single cells that can be read in stretches; expected .h5ad, "
            ".zarr or 10x HDF5. Write it as .h5ad; text, loom and 10x folders with matrix.mtx are "
            "written anew when a folder for finished parts is named (keep)."
        )
    if not found.cells or not found.genes:
        raise InputError(
            f"{path} holds {found.cells} cells and {len(found.genes)} genes; expected some of both."
        )
    return found


def _converted(path: Path, target: Path, options: ReadingOptions) -> Path:
    matrix = path if path.is_file() else next(path.glob("*matrix.mtx*"))
    about = matrix.stat()
    if not target.exists() or target.stat().st_mtime_ns != about.st_mtime_ns:
        if is_mtx(path):
            matrix_market_as_hdf5(path, target)
        else:
            table_as_h5ad(path, target, options)
        # its fingerprint is that of the folder, so that a run that was killed goes on
        os.utime(target, ns=(about.st_mtime_ns, about.st_mtime_ns))
    return target
