"""How two sets of scores differ, without an assumption on their distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import ks_2samp, mannwhitneyu, norm, rankdata

from nkpredict.facts import DifferenceFacts
from nkpredict.types import FloatArray

ALL, WITHIN = "all samples", "within lineages"
FEWEST = 3
"""Samples that each cohort needs, over all and in a lineage; set by hand."""
_Z = float(norm.ppf(0.975))
_NEAR = 1e-9
_MOST_PAIRS = 4_000_000  # differences held in memory; beyond, quantiles stand for the samples


def difference(first: FloatArray, second: FloatArray, stratum: str = ALL) -> DifferenceFacts:
    """Compare two sets of scores.

    The p value is that of Mann and Whitney (exact for small sets without ties); the interval of
    the probability of superiority is method 5 of Newcombe, Statistics in Medicine 2006 (doi
    10.1002/sim.2324), which holds where the sets do not overlap; the shift is that of Hodges and
    Lehmann, Annals of Mathematical Statistics 1963 (doi 10.1214/aoms/1177704172).

    Parameters
    ----------
    first, second
        Scores of the cohorts.
    stratum
        What they are the scores of.
    """
    test = mannwhitneyu(first, second)
    superiority = float(test.statistic) / (len(first) * len(second))
    lower, upper = _superiority_interval(superiority, len(first), len(second))
    (low_a, middle_a, high_a), (low_b, middle_b, high_b) = (
        map(float, np.percentile(scores, (25, 50, 75))) for scores in (first, second)
    )
    shift, shift_lower, shift_upper = _shift(first, second)
    return DifferenceFacts(
        stratum=stratum,
        samples_a=len(first),
        samples_b=len(second),
        lower_quartile_a=low_a,
        median_a=middle_a,
        upper_quartile_a=high_a,
        lower_quartile_b=low_b,
        median_b=middle_b,
        upper_quartile_b=high_b,
        shift=shift,
        shift_lower=shift_lower,
        shift_upper=shift_upper,
        superiority=superiority,
        superiority_lower=lower,
        superiority_upper=upper,
        overlap=float(1 - ks_2samp(first, second, method="asymp").statistic),
        p=float(test.pvalue),
    )


def by_lineage(samples: pd.DataFrame) -> tuple[tuple[DifferenceFacts, ...], tuple[str, ...]]:
    """Compare two cohorts within lineages and in each of them.

    Within lineages by van Elteren's test (Bulletin of the International Statistical Institute
    1960): ranks are taken within lineages, which weigh by their sizes.

    Parameters
    ----------
    samples
        ``score``, ``first`` (whether of the first cohort) and ``lineage``.

    Returns
    -------
    tuple
        Within lineages first, then each lineage; names of lineages with fewer than 3 samples in
        one of the cohorts.
    """
    found, left_out = [], []
    statistic = variance = weights = weighted = spread = 0.0
    for lineage, own in samples.groupby("lineage", sort=True):
        score, inside = own["score"].to_numpy(dtype=float), own["first"].to_numpy(dtype=bool)
        n, m = int(inside.sum()), int((~inside).sum())
        if min(n, m) < FEWEST:
            left_out.append(str(lineage))
            continue
        one = difference(score[inside], score[~inside], str(lineage))
        found.append(one)
        weight = n * m / (n + m + 1)
        ranks = rankdata(score)
        statistic += (ranks[inside].sum() - n * (n + m + 1) / 2) / (n + m + 1)
        variance += n * m * ranks.var(ddof=1) / (n + m) / (n + m + 1) ** 2
        weights += weight
        weighted += weight * one.superiority
        half = (one.superiority_upper - one.superiority_lower) / (2 * _Z)
        spread += (weight * half) ** 2
    if not found:
        return (), tuple(left_out)
    superiority, half = weighted / weights, _Z * np.sqrt(spread) / weights
    p = 2 * norm.sf(abs(statistic) / np.sqrt(variance)) if variance > 0 else 1.0
    within = DifferenceFacts(
        stratum=WITHIN,
        samples_a=sum(one.samples_a for one in found),
        samples_b=sum(one.samples_b for one in found),
        superiority=superiority,
        superiority_lower=float(max(superiority - half, 0.0)),
        superiority_upper=float(min(superiority + half, 1.0)),
        p=float(p),
    )
    return (within, *found), tuple(left_out)


def _superiority_interval(found: float, n: int, m: int) -> tuple[float, float]:
    pairs, half = n * m, (n + m) / 2 - 1

    def away(true: float) -> float:
        spread = 1 + half * ((1 - true) / (2 - true) + true / (1 + true))
        return float((found - true) ** 2 - _Z**2 * true * (1 - true) * spread / pairs)

    # at 0 and 1 both sides vanish; the end that is sought lies beside
    lower = 0.0 if found == 0 else brentq(away, 0.0, min(found, 1 - _NEAR))
    upper = 1.0 if found == 1 else brentq(away, max(found, _NEAR), 1.0)
    return float(lower), float(upper)


def _shift(first: FloatArray, second: FloatArray) -> tuple[float, float, float]:
    """Hodges-Lehmann shift and its interval, from the differences of all pairs."""
    n, m = len(first), len(second)
    most = int(np.sqrt(_MOST_PAIRS))
    few = [
        scores if len(scores) <= most else np.quantile(scores, (np.arange(most) + 0.5) / most)
        for scores in (first, second)
    ]
    differences = np.sort(np.subtract.outer(*few).ravel())
    # rank of the ends among all n m differences, as a share
    end = max((n * m / 2 - _Z * np.sqrt(n * m * (n + m + 1) / 12)) / (n * m), 0.0)
    ends = np.quantile(differences, (end, 1 - end))
    return float(np.median(differences)), float(ends[0]), float(ends[1])
