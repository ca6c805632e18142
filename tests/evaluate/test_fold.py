"""Any scikit-learn regressor is evaluated, and is given what it takes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nkpredict import learning_curve, nested_cross_validate
from nkpredict.errors import InputError
from nkpredict.evaluate import Samples, Tuning, fit_predict, make_folds
from nkpredict.evaluate._fold import without_gaps

REGRESSORS = {
    "Ridge": Ridge(10.0),
    "Pipeline": make_pipeline(StandardScaler(), Ridge(30.0)),
    "RandomForestRegressor": RandomForestRegressor(5, random_state=0),
}


class Witness(RegressorMixin, BaseEstimator):
    """Notes the groups it is given."""

    seen: ClassVar[list[set[str] | None]] = []

    def __init__(self, within_groups: bool = False) -> None:
        self.within_groups = within_groups

    def fit(self, X, y, groups=None):
        Witness.seen.append(None if groups is None else set(groups))
        return self

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.slow
@pytest.mark.parametrize("name", REGRESSORS)
def test_any_regressor_is_evaluated_on_both_splits(
    name: str, profiles, susceptibility, lineage
) -> None:
    profiles.iloc[3, 5] = np.nan
    result = nested_cross_validate(REGRESSORS[name], profiles, susceptibility, lineage)
    assert list(result.table().index) == [name, "mean", "lineage mean", "best single gene"]
    assert list(result.settings.columns) == ["split", "repeat", "fold"]
    assert result.interval_coverage().empty
    ours = result.predictions[result.predictions["model"] == name]
    for _, part in ours.groupby("split"):
        assert sorted(part["sample"]) == sorted(profiles.index)
    held_out = ours[ours["split"] == "lineage-held-out"]
    groups = held_out.groupby("fold")["lineage"].unique()
    assert [list(labels) for labels in groups] == [["AML"], ["BCL"], ["MM"]]


@pytest.mark.parametrize("name", ["Ridge", "Pipeline"])
def test_predictions_are_those_of_the_regressor_on_the_other_lineages(
    name: str, profiles, susceptibility, lineage
) -> None:
    model = REGRESSORS[name]
    result = nested_cross_validate(
        model, profiles, susceptibility, lineage, splits=["lineage-held-out"]
    )
    ours = result.predictions.query("model == @name").set_index("sample")["predicted"]
    for label in ("AML", "BCL", "MM"):
        test = lineage == label
        expected = model.fit(profiles[~test], susceptibility[~test]).predict(profiles[test])
        np.testing.assert_allclose(ours[profiles.index[test]], expected)
    curve = learning_curve(
        model, profiles, susceptibility, lineage, sizes=[20, 40], split="lineage-held-out"
    )
    assert np.isfinite(curve.to_numpy()).all()


def test_groups_are_given_to_models_that_take_them_where_lineages_are_held_out(
    profiles, susceptibility, lineage
) -> None:
    samples = Samples(profiles, susceptibility.to_numpy(), lineage.to_numpy(dtype=object))

    def seen(model: Witness, split: str) -> list[set[str] | None]:
        Witness.seen.clear()
        for fold in make_folds(split, 60, samples.lineage, folds=2):
            fit_predict(model, samples, fold)
        return list(Witness.seen)

    everywhere = {"AML", "BCL", "MM"}
    assert seen(Witness(), "random") == [None, None]
    assert seen(Witness(within_groups=True), "random") == [everywhere, everywhere]
    assert seen(Witness(), "lineage-held-out") == [everywhere - {s} for s in sorted(everywhere)]


def test_a_regressor_without_inner_folds_is_not_tuned(profiles, susceptibility) -> None:
    tuning = Tuning({"alpha": {"type": "float", "low": 1, "high": 9}}, trials=2)
    with pytest.raises(InputError, match=r"Settings of Ridge cannot be tuned.*GridSearchCV"):
        nested_cross_validate(Ridge(), profiles, susceptibility, tuning=tuning)


def test_missing_values_are_filled_from_the_training_samples() -> None:
    train = pd.DataFrame({"A": [1.0, 3.0, np.nan], "B": [np.nan] * 3})
    test = pd.DataFrame({"A": [np.nan, 9.0], "B": [1.0, np.nan]})
    filled, other = without_gaps(train, test)
    assert filled["A"].tolist() == [1, 3, 2]
    assert other.to_numpy().tolist() == [[2, 1], [9, 0]]
