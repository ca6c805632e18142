"""Prediction intervals from the errors on samples a model has not seen."""

from __future__ import annotations

import math

import numpy as np

from nkpredict.types import FloatArray


def interval_half_width(residuals: FloatArray, coverage: float = 0.9) -> float:
    """Half width of a symmetric cross-conformal interval.

    The ``ceil((n + 1) · coverage)``-th smallest absolute out-of-fold residual (Vovk, Annals of
    Mathematics and Artificial Intelligence 2015, doi 10.1007/s10472-013-9368-4). It holds for
    samples drawn like the training samples, not for another platform or disease.

    Parameters
    ----------
    residuals
        Observed minus out-of-fold predicted response, shape (n_samples,).
    coverage
        Share of new samples the interval should hold.

    Returns
    -------
    float
        In the unit of the response; NaN when there are too few residuals for the coverage.
    """
    rank = math.ceil((len(residuals) + 1) * coverage)
    if rank > len(residuals):
        return math.nan
    return float(np.sort(np.abs(residuals))[rank - 1])
