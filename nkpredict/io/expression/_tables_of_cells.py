"""Single cells in text tables and loom files: recognised by some of them, written anew as h5ad."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from nkpredict.errors import InputError
from nkpredict.io._writing import atomic_path
from nkpredict.io.expression._annotation import labels_aside
from nkpredict.io.expression._formats import is_loom, is_text, open_large, read_raw
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._orientation import oriented
from nkpredict.io.expression._raw import RawMatrix
from nkpredict.io.expression._single_cells import FEWEST_CELLS, are_cells
from nkpredict.io.expression._sound import require_sound
from nkpredict.io.expression.cells import MOST_GROUPS, FoundCells, find_stored_cells
from nkpredict.io.expression.large import (
    LargeMatrix,
    NotPlainError,
    TextHead,
    large_loom,
    text_head,
    text_lines,
    text_part,
)
from nkpredict.types import AnyArray

if TYPE_CHECKING:
    from anndata import AnnData

_LOOKED_AT = 200  # cells; set by hand
# Share of zeros of the first genes, below which no further ones are looked at; set by hand.
_FEW_ZEROS = 0.4
_VALUES_AT_ONCE = 8_000_000  # set by hand


def find_cells(
    source: str | Path | AnnData,
    *,
    layer: str | None = None,
    var_column: str | None = None,
    known: Collection[str] = (),
) -> FoundCells | None:
    """Recognise single cells by 200 of them, without reading the others.

    Parameters
    ----------
    source
        File, folder, or AnnData in memory or backed.
    layer, var_column
        As `nkpredict.read_expression` takes them.
    known
        Names of genes that a model knows.

    Returns
    -------
    FoundCells or None
        None for what is no file of cells or holds bulk samples.

    Raises
    ------
    InputError
        When an HDF5 file is damaged, or a text is no table.
    """
    options = ReadingOptions(layer=layer, var_column=var_column, known=known)
    path = Path(source) if isinstance(source, str | Path) else None
    try:
        if path is not None and is_text(path):
            return _in_text(path, options) if path.stat().st_size else None
        if path is not None and path.suffix.lower() == ".loom":
            require_sound(path)
            return _in_loom(path, options) if is_loom(path) else None
    except NotPlainError:  # what reads the file as a whole tells what it holds
        return None
    return find_stored_cells(source, options)


def is_table_of_cells(path: Path, options: ReadingOptions) -> bool:
    """Tell whether a file is text or loom with single cells, which is written anew to be read.

    Parameters
    ----------
    path
        Any file or folder.
    options
        What is known about it.

    Raises
    ------
    InputError
        As `find_cells`.
    """
    if not is_text(path) and path.suffix.lower() != ".loom":
        return False
    found = find_cells(
        path, layer=options.layer, var_column=options.var_column, known=options.known
    )
    return found is not None


def table_as_h5ad(path: Path, target: Path, options: ReadingOptions) -> Path:
    """Write a table of cells as an ``.h5ad`` file that is sparse cell by cell.

    Parameters
    ----------
    path
        Text, genes or cells in rows, or loom.
    target
        File to write.
    options
        What is known about it.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    InputError
        When the table cannot be read, or holds missing or negative values.
    """
    raw, read = _opened(path, options)
    turned = oriented(raw, options.orientation, options.known, str(path))
    across = turned.orientation == "genes-by-samples"
    named = labels_aside(turned.values.index, turned.values.columns, frozenset(options.known))
    genes = turned.values.columns[named.genes_left]
    obs = turned.by_sample.set_axis(turned.values.index, axis=0)[named.samples_left]
    with atomic_path(target) as temporary:
        _write_labels(temporary, obs, genes)
        size = max(16, _VALUES_AT_ONCE // max(turned.values.shape[1], 1))
        with _Rows(temporary, len(genes)) as rows:
            for start in range(0, len(turned.values), size):
                stop = min(start + size, len(turned.values))
                block = read(start, stop, across)[named.samples_left[start:stop]]
                rows.append(_counts(block[:, named.genes_left], path))
    return target


def _opened(path: Path, options: ReadingOptions) -> tuple[RawMatrix, Any]:
    """Return a matrix and how to read samples from one place to another."""
    try:
        large = open_large(path, options) if is_text(path) else large_loom(path, options, 1)
        return large.raw, _reader(large)
    except NotPlainError:
        pass  # of few cells, or unusual
    raw = read_raw(path, options)
    # the labels of the table are changed when it is turned
    values = raw.values.to_numpy(dtype=np.float32)

    def of_whole(start: int, stop: int, across: bool) -> AnyArray:
        return np.asarray(values.T[start:stop] if across else values[start:stop])

    return raw, of_whole


def _reader(large: LargeMatrix) -> Any:
    def of_large(start: int, stop: int, across: bool) -> AnyArray:
        return (large.stored.columns if across else large.stored.rows)(start, stop)

    return of_large


def _counts(block: AnyArray, path: Path) -> sparse.csr_matrix:
    missing, negative = int(np.isnan(block).sum()), int((block < 0).sum())
    if missing or negative:
        found = f"{missing:,} missing" if missing else f"{negative:,} negative"
        raise InputError(
            f"{path} holds {found} values among the cells; expected counts. Put 0 where no read "
            "was found, and take the counts as they were before scaling."
        )
    return sparse.csr_matrix(block)


def _write_labels(path: Path, obs: pd.DataFrame, genes: pd.Index) -> None:
    import anndata

    obs = obs.set_axis(obs.index.astype(str), axis=0).rename_axis(None)
    obs.columns = obs.columns.astype(str)
    obs = obs.loc[:, ~obs.columns.duplicated() & (obs.columns != "_index")]
    text = [name for name in obs if not pd.api.types.is_numeric_dtype(obs[name])]
    words = {str(name): obs[name].astype("string").astype("category") for name in text}
    obs = obs.assign(**words)
    anndata.AnnData(obs=obs, var=_named(genes)).write_h5ad(path)


def _named(genes: pd.Index) -> pd.DataFrame:
    """Return a table of genes; AnnData wants each name once in its index."""
    names = genes.astype(str)
    if names.is_unique:
        return pd.DataFrame(index=names.rename(None))
    return pd.DataFrame({"gene": names}, index=[f"column {n + 1}" for n in range(len(names))])


class _Rows:
    """The matrix of an h5ad file, written cell by cell."""

    def __init__(self, path: Path, genes: int) -> None:
        import h5py

        self._file, self._genes, self._ends = h5py.File(path, "r+"), genes, [0]
        if "X" in self._file:
            del self._file["X"]
        self._group = self._file.create_group("X")
        for name, kind in (("data", np.float32), ("indices", np.int32)):
            self._group.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(1 << 16,))

    def append(self, rows: sparse.csr_matrix) -> None:
        """Write cells behind the others."""
        end = self._ends[-1] + rows.nnz
        for name, values in (("data", rows.data), ("indices", rows.indices)):
            dataset = self._group[name]
            dataset.resize((end,))
            dataset[self._ends[-1] :] = values
        self._ends += [self._ends[-1] + int(place) for place in rows.indptr[1:]]

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, *error: object) -> None:
        self._group["indptr"] = np.array(self._ends, dtype=np.int64)
        attributes = {
            "encoding-type": "csr_matrix",
            "encoding-version": "0.1.0",
            "shape": np.array([len(self._ends) - 1, self._genes], dtype=np.int64),
        }
        for name, value in attributes.items():
            self._group.attrs[name] = value
        self._file.close()


def _in_loom(path: Path, options: ReadingOptions) -> FoundCells | None:
    large = large_loom(path, options, FEWEST_CELLS)
    names, genes = large.raw.values.index, large.raw.values.columns
    part = large.stored.rows(0, min(_LOOKED_AT, len(names)))
    if not are_cells(names[: len(part)], float(np.mean(part == 0))):
        return None
    few = large.raw.by_row.nunique()
    groups = few.index[(few >= 1) & (few <= min(MOST_GROUPS, max(len(names) // 2, 1)))]
    return _found(path, len(names), "loom", part, names, genes, tuple(map(str, groups)))


def _in_text(path: Path, options: ReadingOptions) -> FoundCells | None:
    head = text_head(path, options)
    if head.samples < FEWEST_CELLS or not any(head.found.numeric):
        return None
    numbers = [place for place, number in enumerate(head.found.numeric) if number]
    text = [place for place in range(len(head.labels)) if place not in set(numbers)]
    if head.genes_in_rows:
        return _in_columns(path, head, numbers, text)
    part = text_part(path, head.found, nrows=_LOOKED_AT)
    values = part[numbers].to_numpy()
    names = pd.Index(part[text[0]].astype(str)) if text else pd.RangeIndex(len(part)).astype(str)
    if not are_cells(names, float(np.mean(values == 0))):
        return None
    genes = pd.Index([head.labels[place] for place in numbers])
    groups = tuple(head.labels[place] for place in text[1:] if head.labels[place])
    return _found(path, text_lines(path, head.found), head.found.what, values, names, genes, groups)


def _in_columns(
    path: Path, head: TextHead, numbers: list[int], text: list[int]
) -> FoundCells | None:
    """Recognise cells that are columns: by their names, or the zeros of all their genes."""
    first = numbers[:_LOOKED_AT]
    names = pd.Index([head.labels[place] for place in first])
    body = head.found.outline.body
    cells = [row[place] for row in body for place in first if place < len(row)]
    zeros = float(np.mean(pd.to_numeric(pd.Series(cells), errors="coerce") == 0))
    if not text or not (are_cells(names, 0.0) or (len(names) and zeros >= _FEW_ZEROS)):
        return None
    part = text_part(path, head.found, usecols=[text[0], *first])
    values = part[first].to_numpy().T
    if not are_cells(names, float(np.mean(values == 0))):
        return None
    genes = pd.Index(part[text[0]].astype(str))
    return _found(path, len(numbers), head.found.what, values, names, genes, ())


def _found(
    path: Path,
    cells: int,
    what: str,
    values: AnyArray,
    names: pd.Index,
    genes: pd.Index,
    groups: tuple[str, ...],
) -> FoundCells:
    import anndata

    first = anndata.AnnData(
        sparse.csr_matrix(np.nan_to_num(values).astype(np.float32)),
        pd.DataFrame(index=names[: len(values)].astype(str)),
        _named(genes),
    )
    return FoundCells(str(path), cells, what, groups, first)
