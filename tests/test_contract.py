"""One contract for every public estimator: scikit-learn's checks, and what they do not see."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from nkpredict import CalibratedModel, KillingCurveModel, NKSusceptibilityModel, ScreenPrior
from nkpredict.errors import InputError
from nkpredict.evaluate import naive_baselines
from nkpredict.explain import explain, knockout
from nkpredict.features import ProfileHarmoniser
from nkpredict.learn import (
    LEARNERS,
    AxisScore,
    EvidenceBoosting,
    EvidenceRidge,
    GeneLearner,
    ProfileNovelty,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning"),
    pytest.mark.filterwarnings("ignore::nkpredict.learn.NoSplitWarning"),
    # scikit-learn tells of a check that is skipped or expected to fail by a warning
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.EstimatorCheckFailedWarning"),
]

SMALL = [EvidenceRidge(), EvidenceBoosting(trees=5, models=1, selected_genes=40)]
BASELINES = list(naive_baselines().values())
LIGHT: list[BaseEstimator] = [
    *(learner() for learner in LEARNERS),
    AxisScore(),
    NKSusceptibilityModel(folds=3),
    ProfileHarmoniser(),
    ProfileNovelty(),
    *BASELINES,
]
HEAVY: list[BaseEstimator] = [
    NKSusceptibilityModel(learners=SMALL, folds=3),
    ScreenPrior(),
    KillingCurveModel(NKSusceptibilityModel(learners=SMALL, folds=3)),
]
TEXT = "what is no number is told in words of genes and samples, as every other wrong input"
REPEATS = "the inner folds and the leave-one-out error see a sample given twice as two samples"
FEW = "the check has fewer than the 20 samples that can be split into training and test"
CURVES = "a whole curve is learned, a table by E:T ratio, which the check cannot give"
# estimator → check → why it must fail; a check that passes all the same turns the test red
EXPECTED: dict[str, dict[str, str]] = {
    "EvidenceRidge": {"check_sample_weight_equivalence_on_dense_data": REPEATS},
    "EvidenceBoosting": {"check_sample_weight_equivalence_on_dense_data": REPEATS},
    "NKSusceptibilityModel": dict.fromkeys(
        (
            "check_n_features_in_after_fitting",
            "check_sample_weights_pandas_series",
            "check_sample_weights_not_an_array",
            "check_sample_weights_shape",
            "check_sample_weights_not_overwritten",
            "check_sample_weight_equivalence_on_dense_data",
            "check_regressors_no_decision_function",
            "check_fit2d_1feature",
        ),
        FEW,
    ),
    "ScreenPrior": {
        "check_estimators_pickle": "each of its 3 genes lacks a value in some reference profile"
    },
    "KillingCurveModel": dict.fromkeys(
        (
            "check_fit_score_takes_y",
            "check_estimators_overwrite_params",
            "check_dont_overwrite_parameters",
            "check_estimators_fit_returns_self",
            "check_readonly_memmap_input",
            "check_n_features_in_after_fitting",
            "check_positive_only_tag_during_fit",
            "check_estimators_dtypes",
            "check_pipeline_consistency",
            "check_estimators_nan_inf",
            "check_estimators_pickle",
            "check_f_contiguous_array_estimator",
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
            "check_fit2d_1sample",
            "check_fit2d_1feature",
            "check_dict_unchanged",
            "check_fit_idempotent",
            "check_fit_check_is_fitted",
            "check_n_features_in",
            "check_fit2d_predict1d",
        ),
        CURVES,
    ),
}


def expected_failures(estimator: BaseEstimator) -> dict[str, str]:
    own = EXPECTED.get(type(estimator).__name__, {})
    return own if estimator in BASELINES else {"check_dtype_object": TEXT, **own}


@parametrize_with_checks(LIGHT, expected_failed_checks=expected_failures)
def test_scikit_learn_accepts(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(HEAVY, expected_failed_checks=expected_failures)
def test_scikit_learn_accepts_what_takes_longer(
    estimator: Any, check: Callable[[Any], None]
) -> None:
    check(estimator)


def test_only_what_predicts_a_measured_response_is_a_regressor() -> None:
    estimators = [*LIGHT[: -len(BASELINES)], *HEAVY]
    regressors = {type(one).__name__ for one in estimators if is_regressor(one)}
    assert regressors == {kind.__name__ for kind in LEARNERS} | {"NKSusceptibilityModel"}
    # it calibrates a fitted model, which the checks above cannot give
    assert is_regressor(CalibratedModel())


ASKED: dict[str, Callable[[Any, pd.DataFrame], object]] = {
    "predict": lambda model, X: model.predict(X),
    "contributions": lambda model, X: model.contributions(X),
    "substituted": lambda model, X: model.substituted(X, np.zeros(X.shape[1])),
    "predict_interval": lambda model, X: model.predict_interval(X),
    "novelty": lambda model, X: model.novelty(X),
    "harmonised": lambda model, X: model.harmonised(X),
    "weight_coverage": lambda model, X: model.weight_coverage(X),
    "percentile": lambda model, X: model.percentile(np.zeros(1)),
    "knockout": knockout,
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    "model",
    [NKSusceptibilityModel(), ScreenPrior(), CalibratedModel()],
    ids=["model", "prior", "calibrated"],
)
def test_an_unfitted_model_says_so(model, asked, profiles) -> None:
    with pytest.raises(NotFittedError):
        ASKED[asked](model, profiles)


@pytest.mark.parametrize("asked", ["predict", "predict_curve", "predict_area"])
def test_an_unfitted_killing_curve_says_so(asked, profiles) -> None:
    with pytest.raises(NotFittedError):
        getattr(KillingCurveModel(), asked)(profiles)


@pytest.fixture(scope="module")
def flagship() -> NKSusceptibilityModel:
    return NKSusceptibilityModel(learners=SMALL, folds=3)


def test_asking_a_model_changes_nothing_in_it(flagship, profiles, susceptibility) -> None:
    model = clone(flagship).fit(profiles, susceptibility)
    calibrated = CalibratedModel(model).fit(profiles[:20], 3 * susceptibility[:20])
    for one in (model, calibrated):
        before = pickle.dumps(one)
        for ask in ASKED.values():
            ask(one, profiles)
        assert pickle.dumps(one) == before


def test_a_learner_must_say_how_it_predicts_and_splits() -> None:
    class Half(GeneLearner):
        name = "half"

        def predict(self, X):
            return np.zeros(len(X))

    with pytest.raises(TypeError, match="abstract"):
        Half()


@pytest.mark.slow
def test_the_flagship_works_in_scikit_learns_tools(
    flagship, profiles, susceptibility, lineage
) -> None:
    copy = clone(flagship)
    assert copy.get_params(deep=False).keys() == flagship.get_params(deep=False).keys()
    expected = copy.fit(profiles, susceptibility).predict(profiles)
    identity = FunctionTransformer(feature_names_out="one-to-one")
    piped = make_pipeline(identity, clone(flagship)).fit(profiles, susceptibility)
    np.testing.assert_array_equal(piped.predict(profiles), expected)
    search = GridSearchCV(
        flagship, {"boosting__trees": [3, 5], "ridge__powers": [(), (2.0,)]}, cv=KFold(3)
    ).fit(profiles, susceptibility)
    assert search.best_params_["boosting__trees"] in (3, 5)
    assert search.best_estimator_.get_params()["ridge__powers"] in ((), (2.0,))


@pytest.mark.slow
def test_groups_reach_the_flagship_by_metadata_routing(
    flagship, profiles, susceptibility, lineage
) -> None:
    groups = lineage.to_numpy()
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(flagship).set_fit_request(groups=True)
        predicted = {
            jobs: cross_val_predict(
                routed,
                profiles,
                susceptibility,
                cv=GroupKFold(3),
                params={"groups": groups},
                n_jobs=jobs,
            )
            for jobs in (1, 2)
        }
    np.testing.assert_array_equal(predicted[1], predicted[2])
    train = groups != "AML"
    by_hand = clone(flagship).fit(profiles[train], susceptibility[train], groups=groups[train])
    np.testing.assert_array_equal(predicted[1][~train], by_hand.predict(profiles[~train]))


def test_prepared_profiles_keep_the_names_of_samples_and_genes(
    flagship, profiles, susceptibility, lineage
) -> None:
    model = clone(flagship).fit(profiles, susceptibility)
    prepared = model.prepare(profiles)
    shuffled = lineage.sample(frac=1, random_state=0)
    expected = explain(model, profiles, lineage).groups
    pd.testing.assert_series_equal(explain(model, prepared, shuffled).groups, expected)
    renamed = profiles.rename(columns={profiles.columns[0]: "ZZZ"})
    with pytest.raises(InputError, match="prepared for a model of 120 other genes"):
        clone(flagship).fit(renamed, susceptibility).predict(prepared)
