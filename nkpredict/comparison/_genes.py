"""Genes that make the difference between two cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, ttest_1samp, ttest_ind

from nkpredict.types import FloatArray

_LEVEL = 0.95


def gene_differences(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Compare the mean contributions of genes in two cohorts.

    Parameters
    ----------
    first, second
        Samples × genes. With an empty second table the first is compared with the average profile
        that the model was made from, whose parts are 0.

    Returns
    -------
    pandas.DataFrame
        One row a gene that contributes to any sample, the largest |difference| first: ``gene,
        mean_a, mean_b, difference`` (these add up to the difference of the mean scores), ``lower,
        upper`` (95 %), two-sided ``p`` (Welch, Biometrika 1947, doi 10.1093/biomet/34.1-2.28) and
        ``fdr`` (Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x).
    """
    values, others = first.to_numpy(), None if second.empty else second[first.columns].to_numpy()
    acting = (values != 0).any(axis=0)
    if others is not None:
        acting |= (others != 0).any(axis=0)
    mean_a = values[:, acting].mean(axis=0)
    mean_b = np.zeros_like(mean_a) if others is None else others[:, acting].mean(axis=0)
    lower, upper, p = _tested(values[:, acting], None if others is None else others[:, acting])
    table = pd.DataFrame(
        {
            "gene": first.columns[acting],
            "mean_a": mean_a,
            "mean_b": mean_b,
            "difference": mean_a - mean_b,
            "lower": lower,
            "upper": upper,
            "p": p,
            "fdr": false_discovery_control(p) if len(p) else p,
        }
    )
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _tested(
    values: FloatArray, others: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Interval of the difference of the means, and p; a gene without any spread has p 1 or 0."""
    spread = values.var(axis=0) if others is None else values.var(axis=0) + others.var(axis=0)
    mean = values.mean(axis=0) - (0 if others is None else others.mean(axis=0))
    lower, upper, p = mean.copy(), mean.copy(), np.where(mean == 0, 1.0, 0.0)
    varies = spread > 0
    if varies.any():
        test = (
            ttest_1samp(values[:, varies], 0.0)
            if others is None
            else ttest_ind(values[:, varies], others[:, varies], equal_var=False)
        )
        interval = test.confidence_interval(_LEVEL)
        lower[varies], upper[varies], p[varies] = interval.low, interval.high, test.pvalue
    return lower, upper, p
