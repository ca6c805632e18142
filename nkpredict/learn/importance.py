"""How much each gene may count in a linear model before it is fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

# Leading components of expression, lineage above all, taken out of the second view of a gene.
_COMPONENTS = 3


def adaptive_importance(
    rows: np.ndarray, residual: np.ndarray, powers: Sequence[float]
) -> np.ndarray:
    """Prior variance of each gene's coefficient, from how the gene goes with the response.

    With few samples and many genes a plain ridge spreads its weight over everything that moves
    together, lineage above all. Here a gene's prior variance is its squared correlation with the
    response to several powers, averaged over two views: the correlation as it is, and its
    geometric mean with the correlation after the leading components of expression are taken out
    of both. This is the adaptive lasso's idea (Zou, JASA 2006, doi 10.1198/016214506000000735)
    with marginal correlations (Fan & Lv, JRSS B 2008, doi 10.1111/j.1467-9868.2008.00674.x) and
    without its hard cut. It has seen the response: judge what follows on other samples.

    With fewer samples more of each correlation is chance. Chance alone gives the mean squared
    correlation 1 / (n_samples - 1); its share of the observed mean is the share of the prior that
    all genes get alike (the method of moments for a variance component).

    Parameters
    ----------
    rows
        Samples × genes, standardised; a gene without variance is 0.
    residual
        Centred response, shape (n_samples,).
    powers
        Powers of the squared correlation; () gives all genes the same importance.

    Returns
    -------
    numpy.ndarray
        Shape (n_genes,), such that the Gram matrix it gives has the mean eigenvalue 1.
    """
    alike = scaled_importance(np.ones(rows.shape[1]), rows)
    if not len(powers):
        return alike
    marginal = _correlation(rows, residual)
    count = min(_COMPONENTS, len(rows) - 1)
    _, leading = eigh(rows @ rows.T, subset_by_index=(len(rows) - count, len(rows) - 1))
    rest = residual - leading @ (leading.T @ residual)
    cleaned = _correlation(rows - leading @ (leading.T @ rows), rest)
    views = (marginal, np.sqrt(marginal * cleaned))
    importances = [scaled_importance(view ** (2 * p), rows) for view in views for p in powers]
    squared = float((marginal**2).sum()) / max(int(np.count_nonzero(marginal)), 1)
    chance = 1 / max(squared * (len(rows) - 1), 1.0)
    mixed: np.ndarray = chance * alike + (1 - chance) * np.mean(importances, axis=0)
    return mixed


def scaled_importance(importance: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Scale an importance so that the Gram matrix it gives has the mean eigenvalue 1."""
    size = float(importance @ (rows**2).sum(axis=0)) / len(rows)
    scaled: np.ndarray = importance / size if size > 0 else np.zeros_like(importance)
    return scaled


def _correlation(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    size = np.sqrt((values**2).sum(axis=0)) * np.linalg.norm(target)
    correlation: np.ndarray = np.divide(
        np.abs(target @ values), size, out=np.zeros(values.shape[1]), where=size > 1e-12
    )
    return correlation
