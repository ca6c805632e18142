"""Select the genes a tree learner sees, from training data and evidence alone."""

from __future__ import annotations

import numpy as np

from nkpredict.types import FloatArray, IndexArray


def correlation_with(values: FloatArray, target: FloatArray) -> FloatArray:
    """Pearson correlation of each gene with the target.

    Parameters
    ----------
    values
        Samples × genes, without NaN.
    target
        One number a sample.

    Returns
    -------
    numpy.ndarray
        Shape (n_genes,); 0 for a constant gene or target.
    """
    centred = values - values.mean(axis=0)
    difference = target - target.mean()
    norms = np.sqrt((centred**2).sum(axis=0) * (difference**2).sum())
    correlation = np.zeros(values.shape[1])
    np.divide(difference @ centred, norms, out=correlation, where=norms > 1e-12)
    return correlation


def select_genes(
    values: FloatArray, target: FloatArray, signed_evidence: FloatArray, count: int
) -> IndexArray:
    """Choose the genes most correlated with the target, evidence counting in their favour.

    A gene whose correlation has the sign its evidence predicts is ranked as if its correlation
    were larger by up to one half (set by hand); one that contradicts its evidence gains nothing.

    Parameters
    ----------
    values
        Samples × genes, without NaN.
    target
        One number a sample.
    signed_evidence
        Shape (n_genes,), in [-1, 1]; 0 where nothing is known.
    count
        How many genes to keep.

    Returns
    -------
    numpy.ndarray
        Sorted column positions of the chosen genes.
    """
    correlation = correlation_with(values, target)
    agreement = np.maximum(0.0, np.sign(correlation) * signed_evidence)
    rank = np.abs(correlation) * (1 + 0.5 * agreement)
    # A stable sort keeps ties in gene order, so the choice does not depend on chance.
    return np.sort(np.argsort(-rank, kind="stable")[:count])
