"""Find the names in a table: which column labels the rows, what is text beside the numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from nkpredict.configuration import Orientation
from nkpredict.errors import InputError
from nkpredict.io._genes import recognised_share
from nkpredict.io._tables import OTHER_ENTRIES, default_entries, depmap_columns
from nkpredict.io.expression._annotation import describes_samples
from nkpredict.io.expression._entrez import as_entrez_ids
from nkpredict.io.expression._numbers import text_columns
from nkpredict.io.expression._raw import RawMatrix, RawTable

# An axis is taken for the genes when at least this share of its labels is recognised.
RECOGNISED_ENOUGH = 0.3
_LABELS_LOOKED_AT = 5000
# A column further to the right must hold this much more names of genes to be taken instead.
_CLEARLY_MORE = 0.05


class TableLayout(NamedTuple):
    """Where the names and the numbers of a table are.

    Attributes
    ----------
    names
        Of the rows.
    numbers
        Positions of the columns of numbers.
    labels
        Of these columns.
    by_row, by_column, gene_names_from, notes
        See `RawMatrix`.
    """

    names: pd.Index
    numbers: list[int]
    labels: pd.Index
    by_row: pd.DataFrame
    by_column: pd.DataFrame
    gene_names_from: str
    notes: tuple[str, ...]

    def matrix(self, values: pd.DataFrame, format: str) -> RawMatrix:
        """Return the matrix of these numbers."""
        return RawMatrix(
            values,
            self.by_row,
            self.by_column,
            format,
            gene_names_from=self.gene_names_from,
            notes=self.notes,
        )


def gene_share(labels: Sequence[object] | pd.Index, known: Collection[str] = ()) -> float:
    """Share of labels that are Ensembl ids, approved symbols or names the model knows."""
    looked_at = [str(label) for label in labels[:_LABELS_LOOKED_AT]]
    return recognised_share(looked_at, known)


def matrix_of_table(
    table: RawTable, orientation: Orientation, known: Collection[str], path: str
) -> RawMatrix:
    """Take the column with the names of the rows, and text apart from numbers.

    Parameters
    ----------
    table
        As read.
    orientation
        ``"auto"`` or what the user said.
    known
        Names of genes that a model knows.
    path
        The file, for messages.

    Raises
    ------
    InputError
        When it holds no numbers, or text among them.
    """
    entries = depmap_columns(table.labels)
    if entries:
        return _depmap(table, entries)
    table = first_column_as_meant(table, known)
    layout = layout_of_table(table, orientation, known, path)
    values = table.columns[layout.numbers].set_axis(layout.labels, axis=1)
    return layout.matrix(values.set_axis(layout.names, axis=0), table.format)


def layout_of_table(
    table: RawTable, orientation: Orientation, known: Collection[str], path: str
) -> TableLayout:
    """Tell which column names the rows, and which hold numbers; see `matrix_of_table`.

    Columns of numbers are not looked at, save the first: those of a large table may be left out.
    """
    columns = table.columns
    text = text_columns(columns)
    rows = {p: gene_share(columns[p].dropna().tolist(), known) for p in text}
    best = max(rows.values(), default=0.0)
    header = gene_share([label for label in table.labels[1:] if label], known)
    genes_in_rows = orientation == "genes-by-samples" or (
        orientation == "auto" and best >= RECOGNISED_ENOUGH and best > header
    )
    if table.problem and max(best, header) >= RECOGNISED_ENOUGH:
        raise InputError(table.problem)
    notes = list(table.notes)
    label: int | None
    entrez = None
    if orientation != "samples-by-genes" and max(best, header) < RECOGNISED_ENOUGH:
        entrez = next((p for p in text if as_entrez_ids(columns[p].tolist()) is not None), None)
    if entrez is not None:
        genes_in_rows, label = True, entrez
    elif genes_in_rows and rows and best >= RECOGNISED_ENOUGH:
        label = next(p for p in text if rows[p] >= best - _CLEARLY_MORE)
    else:
        label = _sample_column(table, text, known)
    if label is None and table.row_names is not None:
        names = table.row_names.astype(str)
    elif label is None:
        names = pd.Index([str(number) for number in range(1, len(columns) + 1)])
        notes.append("The table names no samples; they are numbered in its order.")
    else:
        names = pd.Index(_names(columns[label]))
        names.name = table.labels[label] or None
    apart = {*text, label}
    numbers = [p for p in range(len(table.labels)) if p not in apart]
    if not numbers or columns.empty:
        raise InputError(
            f"{path} holds {len(columns)} rows and {len(numbers)} columns of numbers; expected "
            "expression values under one header."
        )
    labels = pd.Index([table.labels[p] for p in numbers])
    beside = [p for p in text if p != label]
    by_row = columns[beside].set_axis(names, axis=0)
    by_row.columns = pd.Index([table.labels[p] or f"column {p + 1}" for p in beside])
    by_column = table.above.loc[numbers] if len(table.above) else pd.DataFrame(index=labels)
    return TableLayout(
        names,
        numbers,
        labels,
        by_row,
        by_column.set_axis(labels, axis=0),
        table.labels[label] if genes_in_rows and label else "",
        tuple(notes),
    )


def first_column_as_meant(table: RawTable, known: Collection[str]) -> RawTable:
    """Read the first column, which is kept as text, as numbers where it is called like a gene."""
    label, first = table.labels[0], table.columns[0]
    if pd.api.types.is_numeric_dtype(first) or not label or gene_share([label], known) < 1:
        return table
    numbers = pd.to_numeric(first, errors="coerce")
    if numbers.isna().any() or gene_share(table.labels[1:], known) < RECOGNISED_ENOUGH:
        return table
    columns = table.columns.drop(columns=0)
    columns.insert(0, 0, numbers.astype(np.float32))
    return replace(table, columns=columns)


def _sample_column(table: RawTable, text: list[int], known: Collection[str]) -> int | None:
    """Return the column that names the samples; None when the first is a gene already."""
    columns, labels = table.columns, table.labels
    unique = [p for p in text if columns[p].notna().all() and columns[p].is_unique]
    first = columns[0]
    if 0 not in text:
        # numbers under the name of a gene are its values; elsewhere they are numbers of samples
        is_gene = bool(labels[0]) and gene_share([labels[0]], known) == 1
        if is_gene or table.row_names is not None or not _may_number_samples(first, labels[0]):
            return unique[0] if unique else None
        return 0
    counter = pd.to_numeric(first, errors="coerce")
    whole = bool(counter.notna().all()) and bool((np.diff(counter.to_numpy()) == 1).all())
    counts = whole and labels[0] in ("", "Unnamed: 0")
    if (counts and len(unique) > 1) or (0 not in unique and unique):
        return next(p for p in unique if p != 0)
    return 0


def _may_number_samples(column: pd.Series, label: str) -> bool:
    whole = bool((column == column.round()).all())
    return whole and column.is_unique and not describes_samples(label)


def _names(column: pd.Series) -> list[str]:
    if pd.api.types.is_numeric_dtype(column):
        return [f"{value:.10g}" for value in column]
    return ["" if value is None or value != value else str(value).strip() for value in column]


def _depmap(table: RawTable, entries: dict[str, int]) -> RawMatrix:
    named = table.columns.set_axis([str(p) for p in table.columns], axis=1)
    kept = default_entries(named, entries)
    numbers = [c for c in kept.columns if pd.api.types.is_numeric_dtype(kept[c])]
    values = kept[numbers].set_axis([table.labels[int(c)] for c in numbers], axis=1)
    counter = [label for label in values.columns if label in ("", "Unnamed: 0")]
    values = values.drop(columns=counter)
    values.index = values.index.astype(str).str.strip()
    return RawMatrix(
        values,
        pd.DataFrame(index=values.index),
        pd.DataFrame(index=values.columns),
        "DepMap matrix",
        other_entries=int(kept.attrs[OTHER_ENTRIES]),
        notes=table.notes,
    )
