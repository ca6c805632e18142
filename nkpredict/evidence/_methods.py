"""Ways to combine screens, all behind one door: z of genes × screens in, one verdict a gene out.

Every method takes signed z (genes × screens, NaN where not measured) and one weight per screen, and
returns a :class:`Combination`. ``METHODS`` holds them by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, false_discovery_control, norm, rankdata

from nkpredict.errors import InputError, name_some
from nkpredict.types import BoolArray, FloatArray

SPREADS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Standard deviations of effects, in units of z, that the empirical-Bayes prior mixes; set by
hand."""
SHARED_PARTS = (0.0, 0.5, 1.0)
"""Share of the variance of effects that screens have in common: 0 = each screen on its own; set by
hand."""
NULL_PSEUDOCOUNT = 10.0
"""Genes without effect added to the prior, which keeps it conservative (Stephens 2017)."""
# Set by hand: when the fit stops, and the least p-value that still has a normal quantile.
EM_ITERATIONS = 200
EM_TOLERANCE = 1e-5
_LEAST_P = 1e-300


@dataclass(frozen=True)
class Combination:
    """Verdict of one method.

    Attributes
    ----------
    score
        Signed, shape (n_genes,): + = sensitizes, larger size = stronger; 0 without any
        measurement. A z, or the normal quantile of the method's two-sided probability.
    fdr
        Share of false findings among the genes with at least this much evidence, shape
        (n_genes,): Benjamini-Hochberg for p-values, false sign rate for the empirical-Bayes model.
    """

    score: FloatArray
    fdr: FloatArray


CombinationMethod = Callable[[FloatArray, FloatArray], Combination]


def weighted_stouffer(z: FloatArray, weights: FloatArray) -> Combination:
    """Weighted sum of z over its standard deviation (Stouffer 1949; weights after Liptak 1958).

    Parameters
    ----------
    z
        Signed z, shape (n_genes, n_screens), NaN where not measured.
    weights
        One positive weight per screen.

    Returns
    -------
    Combination
        The combined z and its false discovery rate.
    """
    combined = stouffer_z(z, weights)
    return Combination(combined, _discovery_rate(2 * norm.sf(np.abs(combined)), z))


def robust_rank_aggregation(z: FloatArray, weights: FloatArray) -> Combination:
    """Robust rank aggregation on both ends of the ranking.

    The ρ score of Kolde et al. 2012 (doi 10.1093/bioinformatics/btr709): the smallest
    probability, over k, that the k-th best of n uniform ranks is as good as observed, after
    Bonferroni's correction for the n tries. The better end counts, its p doubled. Weights have no
    place in this method and are not used.

    Parameters
    ----------
    z
        Signed z, shape (n_genes, n_screens), NaN where not measured.
    weights
        Not used.

    Returns
    -------
    Combination
        Normal quantile of p, and its false discovery rate.
    """
    sensitizing, protecting = _rho(-z), _rho(z)
    p = np.minimum(1.0, 2 * np.minimum(sensitizing, protecting))
    sign = np.sign(protecting - sensitizing)
    return Combination(sign * norm.isf(np.maximum(p, _LEAST_P) / 2), _discovery_rate(p, z))


def best_screen(z: FloatArray, weights: FloatArray) -> Combination:
    """Largest |z| of any screen, after Bonferroni's correction for the screens of the gene.

    Parameters
    ----------
    z
        Signed z, shape (n_genes, n_screens), NaN where not measured.
    weights
        Not used.

    Returns
    -------
    Combination
        Normal quantile of the corrected p, and its false discovery rate.
    """
    filled = np.where(np.isfinite(z), z, 0.0)
    best = filled[np.arange(len(z)), np.abs(filled).argmax(axis=1)]
    tries = np.maximum(np.isfinite(z).sum(axis=1), 1)
    p = np.minimum(1.0, tries * 2 * norm.sf(np.abs(best)))
    return Combination(np.sign(best) * norm.isf(np.maximum(p, _LEAST_P) / 2), _discovery_rate(p, z))


