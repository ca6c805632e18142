"""How well predictions agree with what was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from nkpredict.types import FloatArray, LabelArray

# Fewer samples of one lineage say nothing about the ranking within it.
_SMALLEST_LINEAGE = 5  # set by hand


def spearman(predicted: FloatArray, observed: FloatArray) -> float:
    """Spearman's rank correlation; 0 when the prediction is constant and so ranks nothing.

    Parameters
    ----------
    predicted, observed
        One number a sample.
    """
    if np.ptp(predicted) < 1e-12 or np.ptp(observed) < 1e-12:
        return 0.0
    return float(spearmanr(predicted, observed).statistic)


def spearman_within(predicted: FloatArray, observed: FloatArray, lineage: LabelArray) -> float:
    """Mean of the rank correlations inside each lineage, weighted by its number of samples.

    It is what remains of a model's skill once differences between lineages are set aside.
    Lineages with fewer than five samples are left out; NaN when none is left.

    Parameters
    ----------
    predicted, observed
        One number a sample.
    lineage
        Lineage of each sample.
    """
    labels, counts = np.unique(lineage, return_counts=True)
    enough = counts >= _SMALLEST_LINEAGE
    if not enough.any():
        return float("nan")
    members = [lineage == label for label in labels[enough]]
    values = [spearman(predicted[group], observed[group]) for group in members]
    return float(np.average(values, weights=counts[enough]))


def summarise(predictions: pd.DataFrame) -> pd.DataFrame:
    """Summarise out-of-fold predictions, one row for each split and model.

    Parameters
    ----------
    predictions
        Columns ``split, repeat, model, lineage, observed, predicted``.

    Returns
    -------
    pandas.DataFrame
        Columns ``split, model, spearman, spearman_within_lineage, rmse``, each the mean over
        repetitions.
    """
    rows = []
    keys = ["split", "model", "repeat"]
    for (split, model, _), part in predictions.groupby(keys, sort=False, observed=True):
        predicted, observed = part["predicted"].to_numpy(), part["observed"].to_numpy()
        lineage = part["lineage"].to_numpy()
        rows.append(
            {
                "split": split,
                "model": model,
                "spearman": spearman(predicted, observed),
                "spearman_within_lineage": spearman_within(predicted, observed, lineage),
                "rmse": float(np.sqrt(np.mean((predicted - observed) ** 2))),
            }
        )
    table = pd.DataFrame(rows)
    return table.groupby(["split", "model"], sort=False).mean().reset_index()
