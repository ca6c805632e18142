"""Read delimited tables: with a header, or numeric with labels on both axes, every cell looked at.

Also home of the words that stand for a missing value in every file the package reads.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, beyond_memory, name_some
from nkpredict.io._arrow import read_arrow
from nkpredict.io._writing import require_file
from nkpredict.shipped import shipped_path

OTHER_ENTRIES = "profiles_other_than_default_dropped"
"""Key in ``attrs`` with the number of profiles that DepMap does not recommend for their model."""

_DEPMAP_DEFAULT = "IsDefaultEntryForModel"
_DEPMAP_LABELS = (
    "SequencingID",
    "ModelID",
    "ModelConditionID",
    _DEPMAP_DEFAULT,
    "IsDefaultEntryForMC",
)
# What pandas and gzip raise for files that are truncated or no tables at all.
MALFORMED = (
    pd.errors.ParserError,
    pd.errors.EmptyDataError,
    UnicodeDecodeError,
    EOFError,
    OSError,
    zlib.error,
)
# As files spell them: of numbers and annotations only these are missing, "none" may be a treatment.
MISSING = ["", "NA", "NaN", "nan", "N/A", "null", "NULL", "None", "#N/A", "<NA>"]
_MISSING_IN_ANY_CASE = frozenset(word.lower() for word in MISSING)


def is_missing(text: str) -> bool:
    """Tell whether a cell of text states nothing, in any case."""
    return text.strip().lower() in _MISSING_IN_ANY_CASE


def first_lines(path: Path, count: int = 1) -> list[str]:
    """Return the first lines of a plain or gzip-compressed text file; fewer when it is shorter.

    Raises
    ------
    InputError
        When the file is not readable text.
    """
    try:
        with path.open("rb") as stream:
            compressed = stream.read(2) == b"\x1f\x8b"
        opener = gzip.open if compressed else open
        with opener(path, "rt", encoding="utf-8-sig") as text:
            return [str(line).rstrip("\r\n") for line in islice(text, count)]
    except MemoryError as error:
        raise beyond_memory(path) from error
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path} is not readable text ({error}); expected a CSV or TSV table, plain or gzip."
        ) from error


def header_labels(path: Path, separator: str) -> list[str]:
    """Return the column labels of a text table, quotes resolved.

    R's ``write.table`` leaves out the label above the row names; an empty one is put in its place.
    """
    rows = list(csv.reader(first_lines(path, 2), delimiter=separator))
    labels = [label.strip() for label in rows[0]]
    return ["", *labels] if len(rows) > 1 and len(rows[1]) == len(labels) + 1 else labels


def separator_of(path: Path) -> str:
    """Tell whether a text table is separated by tab, comma or semicolon, from its first line."""
    return separator_in(next(iter(first_lines(path)), ""), path)


def separator_in(header: str, path: Path) -> str:
    """Tell by which of tab, comma and semicolon the first line of a table is separated.

    Raises
    ------
    InputError
        When it holds none of them.
    """
    best = max("\t,;", key=header.count)
    if best not in header:
        raise InputError(
            f"{path} has one column only (first line: {header[:60]!r}); expected a table separated "
            "by commas, tabs or semicolons."
        )
    return best


def read_shipped_table(name: str) -> pd.DataFrame:
    """Read a reference table that ships with the package; every cell is text, as it stands."""
    separator = "\t" if ".tsv" in name else ","
    path = shipped_path("reference", name)
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)


def read_text_table(path: str | Path, what: str, *, as_text: bool = False) -> pd.DataFrame:
    """Read a CSV or TSV file with a header, first column as plain column, values as in the file.

    Parameters
    ----------
    path
        Plain or gzip-compressed text; the separator is detected.
    what
        What the file should hold, for messages.
    as_text
        Leave numbers as they are written: 01005 keeps its zero.

    Returns
    -------
    pandas.DataFrame
        Columns as named in the file; numeric columns parsed, everything else text.

    Raises
    ------
    InputError
        When the file is missing, empty or malformed.
    """
    path = require_file(path, what)
    try:
        return _parse(path, separator_of(path), low_memory=False, dtype=str if as_text else None)
    except MALFORMED as error:
        raise _malformed(path, what, error) from error


def read_labelled_matrix(path: str | Path, what: str) -> pd.DataFrame:
    """Read a matrix whose first column and header are labels and whose cells are all numbers.

    Parameters
    ----------
    path
        CSV, TSV (plain or gzip) or Parquet.
    what
        What the file should hold, for messages.

    Returns
    -------
    pandas.DataFrame
        float32 values, labels as text, orientation as in the file.

    Raises
    ------
    InputError
        On a missing or empty file, text among the numbers, or no numbers at all.
    """
    path = require_file(path, what)
    if path.suffix.lower() in (".parquet", ".pq"):
        table = _read_parquet(path)
    else:
        table = _read_delimited(path, what)
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InputError(
            f"{path} holds {table.shape[0]} rows and {table.shape[1]} columns of numbers; "
            f"expected the {what}."
        )
    return table


def _parse(path: Path, separator: str, **options: Any) -> pd.DataFrame:
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    table: pd.DataFrame = pd.read_csv(
        path,
        sep=separator,
        keep_default_na=False,
        na_values=MISSING,
        encoding="utf-8-sig",
        compression="gzip" if compressed else None,
        **options,
    )
    return table


def _labelled(labels: list[str]) -> dict[str, Any]:
    # Columns are numbered while they are read, because their names may repeat.
    names = [str(position) for position in range(len(labels))]
    return {"index_col": 0, "header": 0, "names": names}


def _read_delimited(path: Path, what: str) -> pd.DataFrame:
    separator = separator_of(path)
    labels = header_labels(path, separator)
    try:
        # every value is tried as float32; text makes pandas fail and is then looked up
        depmap = depmap_columns(labels)
        types = {
            p: str if p == 0 or p in depmap.values() else np.float32 for p in range(len(labels))
        }
        table = _parse(path, separator, dtype=types, **_labelled(labels))
    except MALFORMED as error:
        raise _malformed(path, what, error) from error
    except ValueError as error:
        try:
            _report_text(path, separator, labels, error)
        except MALFORMED as ragged:
            raise _malformed(path, what, ragged) from ragged
    if depmap:
        table = default_entries(table, depmap)
        labels = [label for position, label in enumerate(labels) if position not in depmap.values()]
    table.columns = pd.Index(labels[1:])
    table.index = table.index.astype(str).str.strip()
    table.index.name = labels[0] or None
    return table


def _malformed(path: Path, what: str, error: Exception) -> InputError:
    return InputError(
        f"{path} is not a well-formed table ({str(error).strip()}); expected the {what}."
    )


def depmap_columns(labels: list[str]) -> dict[str, int]:
    # Since 2025 DepMap's matrices hold several profiles of a model and say which one to take.
    positions = {label: labels.index(label) for label in _DEPMAP_LABELS if label in labels[1:]}
    return positions if {"ModelID", _DEPMAP_DEFAULT} <= positions.keys() else {}


def default_entries(table: pd.DataFrame, depmap: dict[str, int]) -> pd.DataFrame:
    default_entry = table[str(depmap[_DEPMAP_DEFAULT])].str.lower().isin(["yes", "true", "1"])
    entries = table[default_entry].set_index(str(depmap["ModelID"]))
    entries = entries.drop(columns=[str(p) for p in depmap.values()], errors="ignore")
    entries.attrs[OTHER_ENTRIES] = int((~default_entry).sum())
    return entries


def _report_text(path: Path, separator: str, labels: list[str], error: Exception) -> None:
    raw = _parse(path, separator, dtype=str, **_labelled(labels))
    raw.columns = pd.Index(labels[1:])
    text = raw.notna() & raw.apply(pd.to_numeric, errors="coerce").isna()
    rows, columns = np.nonzero(text.to_numpy())
    if len(rows) == 0:
        raise InputError(f"{path} could not be read as numbers: {error}") from error
    places = [
        f"{raw.iloc[row, column]!r} at {raw.index[row]} / {raw.columns[column]}"
        for row, column in zip(rows[:4], columns[:4], strict=True)
    ]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    raise InputError(
        f"{path} has text among the numbers in {len(rows)} "
        f"cell{'s' if len(rows) > 1 else ''} of {len(set(columns))} "
        f"column{'s' if len(set(columns)) > 1 else ''} ({'; '.join(places[:3])}{more}); expected "
        "one label column followed by numbers. Move annotations to a file of their own."
    ) from error


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table = read_arrow(path)
    except ValueError as error:
        raise InputError(
            f"{path} is not a readable Parquet file ({error}); write it again."
        ) from error
    if isinstance(table.index, pd.RangeIndex):
        text_columns = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
        if len(text_columns) == 1:
            table = table.set_index(text_columns[0])
    text_columns = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]
    if text_columns:
        raise InputError(
            f"{path} has {len(text_columns)} columns that are not numbers "
            f"({name_some(text_columns)}); expected one label column followed by numbers."
        )
    table.index = table.index.map(str)
    table.columns = table.columns.map(str)
    return table.astype(np.float32)
