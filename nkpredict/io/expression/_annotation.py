"""What lies among the numbers and is no expression: lengths, positions, ages, sums of reads."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nkpredict.io._genes import approved_symbols, mostly_lower_case
from nkpredict.io._tables import read_shipped_table
from nkpredict.types import BoolArray

# Sums that STAR and HTSeq write among the genes.
_SUMMARY = re.compile(
    r"^(?:N_(?:unmapped|multimapping|noFeature|ambiguous)"
    r"|_{0,2}(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique))$"
)
# Judged by scale only where enough neighbours agree with each other; both set by hand.
_LEAST_NEIGHBOURS = 4
_AGREE, _DISAGREE = 0.6, 0.35
_OTHER_SCALE = 8.0
MOST_BY_SCALE, _MOST_GENES = 2000, 4000
"""Samples of which one is told by its scale, and the genes that are looked at."""


@cache
def _names_that_describe(what: str) -> frozenset[str]:
    """Return the names of columns that describe genes, samples or results of a test, plain."""
    table = read_shipped_table("annotation_names.csv")
    return frozenset(table.loc[table["describes"] == what, "name"])


def describes_samples(label: str) -> bool:
    """Tell whether a column is called like age, sex or white blood count."""
    return _plain(label) in _names_that_describe("sample")


class Aside(NamedTuple):
    """Profiles without what is no expression.

    Attributes
    ----------
    values : pandas.DataFrame
        Samples × genes.
    samples : dict
        Labels taken off the samples → why.
    genes : dict
        Labels taken off the genes → their values by sample.
    sums
        How many rows with sums of reads were taken off the genes.
    """

    values: pd.DataFrame
    samples: dict[str, str]
    genes: dict[str, pd.Series]
    sums: int


class AsideLabels(NamedTuple):
    """Which labels are annotation by their name.

    Attributes
    ----------
    samples : dict
        Labels taken off the samples → why.
    samples_left, genes_left
        Which labels stay.
    clinical : list
        Labels taken off the genes that describe samples.
    sums
        How many rows with sums of reads were taken off the genes.
    """

    samples: dict[str, str]
    samples_left: BoolArray
    genes_left: BoolArray
    clinical: list[Any]
    sums: int


def labels_aside(samples: pd.Index, columns: pd.Index, known: frozenset[str]) -> AsideLabels:
    """Tell annotation by its name.

    Parameters
    ----------
    samples, columns
        Labels of both axes.
    known
        Names of genes that a model knows, which are never taken off.
    """
    names = [_plain(label) for label in samples]
    of_genes = _names_that_describe("gene")
    if {"logfc", "log2foldchange"} & set(names):
        of_genes |= _names_that_describe("test")
    taken = {
        str(label): "by its name"
        for label, name in zip(samples, names, strict=True)
        if name in of_genes
    }
    kept = ~samples.astype(str).isin(list(taken))
    genes = approved_symbols() | known
    lower = mostly_lower_case([str(label) for label in columns])
    clinical = [
        label
        for label in columns
        if describes_samples(str(label))
        and (str(label).upper() if lower else str(label)) not in genes
    ]
    sums = np.array([_SUMMARY.match(str(label)) is not None for label in columns], dtype=bool)
    genes_left = ~(sums | columns.isin(clinical))
    return AsideLabels(taken, np.asarray(kept), genes_left, clinical, int(sums.sum()))


def set_annotation_aside(values: pd.DataFrame, known: frozenset[str]) -> Aside:
    """Take off what is annotation by its name, or by its scale beside its neighbours.

    Parameters
    ----------
    values
        Samples × genes.
    known
        Names of genes that a model knows, which are never taken off.
    """
    named = labels_aside(values.index, values.columns, known)
    kept, genes_left = named.samples_left, named.genes_left
    apart = {str(label): values.loc[kept, label] for label in dict.fromkeys(named.clinical)}
    apart = {label: found for label, found in apart.items() if isinstance(found, pd.Series)}
    # where nothing is taken off nothing is copied
    left = values if kept.all() and genes_left.all() else values.loc[kept, genes_left]
    odd = _of_another_scale(left)
    taken = named.samples | {
        str(label): "by its scale beside the others" for label in left.index[odd]
    }
    apart = {label: column[~odd] for label, column in apart.items()}
    return Aside(left.loc[~odd] if odd.any() else left, taken, apart, named.sums)


def _plain(label: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(label).lower())


def _of_another_scale(values: pd.DataFrame) -> BoolArray:
    """Tell rows that neither agree with the other samples nor have their scale."""
    none = np.zeros(len(values), dtype=bool)
    if not _LEAST_NEIGHBOURS <= len(values) <= MOST_BY_SCALE or values.shape[1] < 20:
        return none
    step = max(1, values.shape[1] // _MOST_GENES)
    sampled = values.iloc[:, ::step].to_numpy(dtype=np.float64)
    sampled = sampled[:, np.isfinite(sampled).all(axis=0)]
    if sampled.shape[1] < 20:
        return none
    size = np.quantile(np.abs(sampled), 0.75, axis=1) + 1e-9
    ratio = size / np.median(size)
    whole = (sampled == np.round(sampled)).all(axis=1)
    unlike = (ratio > _OTHER_SCALE) | (ratio < 1 / _OTHER_SCALE)
    unlike |= whole != (np.mean(whole) > 0.5)
    if not unlike.any():
        return none
    ranks = pd.DataFrame(sampled).rank(axis=1).to_numpy()
    typical = np.median(ranks, axis=0)
    agreement = np.array([_correlation(row, typical) for row in ranks])
    if np.median(agreement) < _AGREE:
        return none
    return np.asarray((agreement < _DISAGREE) & unlike)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
