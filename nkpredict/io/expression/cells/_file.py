"""Files of single cells: h5ad, zarr and Cell Ranger's HDF5, read in stretches of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from nkpredict.errors import InputError, name_some
from nkpredict.io.expression._annotated import gene_names_of, require_sound_sparse
from nkpredict.io.expression._single_cells import are_cells
from nkpredict.io.expression._sound import require_sound
from nkpredict.io.expression._tenx import EXPRESSION
from nkpredict.io.expression.cells._matrix import COUNTS, chosen_matrix, kind_of_values
from nkpredict.types import AnyArray, IndexArray

# Rows, and values of a sparse matrix, to tell counts from other values.
_LOOKED_AT, _VALUES_LOOKED_AT = 200, 200_000
TENX = "10x HDF5"
# What h5py and zarr raise where a file is damaged; UnicodeDecodeError is a ValueError.
_DAMAGED = (OSError, ValueError, RuntimeError, KeyError, IndexError, TypeError)


@dataclass(frozen=True)
class CellFile:
    """What a file of cells holds; small, so that it can be handed to another process.

    Attributes
    ----------
    path
        The file.
    format
        What it is, in words.
    matrix
        Name of the matrix in the file.
    cells
        Number of rows.
    genes
        Names of the genes, one a column.
    stored
        ``"csr"`` (one cell after the other), ``"csc"`` (one gene after the other) or ``"dense"``.
    whole
        Whether the first rows hold whole numbers: counts.
    columns
        Columns of the cells' table.
    gene_names_from
        Column that the names of the genes were taken from; empty for the index.
    notes
        Sentences on what was chosen.
    """

    path: Path
    format: str
    matrix: str
    cells: int
    genes: tuple[str, ...] = field(repr=False)
    stored: str
    whole: bool
    columns: tuple[str, ...] = ()
    gene_names_from: str = ""
    notes: tuple[str, ...] = ()

    @contextmanager
    def open(self) -> Iterator[CellRows]:
        """Open the file for reading.

        Raises
        ------
        InputError
            When it cannot be read.
        """
        with opened_cells(self.path) as root:
            yield CellRows(self, root)


class CellRows:
    """An open file of cells.

    Parameters
    ----------
    file
        What it holds.
    root
        Its HDF5 file or zarr group.
    """

    def __init__(self, file: CellFile, root: Any) -> None:
        self.file = file
        self._root = root
        self._matrix = root[file.matrix]
        self._indptr: IndexArray | None = None
        self._by_gene: sparse.csr_matrix | None = None

    @property
    def indptr(self) -> IndexArray:
        """Where the values of each cell begin, for a sparse matrix."""
        if self._indptr is None:
            self._indptr = np.asarray(self._matrix["indptr"][:], dtype=np.int64)
            ends = (self._indptr[:1] < 0).any() or (self._indptr[-1:] > self.stored_values).any()
            fall = (self._indptr[1:] < self._indptr[:-1]).any()
            if len(self._indptr) != self.cells + 1 or ends or fall:
                raise ValueError("the places where cells begin do not fit its values")
        return self._indptr

    def rows(self, start: int, stop: int) -> tuple[IndexArray, AnyArray, AnyArray]:
        """Return cells from one place to another as indptr, columns and values.

        Raises
        ------
        InputError
            When they cannot be read.
        """
        try:
            if self.file.stored == "csr":
                pointers = self.indptr[start : stop + 1]
                within = slice(int(pointers[0]), int(pointers[-1]))
                columns = np.asarray(self._matrix["indices"][within])
                values = np.asarray(self._matrix["data"][within])
                genes = len(self.file.genes)
                if len(columns) and not (columns.min() >= 0 and columns.max() < genes):
                    raise ValueError(f"it names columns beyond its {genes:,} genes")
                if len(columns) != len(values) or len(columns) != pointers[-1] - pointers[0]:
                    raise ValueError("columns and values differ in number")
                return pointers - pointers[0], columns, values
            part = (
                self._turned()[start:stop]
                if self.file.stored == "csc"
                else sparse.csr_matrix(np.asarray(self._matrix[start:stop]))
            )
        except _DAMAGED as error:
            raise InputError(
                f"Cells {start + 1:,} to {stop:,} of {self.file.path} cannot be read "
                f"({_first_line(error)}); the file may be damaged. Copy or write it again."
            ) from error
        return part.indptr.astype(np.int64), part.indices, part.data

    @property
    def stored_values(self) -> int:
        """Number of values that are stored."""
        if self.file.stored == "dense":
            return self.file.cells * len(self.file.genes)
        return int(self._matrix["data"].shape[0])

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.file.cells

    def names(self, start: int, stop: int) -> AnyArray:
        """Return the names of cells from one place to another."""
        try:
            if self.file.format == TENX:
                return _texts(self._root["matrix"]["barcodes"], start, stop)
            table = self._root["obs"]
            return _texts(table[str(table.attrs["_index"])], start, stop)
        except _DAMAGED as error:
            raise InputError(
                f"The names of the cells of {self.file.path} cannot be read ({_first_line(error)});"
                " the file may be damaged. Copy or write it again."
            ) from error

    def labels(self, column: str) -> tuple[IndexArray, list[str]]:
        """Return a column of the cells' table as codes, -1 for missing, and what they stand for.

        Raises
        ------
        InputError
            When there is no such column.
        """
        if column not in self.file.columns:
            raise InputError(
                f"{self.file.path} has no column {column!r} in the table of its cells; it has "
                f"{name_some(self.file.columns, 12) or 'none'}."
            )
        from anndata.io import read_elem

        try:
            values = pd.Series(read_elem(self._root["obs"][column]))
        except Exception as error:  # anndata raises many kinds for a damaged file
            raise InputError(
                f"The column {column!r} of {self.file.path} cannot be read ({_first_line(error)}); "
                "the file may be damaged. Copy or write it again."
            ) from error
        codes, names = pd.factorize(values.astype("category"), sort=True)
        return codes.astype(np.int32), [str(name) for name in names]

    def _turned(self) -> sparse.csr_matrix:
        """Return a matrix that is stored gene by gene as one of cells, in memory as a whole."""
        if self._by_gene is None:
            parts = tuple(np.asarray(self._matrix[key][:]) for key in ("data", "indices", "indptr"))
            shape = (self.file.cells, len(self.file.genes))
            by_gene = sparse.csc_matrix(parts, shape)
            require_sound_sparse(by_gene)  # else SciPy writes where an index points to
            self._by_gene = by_gene.tocsr()
        return self._by_gene


@contextmanager
def opened_cells(path: Path) -> Iterator[Any]:
    """Open an HDF5 file or a zarr folder for reading.

    Raises
    ------
    InputError
        When it is damaged.
    """
    try:
        if path.is_dir():
            import zarr

            root, close = zarr.open_group(path, mode="r"), None
        else:
            import h5py

            root = h5py.File(path)
            close = root.close
    except Exception as error:  # h5py and zarr raise many kinds for a damaged file
        raise InputError(
            f"{path} is not a readable file of cells ({_first_line(error)}); it may be truncated. "
            "Copy or write it again."
        ) from error
    try:
        yield root
    finally:
        if close is not None:
            close()


def open_cells(
    path: Path,
    *,
    layer: str | None = None,
    var_column: str | None = None,
    known: Collection[str] = (),
) -> CellFile | None:
    """Tell what a file of cells holds; None for a file of another kind.

    Of an AnnData the counts are taken wherever they lie: ``X``, a layer or ``.raw``.

    Parameters
    ----------
    path
        ``.h5ad``, ``.zarr`` or Cell Ranger's HDF5.
    layer
        Matrix to read; ``"raw"`` is ``.raw``.
    var_column
        Column of ``var`` with the names of the genes.
    known
        Names of genes that a model knows.

    Raises
    ------
    InputError
        When the file is damaged, holds links to other files, or has no such layer or column.
    """
    if path.is_dir() and not any((path / name).exists() for name in (".zgroup", "zarr.json")):
        return None
    if path.is_file() and not _is_hdf5(path):
        return None
    require_sound(path)
    with opened_cells(path) as root:
        try:
            inside = set(root)
            if "matrix" in inside and "features" in root["matrix"]:
                return _tenx(path, root)
            if {"obs", "var"} <= inside:
                return _anndata(path, root, layer, var_column, known)
        except InputError:
            raise
        except Exception as error:  # h5py, zarr and anndata raise many kinds for a damaged file
            raise InputError(
                f"{path} is not a readable file of cells ({_first_line(error)}); it may be "
                "truncated or written by an old version. Copy or write it again."
            ) from error
    return None


def looks_like_cells(file: CellFile) -> bool:
    """Tell whether the rows are single cells: barcodes for names, or mostly zeros."""
    stop = min(file.cells, _LOOKED_AT)
    with file.open() as rows:
        if file.stored == "csc":
            zeros = 1.0 - rows.stored_values / (file.cells * len(file.genes))
        else:
            _, _, values = rows.rows(0, stop)
            zeros = 1.0 - np.count_nonzero(values) / (stop * len(file.genes))
        return are_cells(rows.names(0, stop), zeros)


def _tenx(path: Path, root: Any) -> CellFile:
    group = root["matrix"]
    features = group["features"]
    ids, symbols = (_texts(features[key]) for key in ("id", "name"))
    names, names_from = gene_names_of(
        pd.DataFrame({"symbol": symbols}, index=pd.Index(ids)), str(path), None, ()
    )
    notes: tuple[str, ...] = ()
    if "feature_type" in features:
        other = np.asarray(_texts(features["feature_type"]) != EXPRESSION)
        names = ["" if apart else name for name, apart in zip(names, other, strict=True)]
        if other.any():
            said = f"{int(other.sum())} features that are no genes (antibodies, guides) were left "
            notes = (f"{said}out.",)
    cells = len(group["barcodes"])
    if list(group["shape"]) != [len(names), cells] or len(group["indptr"]) != cells + 1:
        raise ValueError(
            f"its matrix is not that of {len(names):,} features and {cells:,} barcodes"
        )
    return CellFile(
        path=path,
        format=TENX,
        matrix="matrix",
        cells=cells,
        genes=tuple(names),
        stored="csr",  # features × barcodes by column is cells × genes by row
        whole=True,
        gene_names_from=names_from,
        notes=notes,
    )


def _anndata(
    path: Path, root: Any, layer: str | None, var_column: str | None, known: Collection[str]
) -> CellFile:
    from anndata.io import read_elem

    matrix, whole, notes = _matrix_of(path, root, layer)
    var = read_elem(root["raw/var" if matrix == "raw/X" else "var"])
    names, names_from = gene_names_of(var, str(path), var_column, known)
    stored = _stored(root[matrix])
    obs = root["obs"]
    index = str(obs.attrs["_index"])
    return CellFile(
        path=path,
        format="AnnData (zarr)" if path.is_dir() else "AnnData (h5ad)",
        matrix=matrix,
        cells=int(obs[index].shape[0]),
        genes=tuple(names),
        stored=stored,
        whole=whole,
        columns=tuple(str(name) for name in obs.attrs.get("column-order", ()) if name in obs),
        gene_names_from=names_from,
        notes=notes,
    )


def _matrix_of(path: Path, root: Any, layer: str | None) -> tuple[str, bool, tuple[str, ...]]:
    """Choose the matrix of an AnnData on disk; see `chosen_matrix`."""
    layers = [str(name) for name in root["layers"]] if "layers" in root else []
    where = {name: f"layers/{name}" for name in layers}
    if "raw" in root and "X" in root["raw"]:
        where.setdefault("raw", "raw/X")
    if "X" in root:
        where.setdefault("X", "X")
    kinds = {name: _kind(root[place]) for name, place in where.items()}
    name, notes = chosen_matrix(kinds, layer, str(path))
    return where[name], kinds[name] == COUNTS, notes


def _kind(matrix: Any) -> str:
    stored = matrix["data"] if hasattr(matrix, "keys") else matrix
    return kind_of_values(
        np.asarray(stored[: _VALUES_LOOKED_AT if stored.ndim == 1 else _LOOKED_AT])
    )


def _stored(matrix: Any) -> str:
    kind = str(matrix.attrs.get("encoding-type", "") or matrix.attrs.get("h5sparse_format", ""))
    if not hasattr(matrix, "keys"):
        return "dense"
    return "csc" if "csc" in kind else "csr"


def _texts(array: Any, start: int = 0, stop: int | None = None) -> AnyArray:
    part = array.asstr()[start:stop] if hasattr(array, "asstr") else array[start:stop]
    return np.array([v.decode() if isinstance(v, bytes) else str(v) for v in part], dtype=object)


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(8) == b"\x89HDF\r\n\x1a\n"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