def empirical_bayes(z: FloatArray, weights: FloatArray) -> Combination:
    """Shrink the mean effect of each gene, allowing for differences between screens.

    Model: z of a gene in a screen = weight × (mean effect + deviation of the screen) + noise of
    variance 1. The prior of the effects is a mixture of no effect and normals over a grid of
    spreads (``SPREADS``), each split between the mean and the deviations in several ways
    (``SHARED_PARTS``); its weights come from all genes by expectation maximisation, as in adaptive
    shrinkage (Stephens 2017, doi 10.1093/biostatistics/kxw041; several conditions: Urbut et al.
    2019, doi 10.1038/s41588-018-0268-8). What counts is the local false sign rate of the mean
    effect, so an effect that one screen has on its own is no finding.

    Parameters
    ----------
    z
        Signed z, shape (n_genes, n_screens), NaN where not measured.
    weights
        One positive weight per screen: how strongly it shows an effect.

    Returns
    -------
    Combination
        Normal quantile of the local false sign rate, and the false sign rate among all genes
        with at least this much evidence.
    """
    known = np.isfinite(z)
    # a lone screen cannot tell a shared effect from its own
    parts = [part for part in SHARED_PARTS if part == 1.0 or z.shape[1] > 1]
    grid = [(spread**2, part) for part in parts for spread in SPREADS]
    log_likelihood = np.zeros((len(z), 1 + len(grid)))
    negative = np.zeros((len(z), len(grid)))
    for column, (variance, part) in enumerate(grid):
        gain, mean, deviation = _component(z, known, weights, variance, part)
        log_likelihood[:, column + 1] = gain
        if part > 0:
            negative[:, column] = norm.cdf(-mean / deviation)
    posterior = _posterior(log_likelihood[known.any(axis=1)], log_likelihood)
    shared = np.array([part > 0 for _, part in grid])
    below = (posterior[:, 1:] * negative)[:, shared].sum(axis=1)
    above = (posterior[:, 1:] * (1 - negative))[:, shared].sum(axis=1)
    false_sign = np.clip(1.0 - np.maximum(below, above), _LEAST_P, 1.0)
    false_sign[~known.any(axis=1)] = 1.0
    sign = np.sign(above - below)
    order = np.argsort(false_sign, kind="stable")
    rate = np.empty(len(z))
    rate[order] = np.cumsum(false_sign[order]) / np.arange(1, len(z) + 1)
    return Combination(sign * norm.isf(false_sign / 2), rate)


METHODS: dict[str, CombinationMethod] = {
    "weighted-stouffer": weighted_stouffer,
    "robust-rank-aggregation": robust_rank_aggregation,
    "empirical-bayes": empirical_bayes,
    "best-screen": best_screen,
}
"""Methods by the name that users give."""


def combine_matrix(z: FloatArray, weights: FloatArray, method: str) -> Combination:
    """Combine screens by a method of ``METHODS``.

    Parameters
    ----------
    z
        Signed z, shape (n_genes, n_screens), NaN where not measured.
    weights
        One positive weight per screen.
    method
        Name of the method.

    Returns
    -------
    Combination
        Score and false discovery rate of every gene.

    Raises
    ------
    InputError
        When there is no such method, shapes do not fit, z is infinite or a weight not positive.
    """
    if method not in METHODS:
        raise InputError(
            f"The combination method {method!r} is not known; expected {', '.join(METHODS)}."
        )
    if z.ndim != 2 or weights.shape != (z.shape[1],):
        raise InputError(
            f"z has the shape {z.shape} and weights {weights.shape}; expected genes × screens and "
            "one weight per screen."
        )
    if np.isinf(z).any():
        raise InputError(
            f"z is infinite in {int(np.isinf(z).sum())} places; expected finite numbers, or NaN "
            "where a gene was not measured."
        )
    wrong = weights[~(weights > 0)]
    if len(wrong):
        raise InputError(f"The weights hold {name_some(wrong)}; expected positive numbers.")
    return METHODS[method](z, weights)


def stouffer_z(z: FloatArray, weights: FloatArray) -> FloatArray:
    """Combine columns of z, leaving out what was not measured.

    Parameters
    ----------
    z
        Shape (n_genes, n_screens), NaN where not measured.
    weights
        One positive weight per screen.

    Returns
    -------
    numpy.ndarray
        Shape (n_genes,); 0 where nothing was measured.
    """
    known = np.isfinite(z)
    norms = np.sqrt((known * weights**2).sum(axis=1))
    total = (np.where(known, z, 0.0) * weights).sum(axis=1)
    return np.asarray(np.divide(total, norms, out=np.zeros(len(z)), where=norms > 0))


