"""The formats in which expression is stored: how each is recognised, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from nkpredict.errors import InputError, beyond_memory
from nkpredict.io._arrow import read_arrow
from nkpredict.io.expression._annotated import LOOM, read_annotated, read_loom
from nkpredict.io.expression._arrange import matrix_of_table
from nkpredict.io.expression._delimited import read_delimited
from nkpredict.io.expression._layouts import recognise_layout
from nkpredict.io.expression._numbers import table_of_text
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._raw import RawMatrix, RawTable
from nkpredict.io.expression._sound import require_sound
from nkpredict.io.expression._tenx import is_mtx, is_tenx_hdf5, read_mtx, read_tenx_hdf5
from nkpredict.io.expression._text import is_workbook, read_utf8
from nkpredict.io.expression._workbook import read_workbook
from nkpredict.io.expression.large import (
    LargeMatrix,
    NotPlainError,
    large_annotated,
    large_loom,
    large_parquet,
    large_text,
)


def read_raw(path: Path, options: ReadingOptions) -> RawMatrix:
    """Read a file or folder of any known format.

    Raises
    ------
    InputError
        When the format is not known, or its reader refuses the file.
    """
    for known in _FORMATS:
        if known.recognises(path):
            try:
                return known.read(path, options)
            except MemoryError:
                raise beyond_memory(path) from None
    raise InputError(
        f"{path} is a folder; expected a file, a .zarr folder, or a 10x folder with matrix.mtx."
    )


def open_large(path: Path, options: ReadingOptions) -> LargeMatrix:
    """Open a file of any format whose large cohorts need not be read as a whole.

    Raises
    ------
    NotPlainError
        When it is none, or no large cohort, or an unusual one.
    InputError
        When its reader refuses the file.
    """
    for known in _FORMATS:
        if known.recognises(path):
            if known.open_large is None:
                break
            return known.open_large(path, options)
    raise NotPlainError


def matrix_of(table: RawTable, path: str, options: ReadingOptions) -> RawMatrix:
    """Bring a table to a labelled matrix, by its program's layout where that is known."""
    table = recognise_layout(table, path)
    return matrix_of_table(table, options.orientation, options.known, path)


def matrix_of_frame(frame: pd.DataFrame, path: str, options: ReadingOptions) -> RawMatrix:
    """Bring a DataFrame to a labelled matrix; its index names the rows unless it only counts.

    Raises
    ------
    InputError
        When its labels have several levels, or it holds no numbers.
    """
    if frame.index.nlevels > 1 or frame.columns.nlevels > 1:
        raise InputError(
            f"{path} has labels of several levels; expected one name for each row and column."
        )
    row_names = frame.index if isinstance(frame.index, pd.RangeIndex) else None
    if row_names is None:
        frame = frame.reset_index(names="" if frame.index.name is None else frame.index.name)
        first = frame.iloc[:, 0].astype(str).astype(object)
        frame = pd.concat([first, frame.iloc[:, 1:]], axis=1)
    labels = ["" if label is None else str(label).strip() for label in frame.columns]
    numbered = frame.set_axis(range(frame.shape[1]), axis=1)
    what = "DataFrame" if path == IN_MEMORY else "Parquet"
    table = table_of_text(labels, numbered, what=what, path=path)
    in_memory = row_names if path == IN_MEMORY else None
    return matrix_of(replace(table, row_names=in_memory), path, options)


IN_MEMORY = "The DataFrame"
"""How a DataFrame is called in messages."""


def _is_zarr(path: Path) -> bool:
    return path.is_dir() and (
        path.suffix.lower() == ".zarr" or any((path / n).exists() for n in (".zattrs", "zarr.json"))
    )


def _read_zarr(path: Path, options: ReadingOptions) -> RawMatrix:
    require_sound(path)
    return _read_anndata(path, options)


def _read_anndata(path: Path, options: ReadingOptions) -> RawMatrix:
    return read_annotated(path, options.layer, options.var_column, options.known)


def _is_hdf5(path: Path) -> bool:
    if path.is_dir():
        return False
    with path.open("rb") as stream:
        return stream.read(8) == b"\x89HDF\r\n\x1a\n" or path.suffix.lower() == ".h5ad"


def _read_hdf5(path: Path, options: ReadingOptions) -> RawMatrix:
    require_sound(path)
    import h5py

    with h5py.File(path) as file:
        groups = set(file)
        tenx = is_tenx_hdf5(groups, file)
    if tenx:
        return read_tenx_hdf5(path)
    if groups >= LOOM:
        return read_loom(path, options)
    if groups and not groups & {"X", "layers", "raw", "var"}:
        raise InputError(
            f"{path} is an HDF5 file with {', '.join(sorted(groups)[:5])}; expected one of AnnData "
            "(.h5ad), loom, or 10x Genomics from Cell Ranger 3 on."
        )
    return _read_anndata(path, options)


def _open_large_zarr(path: Path, options: ReadingOptions) -> LargeMatrix:
    require_sound(path)
    return large_annotated(path, options)


def _open_large_hdf5(path: Path, options: ReadingOptions) -> LargeMatrix:
    require_sound(path)
    return (large_loom if is_loom(path) else large_annotated)(path, options)


def is_loom(path: Path) -> bool:
    """Tell whether a file is a loom file, once it was walked through."""
    import h5py

    with h5py.File(path) as file:
        return set(file) >= LOOM


def _is_workbook(path: Path) -> bool:
    return path.is_file() and is_workbook(path)


def _read_workbook(path: Path, options: ReadingOptions) -> RawMatrix:
    return matrix_of(read_workbook(path), str(path), options)


def _is_parquet(path: Path) -> bool:
    return path.is_file() and (
        path.suffix.lower() in (".parquet", ".pq", ".feather") or _starts_with(path, b"PAR1")
    )


def is_text(path: Path) -> bool:
    """Tell whether a path is a file of no other format than text."""
    return path.is_file() and not any(known.recognises(path) for known in _FORMATS[:-1])


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(magic)) == magic


def _read_parquet(path: Path, options: ReadingOptions) -> RawMatrix:
    try:
        frame = read_arrow(path, feather=path.suffix.lower() == ".feather")
    except ValueError as error:
        raise InputError(
            f"{path} is not a readable Parquet file ({error}); write it again."
        ) from error
    return matrix_of_frame(frame, str(path), options)


def _read_text(path: Path, options: ReadingOptions) -> RawMatrix:
    text, encoding = read_utf8(path)
    return matrix_of(read_delimited(text, encoding, path), str(path), options)


class _Format(NamedTuple):
    """How a format is recognised, its reader, and how a large cohort in it is opened."""

    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadingOptions], RawMatrix]
    open_large: Callable[[Path, ReadingOptions], LargeMatrix] | None = None


_FORMATS: tuple[_Format, ...] = (
    _Format(_is_zarr, _read_zarr, _open_large_zarr),
    _Format(is_mtx, lambda path, options: read_mtx(path)),
    _Format(_is_hdf5, _read_hdf5, _open_large_hdf5),
    _Format(_is_workbook, _read_workbook),
    _Format(_is_parquet, _read_parquet, large_parquet),
    _Format(Path.is_file, _read_text, large_text),
)
