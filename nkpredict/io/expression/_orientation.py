"""Tell the genes from the samples by their names, or refuse by name what has no human genes."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import pandas as pd

from nkpredict.configuration import Orientation
from nkpredict.errors import InputError, name_some
from nkpredict.io.expression._arrange import RECOGNISED_ENOUGH, gene_share
from nkpredict.io.expression._entrez import as_entrez_ids, known_share
from nkpredict.io.expression._identifiers import are_numbers, reject_foreign, reject_mouse
from nkpredict.io.expression._raw import RawMatrix

# What one axis must hold more names of genes than the other.
_CLEARLY_MORE = 0.1


class Oriented(NamedTuple):
    """Samples × genes, what the file says of the samples, and how the matrix lay."""

    values: pd.DataFrame
    by_sample: pd.DataFrame
    orientation: Orientation


def oriented(
    raw: RawMatrix, orientation: Orientation, known: Collection[str], path: str
) -> Oriented:
    """Turn a matrix to samples × genes.

    Parameters
    ----------
    raw
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
        When the genes cannot be told from the samples, or are no human genes.
    """
    values = raw.values
    values.index = values.index.astype(str).str.strip()
    values.columns = values.columns.astype(str).str.strip()
    rows, columns = gene_share(values.index, known), gene_share(values.columns, known)
    if max(rows, columns) < RECOGNISED_ENOUGH and _named_by_entrez(values, orientation):
        rows, columns = gene_share(values.index, known), gene_share(values.columns, known)
    if max(rows, columns) < RECOGNISED_ENOUGH:
        reject_foreign(values.index, values.columns, path)
        for labels in (values.index, values.columns):
            if len(labels) >= 20 or orientation != "auto":
                reject_mouse(labels, path)
        _reject_numbers(values, orientation, path)
    if orientation == "auto":
        if max(rows, columns) < RECOGNISED_ENOUGH or abs(rows - columns) < _CLEARLY_MORE:
            raise InputError(
                f"Could not tell genes from samples in {path}: {rows:.0%} of the row names "
                f"({name_some(values.index, 3)}) and {columns:.0%} of the column names "
                f"({name_some(values.columns, 3)}) are human gene names. Expected gene symbols or "
                "Ensembl ids along one axis; name the orientation (samples-by-genes or "
                "genes-by-samples) if they are there."
            )
        orientation = "genes-by-samples" if rows > columns else "samples-by-genes"
    if orientation == "genes-by-samples":
        return Oriented(values.T, raw.by_column, orientation)
    return Oriented(values, raw.by_row, orientation)


def _named_by_entrez(values: pd.DataFrame, orientation: Orientation) -> bool:
    """Mark Entrez ids as such on the axes that may hold genes; tell whether there were any."""
    found = False
    if orientation != "samples-by-genes" and (ids := as_entrez_ids(values.index)) is not None:
        values.index, found = pd.Index(ids), True
    if orientation != "genes-by-samples" and (ids := as_entrez_ids(values.columns)) is not None:
        values.columns, found = pd.Index(ids), True
    return found


def _reject_numbers(values: pd.DataFrame, orientation: Orientation, path: str) -> None:
    axes = {"genes-by-samples": values.index, "samples-by-genes": values.columns}
    asked = list(axes.values()) if orientation == "auto" else [axes[orientation]]
    labels = max(asked, key=len)
    if are_numbers(labels):
        raise InputError(
            f"{path} names its genes by numbers ({name_some(labels, 3)}), of which "
            f"{known_share(labels):.0%} are Entrez ids of human genes; expected gene symbols, "
            "Ensembl or Entrez ids. Map probe sets to genes by the annotation of the chip; row "
            "numbers name no gene."
        )
