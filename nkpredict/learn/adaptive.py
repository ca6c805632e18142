"""Ridge regression whose penalty falls where a gene goes with the response by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nkpredict.learn.linear import PENALTIES, LinearLearner, best_penalty, scaled_gram


class AdaptiveRidge(LinearLearner):
    """Mean of ridges on genes weighted by powers of their correlation with the response.

    With few samples and many genes a plain ridge spreads its weight over everything that moves
    together, lineage above all. Weighting each gene by a power of its marginal correlation lets
    the genes that carry the response speak, without the hard cut of a selection; the idea is that
    of the adaptive lasso (Zou, JASA 2006, doi 10.1198/016214506000000735) with marginal
    correlations (Fan & Lv, JRSS B 2008, doi 10.1111/j.1467-9868.2008.00674.x). High powers are
    better with many samples and low ones with few, so several are averaged.

    Parameters
    ----------
    powers
        Powers of the absolute correlation; one ridge each.
    penalties
        Candidate penalties, relative to the mean eigenvalue of the Gram matrix.

    Attributes
    ----------
    coef_ : numpy.ndarray
        Change of the prediction per standard deviation of each gene, shape (n_genes,).
    intercept_ : float
        Prediction for the average training profile.
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene in the training data.
    """

    def __init__(
        self,
        powers: Sequence[float] = (1.0, 2.0, 4.0),
        penalties: Sequence[float] = PENALTIES,
    ) -> None:
        self.powers = powers
        self.penalties = penalties

    def _fit_rows(
        self, rows: np.ndarray, residual: np.ndarray, root: np.ndarray, genes: Any
    ) -> None:
        size = float(np.linalg.norm(rows, axis=0).max() * np.linalg.norm(residual))
        correlation = np.abs(residual @ rows) / (size if size > 0 else 1.0)
        self.coef_ = np.zeros(rows.shape[1])
        for power in self.powers:
            weight = correlation**power
            weighted = rows * weight
            gram, scale = scaled_gram(weighted)
            fit = best_penalty(gram, residual, root, tuple(self.penalties))
            self.coef_ += weight * (weighted.T @ fit.dual) / scale / len(self.powers)
