"""One column a gene: duplicates, several identifiers of one gene, names brought up to date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from nkpredict.configuration import Duplicates
from nkpredict.errors import InputError, name_some
from nkpredict.io._genes import GeneNames, approve_gene_names, approved_symbols
from nkpredict.io._units import Unit
from nkpredict.types import BoolArray, FloatArray, IndexArray


class Approval(NamedTuple):
    """What becomes of the names in a file.

    Attributes
    ----------
    genes
        Approved symbols, sorted.
    columns
        Columns of the file that are each of them.
    names
        What became of each name.
    merged
        Symbols that several columns are merged under.
    superseded
        How many columns are left out under an old name.
    """

    genes: list[str]
    columns: list[IndexArray]
    names: GeneNames
    merged: tuple[str, ...]
    superseded: int

    def take(self, values: FloatArray, unit: Unit, wanted: IndexArray | None = None) -> FloatArray:
        """Return samples × genes of samples × columns of the file.

        Parameters
        ----------
        values
            Samples × columns on a log2 scale.
        unit
            Unit the values were in: reads add up, log intensities are averaged.
        wanted
            Places of the genes to return; all of them when not given.
        """
        of_genes = self.columns if wanted is None else [self.columns[place] for place in wanted]
        taken = np.take(values, [columns[0] for columns in of_genes], axis=1)
        for place, columns in enumerate(of_genes):
            if len(columns) > 1:
                taken[:, place] = _merge(values[:, columns], unit)
        return np.ascontiguousarray(taken)


class Single(NamedTuple):
    """Values with every name once, and how many rows were taken together."""

    values: pd.DataFrame
    collapsed: int
    other_duplicates: int


def one_column_each(
    values: pd.DataFrame, duplicates: Duplicates | None, known: Collection[str], path: str
) -> Single:
    """Take together what stands under one name more than once, each sample by itself.

    Rows that are equal, and names that are no gene of the reference, are harmless; what else is
    there twice is refused unless the user says what to do.

    Parameters
    ----------
    values
        Samples × genes as in the file.
    duplicates
        ``"mean"``, ``"max"`` (each by sample) or ``"first"``.
    known
        Names of genes that a model knows.
    path
        The file, for messages.

    Raises
    ------
    InputError
        When genes are there twice with different values and nothing was said.
    """
    names = values.columns
    repeated = names.duplicated(keep=False)
    if not repeated.any():
        return Single(values, 0, 0)
    symbols = approved_symbols()
    approved = dict(zip(names[repeated], approve_gene_names(list(names[repeated]), known).approved,
                        strict=True))  # fmt: skip
    genes = [n for n, symbol in approved.items() if symbol in symbols or n in known]
    others = [n for n in approved if n not in set(genes)]
    different = [n for n in genes if not _equal(values.loc[:, names == n])]
    if different and duplicates is None:
        raise InputError(
            f"{path} has {len(different):,} gene{'s' if len(different) > 1 else ''} more than once "
            f"with different values ({name_some(different)}); expected each once. Say what to do "
            "with them: --duplicates mean, max or first."
        )
    rule = duplicates or "first"
    table = values.loc[:, ~repeated]
    kept = values.loc[:, repeated]
    if rule == "first":
        collapsed = kept.loc[:, ~kept.columns.duplicated()]
    else:
        grouped = kept.T.groupby(level=0, sort=False)
        collapsed = (grouped.mean() if rule == "mean" else grouped.max()).T
    order = names[~names.duplicated()]
    whole = pd.concat([table, collapsed], axis=1)[order]
    return Single(whole, len(genes), len(others))


def _equal(columns: pd.DataFrame) -> bool:
    array = columns.to_numpy()
    return bool(np.array_equal(array, np.repeat(array[:, :1], array.shape[1], axis=1), True))


def approve(names: Sequence[str], known: Collection[str]) -> Approval:
    """Bring the names of genes up to date and find several identifiers of one gene.

    Parameters
    ----------
    names
        Names as in the file, each once.
    known
        Names of genes that a model knows.
    """
    outcome = approve_gene_names(names, known)
    symbols = pd.Series(outcome.approved)
    superseded = superseded_names(outcome, names)
    named = np.flatnonzero((symbols != "").to_numpy() & ~superseded)
    groups = pd.Series(named).groupby(symbols.iloc[named].to_numpy(), sort=True).indices
    return Approval(
        [str(gene) for gene in groups],
        [named[positions] for positions in groups.values()],
        outcome,
        tuple(str(gene) for gene, positions in groups.items() if len(positions) > 1),
        int(superseded.sum()),
    )


def superseded_names(outcome: GeneNames, names: Sequence[str]) -> BoolArray:
    """Tell which names are old ones of genes that are there under their present name too.

    Parameters
    ----------
    outcome
        What became of the names.
    names
        Names as in the file.
    """
    if outcome.kind == "Ensembl id":
        return np.zeros(len(names), dtype=bool)
    symbols = pd.Series(outcome.approved)
    present_name = (symbols == pd.Series(names)).to_numpy()
    has_present = symbols.isin(set(symbols[present_name])).to_numpy()
    return np.asarray(has_present & ~present_name & (symbols != "").to_numpy())


def _merge(columns: FloatArray, unit: Unit) -> FloatArray:
    # Several identifiers of one gene: reads add up, log intensities are averaged.
    if unit in (Unit.COUNTS, Unit.TPM, Unit.LINEAR):
        total: FloatArray = np.log2(1 + (np.exp2(columns) - 1).sum(axis=1))
    else:
        total = columns.mean(axis=1)
    return total.astype(np.float32)
