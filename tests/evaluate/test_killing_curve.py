"""Errors of killing curves on samples that no part of the model has seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nkpredict import KillingCurveModel, NKSusceptibilityModel
from nkpredict.errors import InputError
from nkpredict.evaluate import curve_errors, curve_folds
from nkpredict.learn import EvidenceBoosting, EvidenceRidge

MODEL = KillingCurveModel(
    NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=15, models=1, selected_genes=40)], folds=3
    )
)


@pytest.fixture
def viability(lineage: pd.Series) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    susceptibility = lineage.map({"AML": 0.6, "BCL": 0.2, "MM": 0.4}) + rng.normal(0, 0.05, 60)
    killed = np.outer(susceptibility, [0, 0.6, 0.9, 1, 1.1]) + rng.normal(0, 0.04, (60, 5))
    ratios = ["0", "0.625", "1.25", "2.5", "5"]
    return pd.DataFrame(100 * (1 - killed), index=lineage.index, columns=ratios)


@pytest.mark.slow
def test_errors_are_those_of_samples_held_out(profiles, viability) -> None:
    viability.iloc[[3, 9], 2] = np.nan
    seen = []
    errors = curve_errors(
        MODEL, profiles, viability, folds=3, progress=lambda stage, *step: seen.append(step)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert list(errors["ratio"]) == [0.625, 1.25, 2.5, 5]
    assert list(errors["samples"]) == [60, 58, 60, 60]
    assert (errors["rmse"] < errors["rmse_mean_curve"]).all()
    numbered = viability.set_axis(viability.columns.astype(float), axis=1)
    ours, mean = [], []
    for fold in curve_folds(numbered, folds=3):
        fitted = clone(MODEL).fit(profiles.iloc[fold.train], viability.iloc[fold.train])
        test = numbered.iloc[fold.test]
        ours.append((fitted.predict_curve(profiles.iloc[fold.test]) - test) ** 2)
        mean.append((numbered.iloc[fold.train].mean() - test) ** 2)
    for name, parts in (("rmse", ours), ("rmse_mean_curve", mean)):
        expected = np.sqrt(pd.concat(parts).mean()).iloc[1:]
        np.testing.assert_allclose(errors[name], expected)


def test_a_ratio_measured_in_too_few_samples_is_told(profiles, viability) -> None:
    viability["2"] = np.nan
    viability.iloc[:5, -1] = 50.0
    with pytest.raises(InputError, match=r"1 E:T ratios \(2\) are measured in too few samples"):
        curve_errors(MODEL, profiles, viability)
