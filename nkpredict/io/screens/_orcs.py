"""Scores of BioGRID ORCS: one column of effects, in which p-values of other genes may stand.

ORCS keeps the scores that authors published (Oughtred et al. 2021, doi 10.1002/pro.3978). Where a
table gave effects to some genes and p-values to others, both end in one column. Of small positive
scores far more are then found than the scores around them let expect, and none of their negative
counterparts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

# Widths of the steps by which scores above 0 are looked at, and how far p-values may reach; set by
# hand.
_STEP, _REACH = 0.005, 0.05
_LEAST_EXCESS = 50
"""Scores beyond what is expected that p-values must make up to be seen; set by hand."""


def p_value_limit(scores: pd.Series) -> tuple[float, int, float]:
    """Tell up to which limit scores above 0 are rather p-values than scores.

    Scores are counted in steps of 0.005 and held against as many as a step between 0.05 and 0.1
    has on average. As long as more than half of a step are in excess, it counts as p-values.

    Parameters
    ----------
    scores
        Numbers.

    Returns
    -------
    limit : float
        Scores above 0 up to this limit are p-values; 0 where none are.
    found : int
        How many they are.
    expected : float
        How many of these may be scores.
    """
    values = scores[np.isfinite(scores) & (scores != 0)].to_numpy(dtype=np.float64)
    if not (values < 0).any():
        return 0.0, 0, 0.0
    edges = np.arange(0.0, 2 * _REACH + _STEP / 2, _STEP)
    # (low, high], so that p = 0.005 falls in the first step
    counts = np.histogram(-values, bins=-edges[::-1])[0][::-1]
    steps = round(_REACH / _STEP)
    each = max(float(counts[steps:].mean()), 0.5)
    more_than_half = counts[:steps] > 2 * each
    n_steps = steps if more_than_half.all() else int(np.argmin(more_than_half))
    found, expected = int(counts[:n_steps].sum()), n_steps * each
    if found - expected < _LEAST_EXCESS:
        return 0.0, 0, 0.0
    return float(edges[n_steps]), found, expected


def split_scores(scores: pd.Series) -> tuple[pd.DataFrame, dict[str, int], tuple[str, ...]]:
    """Tell p-values from effects in one column of scores.

    Parameters
    ----------
    scores
        As in the file.

    Returns
    -------
    rows : pandas.DataFrame
        Columns ``lfc`` and ``p``: of a p-value the effect is missing, its sign being unknown.
    counts : dict
        How many p-values there are.
    notes : tuple of str
        What was taken for granted.
    """
    numbers = pd.to_numeric(scores, errors="coerce").astype(float)
    limit, found, expected = p_value_limit(numbers)
    is_p = (numbers > 0) & (numbers <= limit)
    rows = pd.DataFrame({"lfc": scores.mask(is_p), "p": numbers.where(is_p)})
    if not found:
        return rows, {"p_values_among_scores": 0}, ()
    note = (
        f"{found:,} scores between 0 and {limit:g}, where some {expected:.0f} are expected, are "
        "read as p-values of genes whose effect and sign the file does not give: they are not "
        "taken for genes without effect"
    )
    return rows, {"p_values_among_scores": found}, (note,)
