"""How sure one source is of a gene, and how sources are added: probabilities and log-odds.

A gene sensitizes, protects or does neither. Evidence is the probability that it sensitizes less the
probability that it protects. Under the fair prior a gene does neither with probability 1/2, so a
source that is sure of a direction by the odds ``b`` gives the evidence (b - 1) / (b + 3).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nkpredict.types import FloatArray

FAIR_PRIOR = 0.5
"""Prior probability that a gene named beforehand acts on killing: as likely as not."""
GENOME_PRIOR = 0.001
"""Prior probability that a gene picked from the whole genome does: some 20 of 20,000; set by
hand."""
CERTAIN = 0.99
"""Largest confidence of one source: even a clear result may have a cause of its own; set by
hand."""


def confidence_of_p(p: FloatArray, prior: FloatArray | float) -> FloatArray:
    """Turn two-sided p-values into the confidence of their direction.

    The odds for an effect are at most 1 / (-e p ln p) where p < 1/e, and 1 elsewhere (Sellke,
    Bayarri and Berger 2001, doi 10.1198/000313001300339950). They are given to the direction
    measured; the other keeps its prior, which errs on the side of doubt.

    Parameters
    ----------
    p
        Two-sided p-values; NaN is no evidence.
    prior
        Prior probability of an effect, half of it for each direction.

    Returns
    -------
    numpy.ndarray
        Confidence in [0, `CERTAIN`], shape (n_values,).
    """
    known = np.clip(np.nan_to_num(p, nan=1.0), 1e-300, 1.0)
    inside = np.minimum(known, np.exp(-1))  # from there on the odds are 1
    odds = 1 / (-np.e * inside * np.log(inside))
    half = prior / 2
    confidence = half * (odds - 1) / (half * (odds + 1) + 1 - prior)
    return np.asarray(np.minimum(confidence, CERTAIN))


def log_odds(confidence: float) -> float:
    """Return the log-odds for a direction that give this confidence under the fair prior."""
    sure = min(confidence, CERTAIN)
    return float(np.log1p(3 * sure) - np.log1p(-sure))


def evidence_of(sensitizing: Iterable[float], protecting: Iterable[float]) -> float:
    """Add independent sources and return their common evidence.

    Parameters
    ----------
    sensitizing, protecting
        Confidence of each source for the direction.

    Returns
    -------
    float
        Probability that the gene sensitizes less the probability that it protects, in (-1, 1).
    """
    logs = np.array([sum(map(log_odds, sensitizing)), sum(map(log_odds, protecting)), 0.0])
    logs += np.log([FAIR_PRIOR / 2, FAIR_PRIOR / 2, 1 - FAIR_PRIOR])
    weights = np.exp(logs - logs.max())
    return float((weights[0] - weights[1]) / weights.sum())
