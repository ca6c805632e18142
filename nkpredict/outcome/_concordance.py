"""Concordance of orders of samples with the order of their events."""

from __future__ import annotations

import numpy as np

from nkpredict.types import BoolArray, FloatArray, IndexArray, LabelArray


def strata_of(labels: LabelArray | None, samples: int) -> list[IndexArray]:
    """Return the samples of each stratum; all samples are one where there are no labels."""
    if labels is None:
        return [np.arange(samples)]
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def concordance(
    orders: FloatArray, time: FloatArray, event: BoolArray, strata: list[IndexArray]
) -> tuple[FloatArray, int]:
    """Share of comparable pairs whose later sample stands higher; ties count half (Harrell's C).

    A pair is comparable when it is known whose event came first. A sample censored at the very
    time of an event outlived it.

    Parameters
    ----------
    orders
        Samples × orders, higher = later.
    time, event
        Time of each sample, and whether its event happened then.
    strata
        Samples of each stratum; only pairs of one stratum count.

    Returns
    -------
    tuple
        Concordance of each order, NaN without a comparable pair, and the number of pairs.
    """
    concordant, pairs = np.zeros(orders.shape[1]), 0
    for members in strata:
        # by time, at equal times the events first, so that those who outlived an event stand below
        sorted_members = members[np.lexsort((~event[members], time[members]))]
        times, happened = time[sorted_members], event[sorted_members]
        standing = orders[sorted_members]
        for row in np.flatnonzero(happened):
            together = np.flatnonzero(happened & (times == times[row]))
            later = standing[together[-1] + 1 :]
            pairs += len(later)
            concordant += (later > standing[row]).sum(axis=0) + (later >= standing[row]).sum(axis=0)
    if pairs == 0:
        return np.full(orders.shape[1], np.nan), 0
    return concordant / (2 * pairs), pairs
