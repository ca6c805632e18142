"""Cells of an AnnData in memory, read in stretches like those on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from nkpredict.errors import InputError, name_some
from nkpredict.io.expression._annotated import gene_names_of
from nkpredict.io.expression.cells._matrix import COUNTS, chosen_matrix, kind_of_values
from nkpredict.types import AnyArray, IndexArray

if TYPE_CHECKING:
    from anndata import AnnData

_NAME = "The AnnData"


class CellsInMemory:
    """Cells of an AnnData in memory; the same to read as `CellFile`.

    Parameters
    ----------
    adata
        Cells × genes.
    layer
        Matrix to read; see `open_cells`.
    var_column
        Column of ``var`` with the names of the genes.
    known
        Names of genes that a model knows.
    """

    format = "AnnData in memory"

    def __init__(
        self,
        adata: AnnData,
        layer: str | None = None,
        var_column: str | None = None,
        known: Any = (),
    ) -> None:
        held = {str(name): adata.layers[name] for name in adata.layers}
        variables = dict.fromkeys(held, adata.var)
        if adata.raw is not None:
            held.setdefault("raw", adata.raw.X)
            variables.setdefault("raw", adata.raw.var)
        if adata.X is not None:
            held.setdefault("X", adata.X)
            variables.setdefault("X", adata.var)
        kinds = {name: kind_of_values(_stored(values)) for name, values in held.items()}
        self.matrix, self.notes = chosen_matrix(kinds, layer, _NAME)
        self.whole = kinds[self.matrix] == COUNTS
        values = held[self.matrix]
        self._values: Any = values if sparse.issparse(values) else np.asarray(values)
        if sparse.issparse(values) and values.format != "csr":
            self._values = values.tocsr()
        genes, self.gene_names_from = gene_names_of(
            variables[self.matrix], _NAME, var_column, known
        )
        self.genes = tuple(genes)
        self.path = _NAME
        self.cells = adata.n_obs
        self.stored = "csr" if sparse.issparse(values) else "dense"
        self.columns = tuple(map(str, adata.obs))
        self._obs = adata.obs

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Do nothing: the cells are there."""
        yield self

    @property
    def stored_values(self) -> int:
        """Number of values that are stored."""
        return int(self._values.nnz if self.stored == "csr" else self._values.size)

    def rows(self, start: int, stop: int) -> tuple[IndexArray, AnyArray, AnyArray]:
        """Return cells from one place to another as indptr, columns and values."""
        part = sparse.csr_matrix(self._values[start:stop])
        return part.indptr.astype(np.int64), part.indices, part.data

    def names(self, start: int, stop: int) -> AnyArray:
        """Return the names of cells from one place to another."""
        return np.asarray(self._obs.index[start:stop].astype(str), dtype=object)

    def labels(self, column: str) -> tuple[IndexArray, list[str]]:
        """Return a column of ``obs`` as codes, -1 for missing, and what they stand for."""
        if column not in self._obs:
            raise InputError(
                f"{_NAME} has no column {column!r} in obs; it has "
                f"{name_some(self.columns, 12) or 'none'}."
            )
        values = pd.Series(self._obs[column]).astype("category")
        codes, names = pd.factorize(values, sort=True)
        return codes.astype(np.int32), [str(name) for name in names]


def _stored(values: Any) -> AnyArray:
    return np.asarray(values.data if sparse.issparse(values) else values)
