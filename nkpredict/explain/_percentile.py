"""Where a level of expression lies among others of the same gene."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from nkpredict.learn import RANGE_ENDS
from nkpredict.types import FloatArray


def percentile_in_training(level: FloatArray, ends: FloatArray) -> FloatArray:
    """Percentile of a level from the 5th and 95th of a gene, taken for normal."""
    low, high = ends
    width = norm.ppf(RANGE_ENDS[1]) - norm.ppf(RANGE_ENDS[0])
    spread = np.where(high > low, (high - low) / width, np.nan)
    centre = low - norm.ppf(RANGE_ENDS[0]) * spread
    return np.asarray(100 * norm.cdf((level - centre) / spread))


def percentile(level: FloatArray, among: FloatArray) -> FloatArray:
    """Percentile of a level among values of the same gene; ties count half."""
    present = ~np.isnan(among)
    below = ((among < level) & present).sum(axis=0) + 0.5 * ((among == level) & present).sum(axis=0)
    count = present.sum(axis=0)
    known = (count > 0) & ~np.isnan(level)
    return np.where(known, 100 * below / np.maximum(count, 1), np.nan)
