"""AnnData and loom: which matrix holds the expression, which column the names of the genes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, in_words, name_some
from nkpredict.io.expression._arrange import RECOGNISED_ENOUGH, gene_share
from nkpredict.io.expression._entrez import as_entrez_ids, called_entrez
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._raw import RawMatrix

if TYPE_CHECKING:
    from anndata import AnnData

MEASURED = (
    "counts",
    "raw_counts",
    "counts_raw",
    "raw",
    "umi",
    "count",
    "tpm",
    "lognorm",
    "logcounts",
)
"""Layers that hold what was measured, as pipelines name them, in the order they are tried."""
LOOM = {"matrix", "row_attrs", "col_attrs"}
"""What a loom file holds at least."""
_LOOM_GENES = ("Gene", "gene", "gene_name", "gene_names", "Accession", "var_names", "gene_ids")
_LOOM_CELLS = ("CellID", "cell_id", "obs_names", "barcode", "sample", "SampleID")


def read_annotated(
    path: Path, layer: str | None, var_column: str | None, known: Collection[str]
) -> RawMatrix:
    """Read an ``.h5ad`` file or a ``.zarr`` folder; see `matrix_of_adata`."""
    import anndata

    try:
        adata = anndata.read_zarr(path) if path.is_dir() else anndata.read_h5ad(path)
    except Exception as error:  # h5py, zarr and anndata raise many kinds for a damaged file
        raise InputError(
            f"{path} is not a readable AnnData file ({in_words(error)}); it may be "
            "truncated. Copy or write it again."
        ) from error
    what = "AnnData (zarr)" if path.is_dir() else "AnnData (h5ad)"
    return matrix_of_adata(adata, str(path), layer, var_column, known, what=what)


def matrix_of_adata(
    adata: AnnData,
    path: str,
    layer: str | None = None,
    var_column: str | None = None,
    known: Collection[str] = (),
    *,
    what: str = "AnnData",
) -> RawMatrix:
    """Take the matrix with the expression out of an AnnData, in memory or backed.

    Where ``X`` holds negative values and ``.raw`` or a layer of counts does not, that one is taken.

    Parameters
    ----------
    adata
        Samples × genes.
    path
        How to call it in messages.
    layer
        Layer to read in place of ``X``; ``"raw"`` is ``.raw`` where no layer has that name.
    var_column
        Column of ``var`` with the names of the genes.
    known
        Names of genes that a model knows.
    what
        What it is, in words.

    Raises
    ------
    InputError
        When there is no such layer or column, or no matrix.
    """
    if adata.isbacked:
        adata = adata.to_memory()
    source, values, var = _chosen(adata, path, layer)
    names, names_from = gene_names_of(var, path, var_column, known)
    obs = adata.obs
    table = pd.DataFrame(_dense(values), index=obs.index.astype(str), columns=pd.Index(names))
    by_column = var.set_axis(table.columns, axis=0)
    # Beside negative values in X lies what was measured; the choice is said.
    notes = (f"{source} was read in place of X, which holds negative values.",)
    return RawMatrix(
        table,
        obs,
        by_column,
        what,
        values_from=source,
        gene_names_from=names_from,
        notes=notes if layer is None and source != "X" and adata.X is not None else (),
    )


def read_loom(path: Path, options: ReadingOptions) -> RawMatrix:
    """Read a loom file (HDF5 with genes × cells)."""
    import h5py

    try:
        with h5py.File(path) as file:
            values = np.asarray(loom_matrix(file, options.layer, path), dtype=np.float32).T

            def table(samples: pd.Index, genes: pd.Index) -> pd.DataFrame:
                return pd.DataFrame(values, index=samples, columns=genes)

            return loom_labels(file, path, options, table)
    except InputError:
        raise
    except Exception as error:  # h5py raises many kinds for a damaged file
        raise InputError(
            f"{path} is not a readable loom file ({in_words(error)}); it may be truncated. Copy it "
            "again."
        ) from error


def loom_matrix(file: Any, layer: str | None, path: Path) -> Any:
    """Return a matrix of an open loom file, genes × samples.

    Raises
    ------
    InputError
        When there is no such layer.
    """
    layers = {"matrix": file["matrix"], **dict(file.get("layers", {}).items())}
    if layer is not None and layer not in layers:
        raise InputError(f"{path} has no layer {layer!r}; it has {name_some(layers)}.")
    return layers[layer or "matrix"]


def loom_labels(
    file: Any,
    path: Path,
    options: ReadingOptions,
    table: Callable[[pd.Index, pd.Index], pd.DataFrame],
) -> RawMatrix:
    """Return what an open loom file says of its genes and samples, around a table with their names.

    Parameters
    ----------
    file
        Open for reading.
    path
        Of the file, for messages.
    options
        What is known about it.
    table
        Makes the samples × genes from their names.
    """
    rows, cells = (_attributes(file[axis]) for axis in ("row_attrs", "col_attrs"))
    genes_in_file, samples = loom_matrix(file, options.layer, path).shape
    index = pd.Index(_first_of(cells, _LOOM_CELLS, samples).astype(str))
    genes = _first_of(rows, _LOOM_GENES, genes_in_file).astype(str)
    var = rows.set_axis(genes, axis=0) if len(rows.columns) else pd.DataFrame(index=genes)
    names, names_from = gene_names_of(var, str(path), options.var_column, options.known)
    values = table(index, pd.Index(names))
    return RawMatrix(
        values,
        cells.set_axis(index, axis=0) if len(cells.columns) else pd.DataFrame(index=index),
        var.set_axis(values.columns, axis=0),
        "loom",
        values_from=options.layer or "",
        gene_names_from=names_from,
    )


def _first_of(table: pd.DataFrame, names: Sequence[str], count: int) -> pd.Series:
    return next((table[name] for name in names if name in table), pd.Series(range(count)))


def _attributes(group: Any) -> pd.DataFrame:
    columns = {}
    for name, values in group.items():
        array = np.asarray(values)
        if array.ndim == 1:
            text = array.dtype.kind in "SO"
            columns[name] = (
                [v.decode() if isinstance(v, bytes) else str(v) for v in array] if text else array
            )
    return pd.DataFrame(columns)


def _chosen(adata: AnnData, path: str, layer: str | None) -> tuple[str, Any, pd.DataFrame]:
    if layer is not None:
        if layer in adata.layers:
            return f"layer {layer}", adata.layers[layer], adata.var
        if layer == "raw" and adata.raw is not None:
            return ".raw", adata.raw.X, adata.raw.var
        if layer == "X" and adata.X is not None:
            return "X", adata.X, adata.var
        has = [*adata.layers.keys(), *(["raw"] if adata.raw is not None else [])]
        raise InputError(f"{path} has no layer {layer!r}; it has {name_some(has) or 'none'}.")
    x = adata.X
    if x is not None and not _has_negative(x):
        return "X", x, adata.var
    if adata.raw is not None and not _has_negative(adata.raw.X):
        return ".raw", adata.raw.X, adata.raw.var
    lower = {str(name).lower(): name for name in adata.layers}
    for name in (lower[known] for known in MEASURED if known in lower):
        if not _has_negative(adata.layers[name]):
            return f"layer {name}", adata.layers[name], adata.var
    if x is None:
        raise InputError(
            f"{path} has no X matrix; name a layer with the expression values (--layer; it has "
            f"{name_some(adata.layers.keys()) or 'none'})."
        )
    return "X", x, adata.var


def _has_negative(values: Any) -> bool:
    from scipy import sparse

    stored = values.data if sparse.issparse(values) else np.asarray(values)
    return stored.size > 0 and bool(np.nanmin(stored) < 0)


def _dense(values: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    from scipy import sparse

    try:
        require_sound_sparse(values)
    except ValueError as error:
        raise InputError(
            f"The sparse matrix is damaged ({in_words(error)}); write it again."
        ) from error
    dense = values.toarray() if sparse.issparse(values) else np.asarray(values)
    try:
        return np.asarray(dense, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"The values must be numbers: {error}.") from error


def require_sound_sparse(values: Any) -> None:
    """Refuse a sparse matrix whose indices point out of it: SciPy follows them unseen.

    Raises
    ------
    ValueError
        When it is damaged.
    """
    if not hasattr(values, "check_format"):
        return
    # SciPy looks at the pointers between the first and the last only where the last is above 0, and
    # at their differences, which wrap around in 32 bits
    pointers = getattr(values, "indptr", np.empty(0))
    if (pointers[1:] < pointers[:-1]).any():
        raise ValueError("its index pointers fall")
    values.check_format(full_check=True)


def gene_names_of(
    var: pd.DataFrame, path: str, var_column: str | None, known: Collection[str]
) -> tuple[list[str], str]:
    """Take the names from the index of ``var``, else from the column that holds most of them.

    Parameters
    ----------
    var
        One row a gene.
    path
        The file, for messages.
    var_column
        Column to take, when the user named one.
    known
        Names of genes that a model knows.

    Returns
    -------
    names : list of str
        One a gene.
    names_from : str
        Where they were taken from; empty for the index.

    Raises
    ------
    InputError
        When there is no such column.
    """
    if var_column is not None:
        if var_column not in var:
            raise InputError(
                f"{path} has no column {var_column!r} beside its genes; it has "
                f"{name_some(var.columns) or 'none'}."
            )
        names = _texts(var[var_column])
        return as_entrez_ids(names) or names, f"var column {var_column}"
    index = _texts(var.index)
    if gene_share(index, known) >= RECOGNISED_ENOUGH:
        return index, ""
    shares = {
        str(column): gene_share(_texts(var[column]), known)
        for column in var
        if not pd.api.types.is_numeric_dtype(var[column])
    }
    best = max(shares, key=lambda column: shares[column], default=None)
    if best is not None and shares[best] >= RECOGNISED_ENOUGH:
        return _texts(var[best]), f"var column {best}"
    if (ids := as_entrez_ids(index)) is not None:
        return ids, ""
    for column in var:
        if called_entrez(str(column)) and (ids := as_entrez_ids(_texts(var[column]))) is not None:
            return ids, f"var column {column}"
    return index, ""


def _texts(values: pd.Series | pd.Index) -> list[str]:
    return ["" if pd.isna(value) else str(value) for value in values]
