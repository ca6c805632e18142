"""What the page needs for the predicted killing curves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from nkpredict.figures import Scored, optional
from nkpredict.report._facts import Fact
from nkpredict.report._formats import decimal
from nkpredict.report._layout import Scale
from nkpredict.types import FloatArray

# Of the samples: the outer band, the inner band and the line between them.
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class CurveRow(NamedTuple):
    """One E:T ratio: quantiles of the cohort in % viability, and errors on samples held out.

    The errors are NaN where none is on record.
    """

    ratio: float
    quantiles: list[float]
    error: float
    error_of_mean: float


class KillingCurves(NamedTuple):
    """The curves of a cohort: scales across and down the figure, bands and line as SVG points."""

    rows: list[CurveRow]
    samples: int
    across: Scale
    down: Scale
    bands: list[str]
    line: str
    with_errors: bool
    without_their_area: int


def killing_curves(scores: Scored) -> KillingCurves | None:
    """Return quantiles of the curves over the cohort; None when no curve was predicted."""
    viability = optional(scores, "viability")
    if viability.empty:
        return None
    ratios = viability.columns.to_numpy(dtype=float)
    across = Scale(ratios[0], ratios[-1], tuple(ratios), left=8.0, right=97.0)
    # the highest viability is on top
    down = Scale(0.0, 100.0, (0.0, 25.0, 50.0, 75.0, 100.0), left=84.0, right=8.0)
    quantiles = np.quantile(viability.to_numpy(), _QUANTILES, axis=0)
    edges = [_points(ratios, values, across, down) for values in quantiles]
    errors = _errors(scores, ratios)
    facts = scores.provenance.viability
    return KillingCurves(
        [
            CurveRow(float(ratio), values.tolist(), *map(float, known))
            for ratio, values, known in zip(ratios, quantiles.T, errors, strict=True)
        ],
        len(viability),
        across,
        down,
        # round the band: along its lower edge and back along its upper one
        [" ".join([*edges[low], *edges[-1 - low][::-1]]) for low in (0, 1)],
        " ".join(edges[2]),
        bool(np.isfinite(errors).any()),
        0 if facts is None else facts.samples_without_a_curve_of_their_area,
    )


def curve_facts(scores: Scored) -> dict[str, list[Fact]]:
    """Return the predicted viability of each sample, one fact a ratio above 0."""
    viability = optional(scores, "viability")
    ratios = viability.columns.to_numpy(dtype=float)
    return {
        str(name): [
            Fact(f"Viability at E:T {ratio:g}", f"{decimal(value, 0)} %")
            for ratio, value in zip(ratios, values, strict=True)
            if ratio > 0
        ]
        for name, values in zip(viability.index, viability.to_numpy(), strict=True)
    }


def _points(ratios: FloatArray, values: FloatArray, across: Scale, down: Scale) -> list[str]:
    return [f"{across.at(r)},{down.at(v)}" for r, v in zip(ratios, values, strict=True)]


def _errors(scores: Scored, ratios: FloatArray) -> FloatArray:
    curves = scores.provenance.model.curves
    if curves is None:
        return np.full((len(ratios), 2), np.nan)
    columns = {"rmse": curves.errors.rmse, "mean": curves.errors.rmse_mean_curve}
    return pd.DataFrame(columns, index=curves.errors.ratio).reindex(ratios).to_numpy(float)
