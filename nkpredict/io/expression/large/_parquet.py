"""Large Parquet files: their columns are read some at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression.large._matrix import (
    LARGE,
    LargeMatrix,
    NotPlainError,
    large_table,
    require_plain,
    require_words,
)
from nkpredict.io.expression.large._scratch import Scratch, Turned

_VALUES_AT_ONCE = 8_000_000  # set by hand


def large_parquet(path: Path, options: ReadingOptions) -> LargeMatrix:
    """Open a Parquet file with many rows or columns.

    Parameters
    ----------
    path
        The file.
    options
        What is known about it.

    Raises
    ------
    NotPlainError
        When it holds fewer samples, or anything about it is unusual.
    InputError
        When there is no room on disk.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            count = file.metadata.num_rows
            if max(count, file.metadata.num_columns) <= LARGE:
                raise NotPlainError
            schema = file.schema_arrow
            index = (schema.pandas_metadata or {}).get("index_columns", [])
            columns = [field for field in schema if field.name not in index]
            numbers = [field.name for field in columns if _is_number(field.type)]
            others = [field.name for field in columns if not _is_number(field.type)]
            labels, words = _words(
                _texts(path, others), [str(field.name) for field in columns], set(numbers)
            )
            scratch = Scratch(count)
            step = max(1, _VALUES_AT_ONCE // max(count, 1))
            for start in range(0, len(numbers), step):
                table = file.read(columns=numbers[start : start + step], use_threads=False)
                scratch.append(np.array([_values(column) for column in table.columns]))
    except (InputError, NotPlainError):
        raise
    except Exception as error:  # what reads the file as a whole says what is wrong with it
        raise NotPlainError from error
    pa.default_memory_pool().release_unused()
    return large_table(labels, words, Turned(scratch), options, str(path), what="Parquet")


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _texts(path: Path, names: list[str]) -> pd.DataFrame:
    """Return the columns of text, under the index that the file has for pandas."""
    frame = pd.read_parquet(path, columns=names)
    if frame.index.nlevels > 1 or frame.columns.nlevels > 1:
        raise NotPlainError
    return frame


def _words(
    frame: pd.DataFrame, names: list[str], numbers: set[str]
) -> tuple[list[str], pd.DataFrame]:
    """Return the header and the columns of text, as `matrix_of_frame` has them."""
    index = None if isinstance(frame.index, pd.RangeIndex) else frame.index
    kept = [name for name in names if name in numbers or name in frame.columns]
    labels = [name.strip() for name in kept]
    columns: dict[int, Any] = {}
    if index is not None:
        labels = ["" if index.name is None else str(index.name).strip(), *labels]
        columns[0] = index.astype(str).astype(object)
    shift = len(labels) - len(kept)
    columns |= {
        place + shift: frame[name] for place, name in enumerate(kept) if name in frame.columns
    }
    require_plain(labels, list(columns))
    words = pd.DataFrame({place: np.asarray(column) for place, column in columns.items()})
    words = words.astype(object).where(words.notna(), None)
    require_words(words)
    return labels, words


def _values(column: Any) -> np.ndarray:
    return np.asarray(column.to_numpy(), dtype=np.float32)
