"""The three classic analyses of times to an event, as statsmodels computes them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.types import BoolArray, FloatArray, LabelArray

_NOTHING = float("nan")
# A hazard ratio beyond e to this, per standard deviation, means that the events separate the
# scores perfectly and the likelihood has no maximum; set by hand.
_LARGEST_LOG_RATIO = 10.0


class HazardRatio(NamedTuple):
    """A ratio of hazards with its 95 % interval and its two-sided p by Wald's test."""

    ratio: float
    lower: float
    upper: float
    p: float


def hazard_ratio(
    values: FloatArray, time: FloatArray, event: BoolArray, strata: LabelArray | None = None
) -> HazardRatio:
    """Fit Cox's model with one covariate, ties by Efron; NaN when it cannot be fitted.

    Parameters
    ----------
    values
        One number a sample.
    time, event
        Time of each sample, and whether its event happened then.
    strata
        Label of each sample; each stratum has a baseline hazard of its own.
    """
    unknown = HazardRatio(_NOTHING, _NOTHING, _NOTHING, _NOTHING)
    if np.ptp(values) == 0:
        return unknown
    regression = _statsmodels("hazard_regression")
    model = regression.PHReg(
        time,
        values[:, None],
        status=event.astype(int),
        ties="efron",
        strata=None if strata is None else np.unique(strata, return_inverse=True)[1],
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what does not converge is seen below
        try:
            fitted = model.fit(disp=False)
        except np.linalg.LinAlgError:
            return unknown
        coefficient, error, p = fitted.params[0], fitted.bse[0], fitted.pvalues[0]
        bounds = fitted.conf_int(alpha=0.05)[0]
    if not np.isfinite([coefficient, error]).all() or abs(coefficient) > _LARGEST_LOG_RATIO:
        return unknown
    ratio, lower, upper = (float(np.exp(part)) for part in (coefficient, *bounds))
    return HazardRatio(ratio, lower, upper, float(p))


def log_rank_p(
    groups: LabelArray, time: FloatArray, event: BoolArray, strata: LabelArray | None = None
) -> float:
    """Return p of the log-rank test of equal hazards, within strata where given.

    NaN with fewer than two groups, or where no stratum holds members of two of them at risk.
    """
    if len(np.unique(groups)) < 2:
        return _NOTHING
    survival = _statsmodels("survfunc")
    try:
        _, p = survival.survdiff(time, event.astype(int), groups, strata=strata)
    except np.linalg.LinAlgError:
        return _NOTHING
    return float(p)


def kaplan_meier(
    groups: LabelArray, time: FloatArray, event: BoolArray, order: Sequence[str]
) -> pd.DataFrame:
    """Estimate the share without an event over time in each group.

    Returns
    -------
    pandas.DataFrame
        Columns ``group, time, at_risk, events, without_event, lower, upper``: one row for time 0
        and each later time of a sample of the group; ``lower`` and ``upper`` are the 95 % interval
        on the scale of log(−log), NaN where it has none.
    """
    survival = _statsmodels("survfunc")
    parts = []
    for group in order:
        members = groups == group
        times, happened = time[members], event[members]
        estimate = survival.SurvfuncRight(times, happened.astype(int))
        moments = np.unique(np.concatenate([[0.0], times]))
        place = np.searchsorted(estimate.surv_times, moments, side="right")
        share = np.concatenate([[1.0], estimate.surv_prob])[place]
        error = np.concatenate([[0.0], estimate.surv_prob_se])[place]
        parts.append(
            pd.DataFrame(
                {
                    "group": group,
                    "time": moments,
                    "at_risk": [int((times >= moment).sum()) for moment in moments],
                    "events": [int((happened & (times == moment)).sum()) for moment in moments],
                    "without_event": share,
                    **_interval(share, error),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _interval(share: FloatArray, error: FloatArray) -> dict[str, FloatArray]:
    # Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, section 1.4: on
    # this scale the interval stays between 0 and 1.
    with np.errstate(all="ignore"):
        width = 1.959964 * error / np.abs(share * np.log(share))
        ends = {
            "lower": share ** np.exp(width),
            "upper": share ** np.exp(-width),
        }
    return {name: np.where((share > 0) & (share < 1), end, np.nan) for name, end in ends.items()}


def _statsmodels(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"statsmodels.duration.{module}")
    except ModuleNotFoundError as error:
        raise InputError(
            "An outcome is analysed with statsmodels, which is not installed; "
            "pip install 'nkpredict[outcome]' adds it."
        ) from error
