"""One contract for every estimator."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.learn import (
    ChanceSkillWarning,
    EvidenceBoosting,
    EvidenceRidge,
    NKSusceptibilityModel,
    NoSplitWarning,
)

ESTIMATORS = [
    EvidenceRidge(),
    EvidenceBoosting(trees=30, selected_genes=40),
    NKSusceptibilityModel(
        learners=[EvidenceRidge(), EvidenceBoosting(trees=30, selected_genes=40)]
    ),
]


@pytest.fixture(params=ESTIMATORS, ids=lambda e: type(e).__name__)
def estimator(request: pytest.FixtureRequest):
    return clone(request.param)


@pytest.mark.filterwarnings("ignore::nkpredict.learn.ChanceSkillWarning")
def test_predictions_follow_a_signal(estimator, profiles, susceptibility) -> None:
    test = np.arange(0, 60, 3)
    train = np.setdiff1d(np.arange(60), test)
    fitted = estimator.fit(profiles.iloc[train], susceptibility.iloc[train])
    predicted = fitted.predict(profiles.iloc[test])
    assert predicted.shape == (20,)
    assert np.corrcoef(predicted, susceptibility.iloc[test])[0, 1] > 0.3


@pytest.mark.slow
def test_genes_are_matched_by_name_at_fit_and_predict(estimator, profiles, susceptibility) -> None:
    expected = clone(estimator).fit(profiles, susceptibility).predict(profiles)
    turned = profiles[profiles.columns[::-1]]
    fitted = clone(estimator).fit(profiles, susceptibility)
    np.testing.assert_array_equal(fitted.predict(turned), expected)
    extra = profiles.assign(EXTRA=1.0)
    np.testing.assert_array_equal(fitted.predict(extra), expected)
    refitted = clone(estimator).fit(turned, susceptibility).predict(profiles)
    np.testing.assert_allclose(refitted, expected, atol=1e-9)


def test_anndata_and_dataframe_are_alike(estimator, profiles, susceptibility) -> None:
    adata = anndata.AnnData(profiles)
    adata.obs["susceptibility"] = susceptibility
    from_adata = clone(estimator).fit(adata, "susceptibility").predict(adata)
    from_frame = clone(estimator).fit(profiles, susceptibility).predict(profiles)
    np.testing.assert_array_equal(from_adata, from_frame)


def test_responses_are_matched_by_sample_name(estimator, profiles, susceptibility) -> None:
    shuffled = susceptibility.sample(frac=1, random_state=3)
    np.testing.assert_array_equal(
        clone(estimator).fit(profiles, shuffled).predict(profiles),
        clone(estimator).fit(profiles, susceptibility).predict(profiles),
    )
    with pytest.raises(InputError, match="2 samples have no response"):
        estimator.fit(profiles, susceptibility.rename(index={"S00": "a", "S01": "b"}))


def test_a_sample_does_not_depend_on_its_company(estimator, profiles, susceptibility) -> None:
    fitted = estimator.fit(profiles, susceptibility)
    together = fitted.predict(profiles)
    alone = np.concatenate([fitted.predict(profiles.iloc[[i]]) for i in range(len(profiles))])
    np.testing.assert_array_equal(together, alone)


def test_contributions_add_up_to_the_prediction(estimator, profiles, susceptibility) -> None:
    fitted = estimator.fit(profiles, susceptibility)
    parts, base = fitted.contributions(profiles)
    assert parts.shape == profiles.shape
    np.testing.assert_allclose(
        np.asarray(parts).sum(axis=1) + base, fitted.predict(profiles), atol=1e-9
    )


def test_same_seed_same_bytes(estimator, profiles, susceptibility) -> None:
    first = clone(estimator).fit(profiles, susceptibility).predict(profiles)
    second = clone(estimator).fit(profiles, susceptibility).predict(profiles)
    assert first.tobytes() == second.tobytes()


def test_missing_genes_and_values_count_as_average(estimator, profiles, susceptibility) -> None:
    fitted = estimator.fit(profiles, susceptibility)
    fewer = profiles.drop(columns=profiles.columns[:50])
    assert np.isfinite(fitted.predict(fewer)).all()
    holes = profiles.mask(np.random.default_rng(0).random(profiles.shape) < 0.1)
    assert np.isfinite(clone(estimator).fit(holes, susceptibility).predict(holes)).all()


def test_unusable_input_is_refused_in_words(estimator, profiles, susceptibility) -> None:
    fitted = clone(estimator).fit(profiles, susceptibility)
    with pytest.raises(InputError, match="None of the 120 genes given"):
        fitted.predict(profiles.add_prefix("x"))
    with pytest.raises(InputError, match="1 of 60 response values are NaN"):
        clone(estimator).fit(profiles, susceptibility.mask(susceptibility.index == "S07"))
    with pytest.raises(InputError, match="Found 59 response values for 60 samples"):
        clone(estimator).fit(profiles, susceptibility.to_numpy()[:-1])
    twice = pd.concat([profiles, profiles.iloc[:, :1]], axis=1)
    with pytest.raises(InputError, match="occur more than once"):
        clone(estimator).fit(twice, susceptibility)
    with pytest.raises(InputError, match="infinite"):
        clone(estimator).fit(profiles.replace(profiles.iloc[0, 0], np.inf), susceptibility)


def test_sample_weights_matter(estimator, profiles, susceptibility) -> None:
    weights = np.where(np.arange(60) < 30, 1.0, 0.05)
    plain = clone(estimator).fit(profiles, susceptibility).predict(profiles)
    weighted = clone(estimator).fit(profiles, susceptibility, sample_weight=weights)
    assert not np.allclose(weighted.predict(profiles), plain)


def test_weights_by_name_are_those_of_every_fit_without_its_own(profiles, susceptibility) -> None:
    weights = pd.Series(np.where(np.arange(60) < 30, 1.0, 0.05), profiles.index)
    model = NKSusceptibilityModel(precision=weights[::-1])
    given = NKSusceptibilityModel().fit(profiles, susceptibility, sample_weight=weights)
    by_name = clone(model).fit(profiles, susceptibility)
    np.testing.assert_array_equal(by_name.predict(profiles), given.predict(profiles))
    some = profiles.index[:40]
    few = profiles.loc[some], susceptibility[some]
    of_few = NKSusceptibilityModel().fit(*few, sample_weight=weights[some])
    np.testing.assert_array_equal(clone(model).fit(*few).effect_, of_few.effect_)
    with pytest.raises(InputError, match="20 of 60 sample weight values are NaN"):
        NKSusceptibilityModel(precision=weights[some]).fit(profiles, susceptibility)


def test_trees_without_a_split_are_told(profiles) -> None:
    constant = pd.DataFrame(1.0, index=profiles.index, columns=profiles.columns)
    rng = np.random.default_rng(0)
    with pytest.warns(NoSplitWarning, match="no split in 60 samples"):
        fitted = EvidenceBoosting(trees=5).fit(constant, rng.normal(size=60))
    assert np.ptp(fitted.predict(constant)) == 0


def test_small_studies_still_split(profiles, susceptibility) -> None:
    fitted = EvidenceBoosting(trees=10, min_samples_leaf=40).fit(
        profiles.iloc[:24], susceptibility.iloc[:24]
    )
    assert fitted.min_samples_leaf_ <= 8
    assert np.ptp(fitted.predict(profiles)) > 0


def test_the_model_warns_when_skill_is_chance(profiles) -> None:
    noise = np.random.default_rng(5).normal(size=60)
    with pytest.warns(ChanceSkillWarning, match="no better than chance"):
        model = NKSusceptibilityModel().fit(profiles, noise)
    assert model.skill_["p"] > 0.05


def test_the_model_needs_twenty_samples_and_a_varying_response(profiles, susceptibility) -> None:
    with pytest.raises(InputError, match=r"Found 5 samples .* expected 20 at least"):
        NKSusceptibilityModel().fit(profiles.iloc[:5], susceptibility.iloc[:5])
    with pytest.raises(InputError, match="same for all samples"):
        NKSusceptibilityModel().fit(profiles, np.ones(60))
    empty = profiles.assign(**{profiles.columns[0]: np.nan})
    with pytest.raises(InputError, match="1 genes have no value"):
        NKSusceptibilityModel().fit(empty, susceptibility)
