"""Mean and spread of each gene, missing values left out."""

from __future__ import annotations

import numpy as np

from nkpredict.types import FloatArray

_LEAST_SPREAD = 1e-9  # relative to the values; below, a gene does not vary; set by hand


def mean_and_deviation(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each gene.

    Parameters
    ----------
    values
        Samples × genes, NaN for a missing value.

    Returns
    -------
    mean, deviation : numpy.ndarray
        Shape (n_genes,); 0 for a gene without any value.
    """
    present = ~np.isnan(values)
    if present.all():
        mean = values.mean(axis=0)
        difference = values - mean
        return mean, np.sqrt(np.einsum("ij,ij->j", difference, difference) / max(len(values), 1))
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, values, 0.0).sum(axis=0) / count
    difference = np.where(present, values - mean, 0.0)
    return mean, np.sqrt((difference**2).sum(axis=0) / count)


def divisor(deviation: FloatArray, mean: FloatArray) -> FloatArray:
    """Return what to divide centred values by: infinity for a gene that does not vary."""
    return np.where(deviation > _LEAST_SPREAD * (1 + np.abs(mean)), deviation, np.inf)
