"""Concordance of an order of samples with the order of their events."""

from __future__ import annotations

import numpy as np

from nkpredict.types import BoolArray, FloatArray, LabelArray


def comparable_pairs(
    time: FloatArray, event: BoolArray, strata: LabelArray | None = None
) -> BoolArray:
    """Return which pairs of samples have a known order: the event of the first came before.

    Parameters
    ----------
    time, event
        Time of each sample, and whether its event happened then.
    strata
        Label of each sample; only pairs of one stratum count.

    Returns
    -------
    numpy.ndarray
        Samples with an event (rows, in their order) × all samples. A sample censored at the very
        time of an event outlived it.
    """
    first = np.flatnonzero(event)
    earlier = time[first, None] < time[None, :]
    earlier |= (time[first, None] == time[None, :]) & ~event[None, :]
    if strata is not None:
        earlier &= strata[first, None] == strata[None, :]
    # the rows are spread again, so that a mask alone says which samples they are
    pairs = np.zeros((len(time), len(time)), dtype=bool)
    pairs[first] = earlier
    return pairs


def concordance(order: FloatArray, pairs: BoolArray) -> float:
    """Share of comparable pairs whose later sample stands higher; ties count half (Harrell's C).

    Parameters
    ----------
    order
        One number a sample, higher = later.
    pairs
        What `comparable_pairs` returned; NaN is returned when it holds none.
    """
    rows = np.flatnonzero(pairs.any(axis=1))
    if not len(rows):
        return float("nan")
    known, first = pairs[rows], order[rows, None]
    higher = np.count_nonzero(known & (order[None, :] > first))
    equal = np.count_nonzero(known & (order[None, :] == first))
    return (higher + 0.5 * equal) / np.count_nonzero(known)
