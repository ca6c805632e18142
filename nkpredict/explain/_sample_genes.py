"""The genes that lower each sample of a cohort most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.types import FloatArray, IndexArray
from nkpredict.vocabulary import EvidenceReading, GeneDirection

GENES_OF_A_SAMPLE = 10
_STRETCH = 500  # samples at a time, so that many need little room


def genes_by_sample(contributions: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Return the genes that lower each sample most.

    Parameters
    ----------
    contributions
        Samples × genes, parts of the prediction.
    genes
        What is known of the genes, see `resistance_genes` in the reading of single samples:
        ``gene, direction, evidence_reading``.

    Returns
    -------
    pandas.DataFrame
        Up to ten rows a sample, in the order of the samples: ``sample, rank, gene, contribution``
        (below 0, lowest first), ``direction`` and ``evidence_reading``.
    """
    values = contributions.to_numpy(dtype=np.float64)
    starts = range(0, len(values), _STRETCH)
    found = [
        lowest_in_rows(values[start : start + _STRETCH], GENES_OF_A_SAMPLE) for start in starts
    ]
    count = min(GENES_OF_A_SAMPLE, values.shape[1])
    at = np.concatenate(found) if found else np.empty((0, count), dtype=np.intp)
    parts = np.take_along_axis(values, at, axis=1)
    below = parts < 0
    names = contributions.columns.to_numpy(dtype=object)[at[below]]
    known = genes.drop_duplicates("gene").set_index("gene").reindex(names)
    rank = np.broadcast_to(np.arange(1, count + 1), at.shape)
    samples = contributions.index.astype(str).to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "sample": np.repeat(samples, count).reshape(at.shape)[below],
            "rank": rank[below],
            "gene": names,
            "contribution": parts[below],
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
