"""Cell Ranger's matrices: a folder with matrix.mtx, or one HDF5 file."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, in_words
from nkpredict.io.expression._annotated import require_sound_sparse
from nkpredict.io.expression._matrix_market import read_matrix_market
from nkpredict.io.expression._raw import RawMatrix

_MATRIX = ("matrix.mtx.gz", "matrix.mtx")
_FEATURES = ("features.tsv.gz", "features.tsv", "genes.tsv.gz", "genes.tsv")
_BARCODES = ("barcodes.tsv.gz", "barcodes.tsv")
EXPRESSION = "Gene Expression"
"""Kind of the features that are genes."""


def is_mtx(path: Path) -> bool:
    """Tell whether a path is a Matrix Market file or a folder with one."""
    if path.is_dir():
        return any(p.name.endswith(_MATRIX) for p in path.iterdir())
    return path.name.endswith((".mtx", ".mtx.gz"))


def parts_of_mtx(path: Path) -> tuple[Path, pd.DataFrame, pd.Series]:
    """Find a matrix and read the features and barcodes that lie beside it.

    Parameters
    ----------
    path
        Folder or Matrix Market file; its parts may share one prefix.

    Returns
    -------
    matrix : Path
        Matrix Market file, features × barcodes.
    features : pandas.DataFrame
        Ids, symbols and kinds, as far as they are there.
    cells : pandas.Series
        Barcodes.

    Raises
    ------
    InputError
        When a part is missing or damaged.
    """
    folder = path if path.is_dir() else path.parent
    matrices = [path] if path.is_file() else _ending(folder, "", _MATRIX)
    if len(matrices) != 1:
        raise InputError(
            f"{folder} holds {len(matrices)} matrices ({', '.join(p.name for p in matrices[:3])}); "
            "name the one to read."
        )
    prefix = (
        matrices[0].name[: matrices[0].name.index("matrix.mtx")]
        if ("matrix.mtx" in matrices[0].name)
        else ""
    )
    parts = {}
    for what, names in (("features", _FEATURES), ("barcodes", _BARCODES)):
        found = _ending(folder, prefix, names)
        if not found:
            raise InputError(
                f"{folder} holds {matrices[0].name} but no {prefix}{names[0]} or {prefix}"
                f"{names[1]}; expected matrix, features and barcodes side by side."
            )
        parts[what] = _rows(found[0])
    return matrices[0], parts["features"], parts["barcodes"][0].astype(str)


def read_mtx(path: Path) -> RawMatrix:
    """Read matrix, features and barcodes that lie side by side, with one prefix or none.

    Raises
    ------
    InputError
        When a part is missing or damaged, or the sizes do not fit.
    """
    matrix, features, cells = parts_of_mtx(path)
    try:
        with opened_mtx(matrix) as stream:
            dense = read_matrix_market(stream, (len(features), len(cells)))
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{matrix} is not a readable Matrix Market file ({in_words(error)}); expected "
            "matrix, features and barcodes of one run. It may be truncated: copy them again."
        ) from error
    kinds = features[2] if features.shape[1] > 2 else None
    symbols = features[1] if features.shape[1] > 1 else features[0]
    return _matrix(dense.T, cells, features[0], symbols, kinds, "10x matrix folder")


def is_tenx_hdf5(groups: set[str], file: Any) -> bool:
    """Tell whether an HDF5 file is Cell Ranger's (version 3 and later)."""
    inside = file["matrix"] if "matrix" in groups else ()
    return hasattr(inside, "keys") and "features" in inside


def read_tenx_hdf5(path: Path) -> RawMatrix:
    """Read Cell Ranger's HDF5 file.

    Raises
    ------
    InputError
        When it is damaged.
    """
    import h5py
    from scipy import sparse

    try:
        with h5py.File(path) as file:
            group = file["matrix"]
            shape = tuple(int(size) for size in group["shape"][:])
            parts = (group["data"][:], group["indices"][:], group["indptr"][:])
            values = sparse.csc_matrix(parts, shape=shape)
            require_sound_sparse(values)
            features = group["features"]
            ids, symbols = (pd.Series(features[key].asstr()[:]) for key in ("id", "name"))
            kinds = (
                pd.Series(features["feature_type"].asstr()[:])
                if "feature_type" in features
                else None
            )
            cells = pd.Series(group["barcodes"].asstr()[:])
    except Exception as error:  # h5py raises many kinds for a damaged file
        raise InputError(
            f"{path} is not a readable 10x file ({in_words(error)}); it may be truncated. Copy it "
            "again."
        ) from error
    if values.shape != (len(ids), len(cells)) or not len(ids) == len(symbols) == len(
        ids if kinds is None else kinds
    ):
        raise InputError(
            f"{path} has {values.shape[0]} × {values.shape[1]} values for {len(ids)} features and "
            f"{len(cells)} barcodes; it is damaged. Copy it again."
        )
    return _matrix(values.toarray().T, cells, ids, symbols, kinds, "10x HDF5")


def _matrix(
    values: np.ndarray,
    cells: pd.Series,
    ids: pd.Series,
    symbols: pd.Series,
    kinds: pd.Series | None,
    what: str,
) -> RawMatrix:
    expression = np.ones(len(ids), dtype=bool) if kinds is None else (kinds == EXPRESSION)
    expression = np.asarray(expression)
    other = int((~expression).sum())
    genes = pd.Index(ids[expression].astype(str))
    table = pd.DataFrame(
        values[:, expression].astype(np.float32), index=pd.Index(cells), columns=genes
    )
    var = pd.DataFrame({"symbol": symbols[expression].to_numpy()}, index=genes)
    notes = (f"{other} features that are no genes (antibodies, guides) were left out.",)
    return RawMatrix(
        table, pd.DataFrame(index=table.index), var, what, notes=notes if other else ()
    )


def _ending(folder: Path, prefix: str, names: tuple[str, ...]) -> list[Path]:
    exact = [folder / f"{prefix}{name}" for name in names if (folder / f"{prefix}{name}").is_file()]
    if exact or prefix:
        return exact[:1] if prefix or names != _MATRIX else exact
    return sorted(p for p in folder.iterdir() if p.name.endswith(names))


def opened_mtx(path: Path) -> IO[bytes]:
    """Open a Matrix Market file, plain or gzip, for reading."""
    return cast(IO[bytes], gzip.open(path) if path.name.endswith(".gz") else path.open("rb"))


def _rows(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, sep="\t", header=None, dtype=str, keep_default_na=False)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path} is not a readable list ({in_words(error)}); copy it again."
        ) from error
