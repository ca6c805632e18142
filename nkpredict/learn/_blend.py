"""Blend learners by how well each predicts samples it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, rankdata

from nkpredict.types import FloatArray

TEMPER = 0.1
"""Power to which the held-out likelihood of a learner counts; set by hand."""


def blend_weights(held_out: FloatArray, target: FloatArray, prior: Sequence[float]) -> FloatArray:
    """Non-negative weights, summing to 1, from out-of-fold predictions.

    A learner's weight is its prior weight times its Gaussian likelihood on held-out samples to the
    power `TEMPER`: pseudo-Bayesian model averaging (Yao et al., Bayesian Analysis 2018, doi
    10.1214/17-BA1091), tempered, so that differences which few samples cannot tell from chance
    leave the weights nearly as they were before, and a learner that is clearly worse (useless
    evidence, or evidence that only one learner reads) loses its say. Compared with stacked
    regression (Breiman 1996) in docs/decisions/006.

    Parameters
    ----------
    held_out
        Out-of-fold predictions, samples × learners.
    target
        Observed response, shape (n_samples,).
    prior
        Weights before any sample is seen, up to a factor, shape (n_learners,).

    Returns
    -------
    numpy.ndarray
        Shape (n_learners,).
    """
    error = np.maximum(((held_out - target[:, None]) ** 2).mean(axis=0), 1e-300)
    likelihood = -0.5 * len(target) * np.log(error)
    weights = np.asarray(prior) * np.exp(TEMPER * (likelihood - likelihood.max()))
    return np.asarray(weights / weights.sum())


def normal_scores(target: FloatArray) -> FloatArray:
    """Replace a response by normal scores of its ranks, with the same mean and standard deviation.

    Responses are skewed: a few lines are killed entirely. Least squares then follows these few.
    Van der Waerden's scores (Conover, Practical Nonparametric Statistics, 1999) give each sample
    its rank's say; see docs/decisions/003.

    Parameters
    ----------
    target
        One number a sample.

    Returns
    -------
    numpy.ndarray
        Same shape; ties stay ties.
    """
    scores = norm.ppf((rankdata(target) - 0.5) / len(target))
    spread = scores.std()
    scale = target.std() / spread if spread > 0 else 0.0
    return np.asarray(target.mean() + scale * (scores - scores.mean()))
