"""Read a table of text cells from any of the files that databases of drugs hand out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.errors import InputError, beyond_memory, name_some
from nkpredict.io._arrow import read_arrow
from nkpredict.io._tables import is_missing, separator_in

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COMMENTS = re.compile(r"(?:[!#][^\n]*\n|[ \t\r]*\n)*")


def read_text_cells(path: Path, what: str) -> tuple[pd.DataFrame, str]:
    """Read a table of text cells; column names in lower case with underscores.

    Parameters
    ----------
    path
        Delimited text, JSON, JSON lines or Parquet; text plain or gzip-compressed.
    what
        What the file should hold, for messages.

    Returns
    -------
    table : pandas.DataFrame
        Every cell is stripped text, empty where nothing is stated.
    encoding : str
        ``utf-8``, ``latin-1`` or ``parquet``.

    Raises
    ------
    InputError
        When the file is malformed or has no rows.
    """
    content = path.read_bytes()
    try:
        if content.startswith(b"PAR1"):
            table, encoding = read_arrow(io.BytesIO(content)), "parquet"
        else:
            text, encoding = _decoded(content)
            start = text.lstrip()[:1]
            table = _from_json(text) if start in ("{", "[") else _from_delimited(text, path)
    except MemoryError:
        raise beyond_memory(path) from None
    except (ValueError, OSError, EOFError, RecursionError, zlib.error, csv.Error) as error:
        reason = str(error).strip().splitlines()
        raise InputError(
            f"{path} is not a well-formed table ({reason[0] if reason else 'unreadable'}); "
            f"expected the {what} as CSV, TSV, JSON lines or Parquet."
        ) from error
    table.columns = pd.Index([_normal(str(name)) for name in table.columns])
    if table.empty or table.columns.duplicated().any():
        raise InputError(
            f"{path} has {len(table)} rows under the columns {name_some(table.columns, 8)}; "
            f"expected a {what} with rows and each column once."
        )
    return table.map(_plain).reset_index(drop=True), encoding


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        # the Repurposing Hub writes Latin-1
        return content.decode("latin-1"), "latin-1"


def _from_delimited(text: str, path: Path) -> pd.DataFrame:
    comments = _COMMENTS.match(text)
    body = text[comments.end() if comments else 0 :]
    header = body.partition("\n")[0]
    separator = separator_in(header, path)
    labels = next(csv.reader([header], delimiter=separator))
    if len(set(labels)) < len(labels):
        raise ValueError(f"a column stands twice: {header[:60]!r}")
    return pd.read_csv(
        io.StringIO(body), sep=separator, dtype=str, keep_default_na=False, index_col=False
    )


def _from_json(text: str) -> pd.DataFrame:
    if text.lstrip().startswith("["):
        records = json.loads(text)
    else:
        records = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not all(isinstance(record, dict) for record in records):
        raise ValueError("the entries are no records with named values")
    return pd.DataFrame.from_records(records)


def _normal(name: str) -> str:
    """``Target Components``, ``targetComponents`` and ``target_components`` are one name."""
    spaced = _CAMEL.sub(" ", name.strip().strip('"'))
    return _NOT_A_NAME.sub("_", spaced.lower()).strip("_")


def _plain(value: Any) -> str:
    if isinstance(value, str):
        text = value.strip()
    elif hasattr(value, "__iter__"):
        text = "|".join(_plain(item) for item in value)
    else:
        text = "" if pd.isna(value) else str(value)
    return "" if is_missing(text) else text
