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
    is_mtx,
    matrix_market_as_hdf5,
    open_cells,
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
        ``.h5ad``, ``.zarr``, Cell Ranger's HDF5 or folder with ``matrix.mtx``, or AnnData, in
        memory or backed.
    layer, var_column
        As `nkpredict.read_expression` takes them.
    known
        Names of genes that a model knows.
    converted
        File to which a folder with ``matrix.mtx`` is written anew, once; it must not be there.

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
    if is_mtx(path) and converted is not None:
        path = _converted(path, converted)
    found = open_cells(path, layer=layer, var_column=var_column, known=known)
    if found is None:
        raise InputError(
            f"{path} is no file of single cells that can be read in stretches; expected .h5ad, "
            ".zarr, 10x HDF5 or a 10x folder with matrix.mtx. Write it as .h5ad."
        )
    if not found.cells or not found.genes:
        raise InputError(
            f"{path} holds {found.cells} cells and {len(found.genes)} genes; expected some of both."
        )
    return found


def _converted(path: Path, target: Path) -> Path:
    matrix = path if path.is_file() else next(path.glob("*matrix.mtx*"))
    about = matrix.stat()
    if not target.exists() or target.stat().st_mtime_ns != about.st_mtime_ns:
        matrix_market_as_hdf5(path, target)
        # its fingerprint is that of the folder, so that a run that was killed goes on
        os.utime(target, ns=(about.st_mtime_ns, about.st_mtime_ns))
    return target