def heterogeneity(z: FloatArray, weights: FloatArray) -> FloatArray:
    """Share of the variation of a gene between screens that noise does not explain.

    I² = max(0, 1 − (n − 1) / Q) of Higgins and Thompson 2002 (doi 10.1002/sim.1186), with the
    effects z / weight of variance 1 / weight².

    Parameters
    ----------
    z
        Shape (n_genes, n_screens), NaN where not measured.
    weights
        One positive weight per screen.

    Returns
    -------
    numpy.ndarray
        Shape (n_genes,), in [0, 1); 0 for a gene measured once or never.
    """
    known = np.isfinite(z)
    filled = np.where(known, z, 0.0)
    precision = (known * weights**2).sum(axis=1)
    mean = np.divide(
        (filled * weights).sum(axis=1), precision, out=np.zeros(len(z)), where=precision > 0
    )
    q = (known * (filled - mean[:, None] * weights) ** 2).sum(axis=1)
    freedom = known.sum(axis=1) - 1
    excess = q - freedom
    # measured once, q is 0 but for rounding
    counts = (excess > 0) & (freedom > 0)
    return np.asarray(np.divide(excess, q, out=np.zeros(len(z)), where=counts))


def _discovery_rate(p: FloatArray, z: FloatArray) -> FloatArray:
    """Benjamini-Hochberg over the genes that were measured at all."""
    measured = np.isfinite(z).any(axis=1)
    rate = np.ones(len(p))
    if measured.any():
        rate[measured] = false_discovery_control(p[measured])
    return rate


def _rho(z: FloatArray) -> FloatArray:
    """ρ score of small z: the smaller, the more often among the first."""
    known = np.isfinite(z)
    ranks = np.ones(z.shape)
    for column in range(z.shape[1]):
        measured = known[:, column]
        places = rankdata(z[measured, column], method="max")
        ranks[measured, column] = places / max(measured.sum(), 1)
    # a rank that was not measured is never among the best k of the gene's own n
    ranks = np.sort(np.where(known, ranks, np.inf), axis=1)
    n = known.sum(axis=1)
    best = np.ones(len(z))
    for k in range(1, z.shape[1] + 1):
        has = n >= k
        best[has] = np.minimum(best[has], beta.cdf(ranks[has, k - 1], k, n[has] - k + 1))
    return np.asarray(np.minimum(1.0, best * np.maximum(n, 1)))


def _component(
    z: FloatArray, known: BoolArray, weights: FloatArray, variance: float, part: float
) -> tuple[FloatArray, FloatArray, float | FloatArray]:
    """Log likelihood ratio against no effect, posterior mean and deviation of the mean effect.

    The covariance of z is diagonal + rank one, so its inverse is written out.
    """
    unshared = 1.0 + variance * (1.0 - part) * weights**2
    filled = np.where(known, z, 0.0)
    projected = (filled * (weights / unshared)).sum(axis=1)
    precision = (known * (weights**2 / unshared)).sum(axis=1)
    common = variance * part
    gain = 0.5 * (filled**2 * (1.0 - 1.0 / unshared)).sum(axis=1)
    gain = gain - 0.5 * (known * np.log(unshared)).sum(axis=1)
    if common == 0:
        return gain, np.zeros(len(z)), 1.0
    scale = 1.0 + common * precision
    gain = gain + 0.5 * common * projected**2 / scale - 0.5 * np.log(scale)
    return gain, common * projected / scale, np.sqrt(common / scale)


def _posterior(fitted: FloatArray, applied: FloatArray) -> FloatArray:
    """Fit the mixture on some genes by expectation maximisation, and apply it to others."""

    def likelihood(log_values: FloatArray) -> FloatArray:
        return np.asarray(np.exp(log_values - log_values.max(axis=1, keepdims=True)))

    values = likelihood(fitted)
    n_components = values.shape[1]
    pseudocount = np.zeros(n_components)
    pseudocount[0] = NULL_PSEUDOCOUNT
    prior = np.full(n_components, 0.1 / max(n_components - 1, 1))
    prior[0] = 0.9
    for _ in range(EM_ITERATIONS):
        responsibility = prior * values
        counts = (responsibility / responsibility.sum(axis=1, keepdims=True)).sum(axis=0)
        updated = (counts + pseudocount) / (counts + pseudocount).sum()
        moved = np.abs(updated - prior).max()
        prior = updated
        if moved < EM_TOLERANCE:
            break
    weighted = prior * likelihood(applied)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))
