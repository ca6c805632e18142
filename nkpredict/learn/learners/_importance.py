"""How much each gene may count in a linear model before it is fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from nkpredict.types import BoolArray, FloatArray

# Leading components of expression, lineage above all, taken out of the second view of a gene;
# set by hand.
_COMPONENTS = 3
# Share of a gene's sum of squares below which nothing of it is left but rounding; set by hand.
_LEAST_SHARE = 1e-10


def adaptive_importance(
    rows: FloatArray,
    gram: FloatArray,
    residual: FloatArray,
    powers: Sequence[float],
    reach: FloatArray,
) -> FloatArray:
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

    All of it is in proportion to the reach of a gene, see `reach_of`.

    Parameters
    ----------
    rows
        Samples × genes, standardised; a gene without variance is 0.
    gram
        Samples × samples, ``rows @ rows.T``.
    residual
        Centred response, shape (n_samples,).
    powers
        Powers of the squared correlation; () gives all genes the same importance.
    reach
        Reach of each gene, shape (n_genes,).

    Returns
    -------
    numpy.ndarray
        Shape (n_genes,), such that the Gram matrix it gives has the mean eigenvalue 1.
    """
    squares = sums_of_squares(rows)
    alike = scaled_importance(np.ones(rows.shape[1]), squares, len(rows))
    if not len(powers):
        return alike
    pull = residual @ rows
    marginal = _correlation(pull, squares, residual)
    count = min(_COMPONENTS, len(rows) - 1)
    _, leading = eigh(gram, subset_by_index=(len(rows) - count, len(rows) - 1))
    along, explained = leading.T @ rows, leading.T @ residual
    # what is left of each gene, and of its product with the response, without the components
    left = squares - sums_of_squares(along)
    left[left < _LEAST_SHARE * squares] = 0.0
    cleaned = _correlation(pull - explained @ along, left, residual - leading @ explained)
    views = (marginal, np.sqrt(marginal * cleaned))
    importances = [
        scaled_importance(view ** (2 * p), squares, len(rows)) for view in views for p in powers
    ]
    squared = float((marginal**2).sum()) / max(int(np.count_nonzero(marginal)), 1)
    chance = 1 / max(squared * (len(rows) - 1), 1.0)
    correlated = chance * alike + (1 - chance) * np.mean(importances, axis=0)
    return scaled_importance(correlated * reach, squares, len(rows))


def reach_of(
    rows: FloatArray, root: FloatArray, scale: FloatArray, other_units: BoolArray | None
) -> FloatArray:
    """How far a gene's level moves between ordinary samples, in units of expression.

    The mean absolute deviation, squared, over the standard deviation: the standard deviation for
    two even halves of samples, two thirds of it for a normal distribution, and little where a few
    samples make all of it, be it noise or rare. Standardised genes are all alike in their standard
    deviation, and those that hardly move hold little but noise; see docs/decisions/034.

    Parameters
    ----------
    rows
        Samples × genes, standardised, times ``root``.
    root
        Root of the sample weights, shape (n_samples,).
    scale
        Standard deviation of each gene; infinite for one that does not vary.
    other_units
        Which features are no expression; they get the mean of the others. None for none.

    Returns
    -------
    numpy.ndarray
        Shape (n_genes,); 0 for a gene that does not vary.
    """
    deviation = np.zeros(rows.shape[1])
    for weight, row in zip(root, rows, strict=True):  # no second copy of what may be large
        deviation += weight * np.abs(row)
    deviation /= len(rows)
    reach = np.where(np.isfinite(scale), scale, 0.0) * deviation**2
    if other_units is None:
        return np.asarray(reach)
    expression = reach[~other_units]
    return np.where(other_units, expression.mean() if expression.any() else 1.0, reach)


def scaled_importance(importance: FloatArray, squares: FloatArray, samples: int) -> FloatArray:
    """Scale an importance so that the Gram matrix it gives has the mean eigenvalue 1.

    Parameters
    ----------
    importance, squares
        Importance and sum of squares of each gene, shape (n_genes,).
    samples
        Number of samples.
    """
    size = float(importance @ squares) / samples
    return importance / size if size > 0 else np.zeros_like(importance)


def sums_of_squares(rows: FloatArray) -> FloatArray:
    """Sum of squares of each column."""
    return np.asarray(np.einsum("ij,ij->j", rows, rows))


def _correlation(product: FloatArray, squares: FloatArray, target: FloatArray) -> FloatArray:
    """Absolute correlation from products with the target and sums of squares of the genes."""
    norm = np.sqrt(squares) * np.linalg.norm(target)
    correlation = np.divide(np.abs(product), norm, out=np.zeros(len(norm)), where=norm > 1e-12)
    return np.asarray(np.minimum(correlation, 1.0))
