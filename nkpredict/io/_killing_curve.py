"""Killing curves: area under viability over effector:target ratio, and how far replicates agree."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from nkpredict.facts import ReplicateFacts, WeightFacts

# The ratios of the co-culture screen (Dufva et al. 2023, doi 10.1016/j.immuni.2023.11.008).
MAXIMUM_RATIO = 5.0
_FEWEST_RATIOS = 3
# Share of the spread between lines that a model is taken to leave unexplained, and the least share
# of the observed one; set by hand, see docs/decisions/033.
_UNEXPLAINED, _LEAST_SPREAD = 0.5, 0.1


def area_under_curve(curves: pd.DataFrame) -> pd.DataFrame:
    """Area under % viability over E:T 0 to 5, divided by 500.

    The trapezoid rule of the study: 1 = no killing, 0 = all dead, above 1 = growth. The control is
    100 % where its row is missing, because viability is normalised to it. A missing ratio between
    two others is bridged by the trapezoid; a missing highest ratio takes the value of the last one
    measured and is marked as extrapolated. Lines with fewer than three ratios, or none from 2.5
    up, get NaN.

    Parameters
    ----------
    curves
        Cell lines × E:T ratios, % viability, NaN where not measured.

    Returns
    -------
    pandas.DataFrame
        Indexed like ``curves``: ``viability_auc``, ``ratios_measured``, ``ratios_missing``,
        ``extrapolated``.
    """
    curves = curves.sort_index(axis=1)
    ratios = curves.columns.to_numpy(dtype=float)
    inside = ratios <= MAXIMUM_RATIO
    rows = []
    for values in curves.to_numpy(dtype=float):
        measured = inside & ~np.isnan(values)
        at, viability = ratios[measured], values[measured]
        if len(at) == 0 or at[0] > 0:
            at, viability = np.r_[0.0, at], np.r_[100.0, viability]
        enough = len(at) >= _FEWEST_RATIOS and at[-1] >= MAXIMUM_RATIO / 2
        extrapolated = bool(enough and at[-1] < MAXIMUM_RATIO)
        if extrapolated:
            at, viability = np.r_[at, MAXIMUM_RATIO], np.r_[viability, viability[-1]]
        area = float(np.trapezoid(viability, at)) / (100 * MAXIMUM_RATIO) if enough else np.nan
        rows.append(
            {
                "viability_auc": area,
                "ratios_measured": int(measured.sum()),
                "ratios_missing": int((inside & ~measured).sum()),
                "extrapolated": extrapolated,
            }
        )
    return pd.DataFrame(rows, index=curves.index)


def replicate_areas(curves: pd.DataFrame) -> pd.DataFrame:
    """Area of each line in each replicate.

    Parameters
    ----------
    curves
        Rows (ratio, replicate), one column a line, % viability.

    Returns
    -------
    pandas.DataFrame
        Lines × replicates.
    """
    return pd.DataFrame(
        {
            replicate: area_under_curve(part.droplevel("replicate").T)["viability_auc"]
            for replicate, part in curves.groupby(level="replicate")
        }
    )


def noise_ceiling(areas: pd.DataFrame) -> ReplicateFacts:
    """How well any prediction can correlate with the mean of the replicates.

    The mean Spearman correlation between replicates is stepped up to the reliability of their mean
    (Spearman-Brown); the ceiling is its square root (Spearman, Am J Psychol 1904, doi
    10.2307/1412159).

    Parameters
    ----------
    areas
        Lines × replicates.

    Returns
    -------
    ReplicateFacts
        Numbers are NaN with fewer than two replicates.
    """
    count = areas.shape[1]
    agreements = [
        areas[a].corr(areas[b], method="spearman") for a, b in combinations(areas.columns, 2)
    ]
    agreement = float(np.nanmean(agreements)) if agreements else float("nan")
    reliability = count * agreement / (1 + (count - 1) * agreement) if agreements else float("nan")
    return ReplicateFacts(
        replicates=count,
        replicate_spearman=agreement,
        reliability_of_mean=reliability,
        spearman_ceiling=float(np.sqrt(max(reliability, 0))) if agreements else float("nan"),
    )


def measurement_weights(
    table: pd.DataFrame, areas: pd.DataFrame
) -> tuple[pd.Series, WeightFacts] | None:
    """Weigh lines by how precisely their area is known.

    The error of a line is the variance of one replicate's area, pooled over all lines, divided by
    the line's replicates, and larger by as much as ratios are missing. A line counts by the
    inverse of this error and of what a model leaves unexplained of the spread between lines, so
    that many replicates of a line do not make up for few lines; see docs/decisions/033.

    Parameters
    ----------
    table
        By line: ``susceptibility``, ``ratios_measured`` and ``ratios_missing``.
    areas
        Lines × replicates, NaN where not measured, as `replicate_areas` returns it and under the
        same names; a line without any counts like one measured once.

    Returns
    -------
    tuple or None
        Weights by line, 1 in the mean, and what they rest on; None where no line has two
        replicates, or all weights are the same.
    """
    areas = areas.reindex(table.index)
    count = areas.notna().sum(axis=1)
    freedom = int((count - 1).clip(lower=0).sum())
    if not freedom:
        return None
    deviations = areas.sub(areas.mean(axis=1), axis=0).to_numpy()
    variance = float(np.nansum(deviations**2)) / freedom
    complete = (table["ratios_measured"] + table["ratios_missing"]) / table["ratios_measured"]
    error = variance / count.clip(lower=1) * complete
    observed = float(table["susceptibility"].var(ddof=0))
    spread = max(observed - float(error.mean()), _LEAST_SPREAD * observed)
    if variance == 0 or spread == 0 or np.ptp(error) == 0:
        return None
    weights = 1 / (_UNEXPLAINED * spread + error)
    weights /= weights.mean()
    return weights, WeightFacts(
        replicate_sd=float(np.sqrt(variance)),
        least=float(weights.min()),
        most=float(weights.max()),
        lines_without_replicates=tuple(str(name) for name in table.index[count == 0]),
    )
