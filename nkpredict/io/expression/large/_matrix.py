"""A matrix whose labels are known and whose values are read some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from nkpredict.io._tables import depmap_columns
from nkpredict.io.expression._annotation import MOST_BY_SCALE
from nkpredict.io.expression._arrange import first_column_as_meant, layout_of_table
from nkpredict.io.expression._entrez import called_entrez
from nkpredict.io.expression._layouts import is_of_a_known_layout
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._raw import RawMatrix, RawTable
from nkpredict.types import AnyArray

LARGE = MOST_BY_SCALE
"""Samples beyond which a matrix is not read as a whole: of fewer, one may be told from the others
by its scale."""
_MOST_TEXT = 10  # columns of text beside the numbers; set by hand


class NotPlainError(Exception):
    """The source has to be read as a whole: to be told what it is, or to say what is wrong."""


class StoredValues(Protocol):
    """Values of a matrix on disk, float32."""

    turns: bool
    """Whether columns can be read as well as rows."""

    def rows(self, start: int, stop: int) -> AnyArray:
        """Return rows from one place to another."""
        ...

    def columns(self, start: int, stop: int) -> AnyArray:
        """Return columns from one place to another, one after the other in memory."""
        ...


@dataclass(frozen=True)
class LargeMatrix:
    """Numbers with labels on both axes, as in the file.

    Attributes
    ----------
    raw : RawMatrix
        All but the values: in their place stands one number.
    stored
        The values.
    """

    raw: RawMatrix
    stored: StoredValues


def labels_alone(rows: pd.Index, columns: pd.Index) -> pd.DataFrame:
    """Return a table with these labels that takes no memory for its values."""
    nothing = np.broadcast_to(np.float32(0), (len(rows), len(columns)))
    return pd.DataFrame(nothing, index=rows, columns=columns, copy=False)


def large_table(
    labels: list[str],
    words: pd.DataFrame,
    stored: StoredValues,
    options: ReadingOptions,
    path: str,
    *,
    what: str,
    notes: tuple[str, ...] = (),
) -> LargeMatrix:
    """Arrange a table whose numbers are on disk, as `matrix_of_table` does one in memory.

    Parameters
    ----------
    labels
        Header, one label a column.
    words
        The columns of text, named by position, None for missing.
    stored
        The columns of numbers, all others, in their order.
    options
        What is known about it.
    path
        The file, for messages.
    what
        What the file is, in words.
    notes
        Sentences on what was done while it was read.

    Raises
    ------
    NotPlainError
        When it takes its numbers to tell what the table is.
    InputError
        When there are none.
    """
    table = RawTable(labels, words, what, "", notes=notes)
    numbers_first = first_column_as_meant(table, options.known) is not table
    if numbers_first or depmap_columns(labels) or is_of_a_known_layout(table):
        raise NotPlainError
    layout = layout_of_table(table, options.orientation, options.known, path)
    return LargeMatrix(layout.matrix(labels_alone(layout.names, layout.labels), what), stored)


def require_plain(labels: list[str], text: list[int]) -> None:
    """Refuse a table whose columns of text may be more than names.

    Raises
    ------
    NotPlainError
        When its first column holds no text, many do, or a label is missing or one of Entrez ids.
    """
    others = labels[1:]
    odd = not all(others) or any(called_entrez(label) for label in others)
    if odd or 0 not in text or len(text) > _MOST_TEXT or len(labels) <= _MOST_TEXT:
        raise NotPlainError


def require_words(words: pd.DataFrame) -> None:
    """Refuse numbers in a column of text, other than the names of rows.

    Raises
    ------
    NotPlainError
        When there are any.
    """
    for place in words.columns[1:]:
        if pd.to_numeric(words[place], errors="coerce").notna().any():
            raise NotPlainError
