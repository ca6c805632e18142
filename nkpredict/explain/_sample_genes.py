"""The genes that lower each sample of a cohort most, and the drugs for them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.drugs import druggable_targets, rank_drugs_by_sample
from nkpredict.explain._by_gene import by_gene
from nkpredict.explain._gene_evidence import evidence_role
from nkpredict.explain._resistance import resistance_genes
from nkpredict.features import row_blocks
from nkpredict.learn import GeneModel
from nkpredict.types import FloatArray, IndexArray
from nkpredict.vocabulary import EvidenceReading, GeneDirection, GeneReading

LEAST_COMPANY = 20
"""Samples of a cohort from which on they are compared with each other; fewer say too little about
what is usual. By hand."""

GENES_OF_A_SAMPLE = 10
GENES_WITH_TARGETS = 200
"""Genes whose drugs are looked up: further down a list a gene takes next to nothing from a score.
By hand."""

_AT_ONCE = 500  # samples, so that many need little room


def parts_apart(
    contributions: pd.DataFrame, given: FloatArray, company: pd.DataFrame | None
) -> pd.DataFrame:
    """Return what sets samples apart from those they are compared with.

    What a whole cohort shares, as the levels of its platform, sets nobody in it apart.

    Parameters
    ----------
    contributions
        Samples × genes, parts of the prediction.
    given
        Same shape, expression as it was given, NaN where a gene was not measured.
    company
        Contributions of those that the samples are compared with, to the same genes; None for the
        average profile that the model was made from.

    Returns
    -------
    pandas.DataFrame
        Samples × genes that add to any score: the contributions less their mean in the company, and
        0 where the gene was not measured. Without company the contributions as they are.
    """
    if company is None:
        return contributions
    own = contributions.to_numpy(dtype=np.float64)
    mean = by_gene(company.to_numpy(dtype=np.float64), lambda part: part.mean(axis=0))
    acting = np.flatnonzero(by_gene(own, lambda part: np.abs(part).max(axis=0)) + np.abs(mean))
    parts = np.empty((len(own), len(acting)))
    for rows in row_blocks(len(own), _AT_ONCE):
        np.subtract(own[rows][:, acting], mean[acting], out=parts[rows])
        parts[rows][np.isnan(given[rows][:, acting])] = 0.0
    return pd.DataFrame(
        parts, index=contributions.index, columns=contributions.columns[acting], copy=False
    )


def genes_lowering_samples(
    model: GeneModel, parts: pd.DataFrame, drivers: pd.DataFrame | None
) -> pd.DataFrame:
    """Rank the genes that lower one sample at least.

    Parameters
    ----------
    model
        That scored.
    parts
        Samples × genes, what sets each sample apart; see `parts_apart`.
    drivers
        See `resistance_genes`.

    Returns
    -------
    pandas.DataFrame
        See `resistance_genes`, in the reading of single samples.
    """
    places = pd.Index(model.feature_names_in_).get_indexer(parts.columns)
    return resistance_genes(
        parts,
        np.asarray(model.effect_)[places],
        getattr(model, "evidence_", None),
        drivers,
        reading=GeneReading.SINGLE_SAMPLES,
        role=evidence_role(model),
    )


def drugs_by_sample(parts: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Rank the drugs of each sample by the genes that lower it.

    Parameters
    ----------
    parts
        Samples × genes, what sets each sample apart; see `parts_apart`.
    genes
        What `genes_lowering_samples` returned; drugs are looked up for the first 200.

    Returns
    -------
    pandas.DataFrame
        See `nkpredict.drugs.rank_drugs_by_sample`.
    """
    return rank_drugs_by_sample(druggable_targets(genes.head(GENES_WITH_TARGETS)), parts)


def genes_by_sample(
    contributions: pd.DataFrame, parts: pd.DataFrame, genes: pd.DataFrame
) -> pd.DataFrame:
    """Return the genes that lower each sample most.

    Parameters
    ----------
    contributions
        Samples × genes, parts of the prediction.
    parts
        Samples × some of the genes, what sets each sample apart; see `parts_apart`.
    genes
        What is known of the genes: ``gene, direction, evidence_reading`` of
        `genes_lowering_samples`.

    Returns
    -------
    pandas.DataFrame
        Up to ten rows a sample, in the order of the samples: ``sample, rank, gene, difference``
        (of its part from that of the samples compared with; below 0, lowest first),
        ``contribution`` (against the average profile), ``direction`` and ``evidence_reading``.
    """
    values = parts.to_numpy(dtype=np.float64)
    count = min(GENES_OF_A_SAMPLE, values.shape[1])
    at = np.concatenate(
        [lowest_in_rows(values[rows], count) for rows in row_blocks(len(values), _AT_ONCE)]
    )
    differences = np.take_along_axis(values, at, axis=1)
    below = differences < 0
    places = contributions.columns.get_indexer(parts.columns)
    own = np.take_along_axis(contributions.to_numpy(dtype=np.float64), places[at], axis=1)
    names = parts.columns.to_numpy(dtype=object)[at[below]]
    known = genes.drop_duplicates("gene").set_index("gene").reindex(names)
    rank = np.broadcast_to(np.arange(1, count + 1), at.shape)
    samples = parts.index.astype(str).to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "sample": np.repeat(samples, count).reshape(at.shape)[below],
            "rank": rank[below],
            "gene": names,
            "difference": differences[below],
            "contribution": own[below],
            "direction": known["direction"].fillna(str(GeneDirection.UNCLEAR)).to_numpy(),
            "evidence_reading": known["evidence_reading"]
            .fillna(str(EvidenceReading.NO_EVIDENCE))
            .to_numpy(),
        }
    )


def lowest_in_rows(values: FloatArray, count: int) -> IndexArray:
    """Return where the smallest values of each row are, smallest first.

    Parameters
    ----------
    values
        Shape (n_rows, n_columns).
    count
        How many of each row; all where there are fewer.

    Returns
    -------
    numpy.ndarray
        Shape (n_rows, count).
    """
    count = min(count, values.shape[1])
    found = np.arange(values.shape[1])[None].repeat(len(values), axis=0)
    if count < values.shape[1]:
        # sorted, so that equal values keep the order of the columns
        found = np.sort(np.argpartition(values, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
