"""Tell numbers from text, column by column, in a table whose cells may be either."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.io.expression._entrez import called_entrez
from nkpredict.io.expression._raw import RawTable

COMMA_NUMBER = re.compile(r"^[+-]?\d+(?:,\d+)+(?:[eE][+-]?\d+)?$")
# Rows of text that may stand between header and numbers; GCT files state theirs.
_MOST_HEADERS = 30


def table_of_text(
    labels: list[str],
    frame: pd.DataFrame,
    *,
    what: str,
    path: Path | str,
    comma: bool = False,
    more_headers: int | None = None,
    notes: tuple[str, ...] = (),
) -> RawTable:
    """Tell columns of numbers from columns of text.

    Parameters
    ----------
    labels
        Header, one label a column.
    frame
        Columns named by position; numbers, or text with NaN for missing.
    what
        What the file is, in words.
    path
        File, for messages and to name a single sample.
    comma
        Whether text that is a number has a decimal comma.
    more_headers
        How many rows below the header are further headers; told from the content when not given.
    notes
        Sentences to keep.
    """
    name = Path(path).name.partition(".")[0] if str(path) else "sample"
    if len(frame):
        labels, frame = _without_empty_columns(labels, frame)
    if frame.empty:
        return RawTable(labels, frame, what, name, notes=notes)
    ids = [p for p, label in enumerate(labels) if p and called_entrez(label)]
    if ids:  # casting looks at every column, of which there may be thousands
        frame = frame.copy()
        for place in ids:
            frame[place] = frame[place].astype("string").astype(object)
    text = text_columns(frame)
    as_text = frame[text].astype(object).where(frame[text].notna(), None)
    names = [p for p in text if p == 0 or p in ids]
    numbers = as_text.drop(columns=names).apply(_as_numbers, comma=comma)
    words = as_text[numbers.columns].notna() & numbers.isna()
    present = as_text[numbers.columns].notna()
    headers = _further_headers(words, present) if more_headers is None else more_headers
    above = pd.DataFrame(index=pd.Index(frame.columns))
    if headers:
        above, labels, said = _lifted(labels, frame.iloc[:headers])
        notes = (*notes, *said)
        frame = frame.iloc[headers:].reset_index(drop=True)
        as_text, numbers, words, present = (
            part.iloc[headers:].reset_index(drop=True)
            for part in (as_text, numbers, words, present)
        )
    # A column is one of numbers when at least half of what it holds are numbers.
    mostly = (words.sum() * 2 <= present.sum()) & present.any()
    numeric = mostly.index[mostly]
    problem = _words_among_numbers(as_text, words[numeric], labels, path)
    parts = [
        frame.drop(columns=text).astype(np.float32),
        numbers[numeric].astype(np.float32),
        as_text.drop(columns=numeric),
    ]
    columns = pd.concat([part for part in parts if part.shape[1]], axis=1)
    columns = columns.sort_index(axis=1)
    return RawTable(labels, columns, what, name, above, problem=problem, notes=notes)


def text_columns(frame: pd.DataFrame) -> list[int]:
    """Return the columns, named by position, that are not of numbers."""
    kinds = zip(frame.columns, frame.dtypes, strict=True)
    return [int(p) for p, dtype in kinds if not pd.api.types.is_numeric_dtype(dtype)]


def _without_empty_columns(
    labels: list[str], frame: pd.DataFrame
) -> tuple[list[str], pd.DataFrame]:
    # spreadsheets leave columns without header and content behind
    filled = frame.notna().any().to_numpy()
    kept = [p for p in range(len(labels)) if labels[p] or filled[p]]
    if len(kept) == len(labels):
        return labels, frame
    return [labels[p] for p in kept], frame[kept].set_axis(range(len(kept)), axis=1)


def _as_numbers(column: pd.Series, comma: bool) -> pd.Series:
    if comma:
        column = column.str.replace(".", "", regex=False).where(
            column.str.contains(",", na=False), column
        )
        column = column.str.replace(",", ".", regex=False)
    return pd.to_numeric(column, errors="coerce")


def _further_headers(words: pd.DataFrame, present: pd.DataFrame) -> int:
    """Count the rows on top that are text where the columns below hold numbers."""
    below = words.iloc[_MOST_HEADERS:] if len(words) > 2 * _MOST_HEADERS else words
    shown = present.loc[below.index]
    numeric = words.columns[(below.sum() * 2 < shown.sum())]
    if len(numeric) < 2 or len(words) < 4:
        return 0
    top = words[numeric].iloc[:_MOST_HEADERS]
    share = top.sum(axis=1) / present[numeric].iloc[:_MOST_HEADERS].sum(axis=1).clip(lower=1)
    header = (share >= 0.5).to_numpy()
    return int(np.argmin(header)) if not header.all() else 0


def _lifted(
    labels: list[str], rows: pd.DataFrame
) -> tuple[pd.DataFrame, list[str], tuple[str, ...]]:
    """Take further headers out of the body; the one whose labels are unique names the columns."""
    above = rows.T.astype(object)
    names = [str(value) for value in rows[0].fillna("").astype(str)]
    above.columns = pd.Index([name or f"header {n + 2}" for n, name in enumerate(names)])
    said = f"{len(rows)} further header row{'s' if len(rows) > 1 else ''} set aside"
    own = pd.Series(labels[1:])
    if own[own != ""].nunique() * 2 < len(own):
        for number in range(len(rows)):
            row = rows.iloc[number].fillna("").astype(str).str.strip()
            if row.iloc[1:].nunique() * 10 >= 9 * len(own) and (row.iloc[1:] != "").all():
                above = above.drop(columns=above.columns[number])
                above.insert(0, "header 1", pd.Series(labels, index=above.index).replace("", None))
                return above, list(row), (f"{said}; header row {number + 2} names the columns.",)
    return above, labels, (f"{said} ({', '.join(map(str, above.columns[:5]))}).",)


def _words_among_numbers(
    as_text: pd.DataFrame, words: pd.DataFrame, labels: list[str], path: Path | str
) -> str:
    """Say where text stands among numbers; empty when it does not."""
    rows, columns = np.nonzero(words.to_numpy())
    if len(rows) == 0:
        return ""
    row_names = as_text[0] if 0 in as_text else pd.Series(as_text.index + 1)
    places = [
        f"{as_text.loc[row, words.columns[column]]!r} at {row_names.iloc[row]} / "
        f"{labels[words.columns[column]]}"
        for row, column in zip(rows[:3], columns[:3], strict=True)
    ]
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    count = len(set(columns))
    return (
        f"{path} has text among the numbers in {len(rows)} cell{'s' if len(rows) > 1 else ''} of "
        f"{count} column{'s' if count > 1 else ''} ({'; '.join(places)}{more}); expected a number "
        "or an empty cell there. Correct them, or move annotations to a file of their own."
    )
