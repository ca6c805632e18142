"""What a lineage or study adds to the response of all its samples."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.types import FloatArray, LabelArray


def group_offsets(target: FloatArray, labels: LabelArray) -> pd.Series:
    """Shrunken mean of each group, as a difference from the mean of all samples.

    Empirical Bayes: a group of n samples keeps n / (n + k) of its difference, with k the variance
    within groups over that between them (Efron & Morris, JASA 1973, doi
    10.1080/01621459.1973.10481350), so that a group of one sample hardly explains it away.

    Parameters
    ----------
    target
        One number a sample.
    labels
        Group of each sample.

    Returns
    -------
    pandas.Series
        Offset of each group, sorted by name.
    """
    names, group = np.unique(labels, return_inverse=True)
    count = np.bincount(group)
    means = np.bincount(group, target) / count
    freedom = max(len(target) - len(names), 1)
    within = float(((target - means[group]) ** 2).sum()) / freedom
    total = float((count * (means - target.mean()) ** 2).sum()) / len(target)
    between = max(total - within * (len(names) - 1) / len(target), 1e-12)
    reliability = count / (count + within / between)
    return pd.Series(reliability * (means - target.mean()), index=names)
