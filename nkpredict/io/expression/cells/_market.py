"""A Matrix Market folder written anew as HDF5, so that it can be read from any place."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, in_words
from nkpredict.io._writing import atomic_path
from nkpredict.io.expression._matrix_market import matrix_sizes
from nkpredict.io.expression._tenx import opened_mtx, parts_of_mtx
from nkpredict.types import IndexArray

_ENTRIES_AT_ONCE = 4_000_000


def matrix_market_as_hdf5(path: Path, target: Path) -> Path:
    """Write matrix, features and barcodes as one HDF5 file of Cell Ranger's layout.

    The matrix is read once in stretches, so that memory does not depend on its size.

    Parameters
    ----------
    path
        Folder or Matrix Market file.
    target
        File to write.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    InputError
        When a part is missing or damaged, the sizes do not fit, or the entries are not sorted by
        barcode, as Cell Ranger writes them.
    """
    import h5py

    matrix, features, cells = parts_of_mtx(path)
    try:
        with atomic_path(target) as temporary, h5py.File(temporary, "w") as file:
            group = file.create_group("matrix")
            text = h5py.string_dtype()
            group["barcodes"] = np.asarray(cells, dtype=text)
            table = group.create_group("features")
            named = zip(("id", "name", "feature_type"), features, strict=False)
            for key, column in named:
                table[key] = np.asarray(features[column].astype(str), dtype=text)
            if "name" not in table:
                table["name"] = table["id"][:]
            group["shape"] = np.array([len(features), len(cells)], dtype=np.int64)
            _write_entries(group, matrix, len(features), len(cells))
    except InputError:
        raise
    except (ValueError, OverflowError, EOFError, zlib.error, pd.errors.ParserError) as error:
        raise InputError(
            f"{matrix} is not a readable Matrix Market file ({in_words(error)}); it may be "
            "truncated. Copy it again."
        ) from error
    return target


def _write_entries(group: Any, matrix: Path, features: int, cells: int) -> None:
    with opened_mtx(matrix) as stream:
        shape = matrix_sizes(stream)
        if len(shape) != 3 or shape[:2] != [features, cells]:
            raise InputError(
                f"{matrix} has {' × '.join(map(str, shape[:2]))} values for {features} features "
                f"and {cells} barcodes; expected the three files of one run."
            )
        count = shape[2]
        if count > features * cells:
            raise ValueError(f"{count:,} entries in a matrix of {features:,} × {cells:,}")
        data = group.create_dataset("data", (count,), np.float32)
        indices = group.create_dataset("indices", (count,), np.int32)
        stored, done, last = np.zeros(cells, dtype=np.int64), 0, 0
        names = ["feature", "cell", "value"]
        kinds = {"feature": np.int32, "cell": np.int32, "value": np.float32}
        reading: dict[str, Any] = {"sep": " ", "header": None, "names": names, "dtype": kinds}
        with pd.read_csv(stream, chunksize=_ENTRIES_AT_ONCE, **reading) as parts:
            for part in parts:
                cell, feature = part["cell"].to_numpy() - 1, part["feature"].to_numpy() - 1
                if done + len(part) > count:
                    raise ValueError(f"more than its {count:,} entries")
                if not (_within(cell, cells) and _within(feature, features)):
                    raise ValueError("an entry lies outside of the matrix")
                if len(cell) and (cell[0] < last or (np.diff(cell) < 0).any()):
                    raise InputError(
                        f"{matrix} is not sorted by barcode, as Cell Ranger writes it; expected "
                        "one cell after the other. Write it as .h5ad."
                    )
                last = int(cell[-1])
                stored += np.bincount(cell, minlength=cells)
                data[done : done + len(part)] = part["value"].to_numpy()
                indices[done : done + len(part)] = feature
                done += len(part)
    if done != count:
        raise ValueError(f"{done:,} of {count:,} entries")
    group["indptr"] = np.concatenate([[0], np.cumsum(stored)])


def _within(places: IndexArray, count: int) -> bool:
    return bool(((places >= 0) & (places < count)).all())
