"""What a file holds before anything is judged: a table of columns, or numbers with labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class RawTable:
    """Columns of a table as they stand in a file, numbers and text apart.

    Attributes
    ----------
    labels
        Header, one label a column.
    columns : pandas.DataFrame
        Named by position; float32 where a column holds numbers, else text with None for missing.
    format
        What the file is, in words.
    above : pandas.DataFrame
        Further header rows: one row a column of the table, named by position.
    row_names : pandas.Index or None
        Numbers that the rows had beside the columns, of a DataFrame without an index of its own.
    name
        What to call a sample that the file does not name.
    problem
        What is wrong with its numbers, to be told when the table holds genes at all.
    notes
        Sentences on what was done while it was read.
    """

    labels: list[str]
    columns: pd.DataFrame
    format: str
    name: str
    above: pd.DataFrame = field(default_factory=pd.DataFrame)
    row_names: pd.Index | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawMatrix:
    """Numbers with labels on both axes, not yet turned.

    Attributes
    ----------
    values : pandas.DataFrame
        float32, labels as text.
    by_row, by_column : pandas.DataFrame
        What the file says of rows and columns beside the numbers, in the same order.
    format
        What the file is, in words.
    values_from
        Which of several matrices was taken; empty when there is only one.
    gene_names_from
        Which of several columns with names was taken; empty when there is only one.
    other_entries
        Profiles that DepMap does not recommend for their model and that were left out.
    notes
        Sentences on what was done while it was read.
    """

    values: pd.DataFrame
    by_row: pd.DataFrame
    by_column: pd.DataFrame
    format: str
    values_from: str = ""
    gene_names_from: str = ""
    other_entries: int = 0
    notes: tuple[str, ...] = ()
