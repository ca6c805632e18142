"""Large AnnData on disk: dense, or sparse sample by sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.io.expression._annotated import gene_names_of, require_sound_sparse
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._raw import RawMatrix
from nkpredict.io.expression.cells import opened_cells
from nkpredict.io.expression.large._matrix import LARGE, LargeMatrix, NotPlainError, labels_alone
from nkpredict.types import AnyArray


class _StoredRows:
    """Rows of a matrix in an HDF5 file or a zarr folder."""

    turns = False

    def __init__(self, path: Path, place: str) -> None:
        self._path, self._place = path, place

    def rows(self, start: int, stop: int) -> AnyArray:
        """Return rows from one place to another."""
        from anndata.io import sparse_dataset

        try:
            with opened_cells(self._path) as root:
                matrix: Any = root[self._place]
                if hasattr(matrix, "keys"):
                    sparse = sparse_dataset(matrix)[start:stop]
                    require_sound_sparse(sparse)  # else SciPy writes where an index points to
                    part = sparse.toarray()
                else:
                    part = np.asarray(matrix[start:stop])
        except Exception as error:  # what reads the file as a whole says what is wrong with it
            raise NotPlainError from error
        return np.asarray(part, dtype=np.float32)

    def columns(self, start: int, stop: int) -> AnyArray:
        """Refuse: values of one gene lie far apart."""
        raise NotPlainError


def large_annotated(path: Path, options: ReadingOptions) -> LargeMatrix:
    """Open an ``.h5ad`` file or a ``.zarr`` folder of many samples.

    Parameters
    ----------
    path
        The file, which was walked through before.
    options
        What is known about it.

    Raises
    ------
    NotPlainError
        When it holds fewer samples, is stored gene by gene, or anything about it is unusual.
    InputError
        When there is no such column of ``var``.
    """
    from anndata.io import read_elem

    place = "X" if options.layer in (None, "X") else f"layers/{options.layer}"
    with opened_cells(path) as root:
        try:
            matrix = root[place]
            kind = str(matrix.attrs["encoding-type"])
            data = matrix["data"] if hasattr(matrix, "keys") else matrix
            number = np.dtype(data.dtype).kind in "fiu"
            obs, var = read_elem(root["obs"]), read_elem(root["var"])
            shape = tuple(matrix.attrs["shape"]) if hasattr(matrix, "keys") else matrix.shape
        except Exception as error:  # what reads the file as a whole says what is wrong with it
            raise NotPlainError from error
    plain = number and kind in ("array", "csr_matrix") and shape == (len(obs), len(var))
    if not plain or len(obs) <= LARGE:
        raise NotPlainError
    names, names_from = gene_names_of(var, str(path), options.var_column, options.known)
    table = labels_alone(obs.index.astype(str), pd.Index(names))
    raw = RawMatrix(
        table,
        obs,
        var.set_axis(table.columns, axis=0),
        "AnnData (zarr)" if path.is_dir() else "AnnData (h5ad)",
        values_from=place.replace("layers/", "layer "),
        gene_names_from=names_from,
    )
    return LargeMatrix(raw, _StoredRows(path, place))
