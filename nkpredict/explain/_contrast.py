"""Two groups of samples compared gene by gene, with permutation p values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control

from nkpredict.threads import one_thread

# Set by hand.
_BLOCK = 500  # permutations held in memory at a time
_TIE = 1e-12  # sums of the same numbers in another order differ by rounding alone


def contrast_groups(
    contributions: pd.DataFrame,
    first: npt.NDArray[np.bool_],
    second: npt.NDArray[np.bool_],
    permutations: int,
    random_state: int,
) -> pd.DataFrame:
    """Compare the mean contributions of two groups; see `Explanation.contrast`.

    Parameters
    ----------
    contributions
        Samples × genes.
    first, second
        Members of the two groups, shape (n_samples,); no sample is in both.
    permutations, random_state
        How often, and from which seed, samples are dealt out at random.

    Returns
    -------
    pandas.DataFrame
        Columns ``gene, mean_a, mean_b, difference, p, fdr``, the largest |difference| first.
    """
    values = contributions.to_numpy()[first | second]
    inside = first[first | second]
    mean_a, mean_b = values[inside].mean(axis=0), values[~inside].mean(axis=0)
    acting = (values != 0).any(axis=0)
    p, fdr = np.ones(len(acting)), np.ones(len(acting))
    if acting.any():
        rng = np.random.default_rng(random_state)
        p[acting] = _permutation_p(values[:, acting], inside, permutations, rng)
        fdr[acting] = false_discovery_control(p[acting])
    table = pd.DataFrame(
        {
            "gene": contributions.columns,
            "mean_a": mean_a,
            "mean_b": mean_b,
            "difference": mean_a - mean_b,
            "p": p,
            "fdr": fdr,
        }
    )
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _permutation_p(
    values: npt.NDArray[np.float64],
    inside: npt.NDArray[np.bool_],
    permutations: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Two-sided p of the difference of means; the observed labels count as one permutation."""
    weight = np.where(inside, 1 / inside.sum(), -1 / (~inside).sum())
    observed = np.abs(weight @ values)
    limit = observed - _TIE * (1 + np.abs(values).max(axis=0))
    count = np.ones(values.shape[1])
    with one_thread():
        for start in range(0, permutations, _BLOCK):
            rows = min(_BLOCK, permutations - start)
            dealt = rng.permuted(np.tile(weight, (rows, 1)), axis=1)
            count += (np.abs(dealt @ values) >= limit).sum(axis=0)
    p: npt.NDArray[np.float64] = count / (permutations + 1)
    return p
