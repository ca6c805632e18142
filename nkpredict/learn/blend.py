"""Blend learners by how well each predicts samples it has not seen."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls


def blend_weights(held_out: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Non-negative weights, summing to 1, from out-of-fold predictions.

    Stacked regression with non-negative weights (Breiman, Machine Learning 1996, doi
    10.1007/BF00117832), drawn half-way to equal weights: with few samples the weights
    themselves are noisy, and an equal average is hard to beat.

    Parameters
    ----------
    held_out
        Out-of-fold predictions, samples × learners.
    target
        Observed response, shape (n_samples,).

    Returns
    -------
    numpy.ndarray
        Shape (n_learners,).
    """
    count = held_out.shape[1]
    equal = np.full(count, 1 / count)
    fitted, _ = nnls(held_out - target.mean(), target - target.mean())
    if fitted.sum() <= 0:
        return equal
    weights: np.ndarray = 0.5 * fitted / fitted.sum() + 0.5 * equal
    return weights
