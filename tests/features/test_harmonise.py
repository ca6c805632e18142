"""Each profile is brought to the distribution of the training profiles by its ranks alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.features import ProfileHarmoniser, RankedProfiles


@pytest.fixture(scope="module")
def training() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(5, 1, (40, 60)) + rng.normal(0, 2, 60)


@pytest.fixture(scope="module")
def fitted(training: np.ndarray) -> ProfileHarmoniser:
    return ProfileHarmoniser().fit(training)


def test_harmonised_training_profiles_keep_the_level_of_their_genes(training, fitted) -> None:
    found = fitted.transform(training)
    assert np.corrcoef(found.mean(axis=0), training.mean(axis=0))[0, 1] > 0.99
    np.testing.assert_allclose(np.sort(found, axis=1), np.sort(found, axis=1)[:1].repeat(40, 0))
    assert found.min() >= training.min() - 1
    assert found.max() <= training.max() + 1


@settings(max_examples=25)
@given(st.floats(0.1, 20), st.floats(-50, 50), st.sampled_from(["line", "cube", "exp"]))
def test_stretching_a_profile_changes_nothing(scale: float, shift: float, kind: str) -> None:
    rng = np.random.default_rng(1)
    fitted = ProfileHarmoniser().fit(rng.normal(5, 1, (20, 30)))
    profile = rng.normal(0, 1, (1, 30))
    stretched = {"line": profile, "cube": profile**3, "exp": np.exp(profile)}[kind] * scale + shift
    np.testing.assert_array_equal(fitted.transform(stretched), fitted.transform(profile))


def test_a_sample_does_not_depend_on_its_company_nor_on_missing_genes_of_others(fitted) -> None:
    rng = np.random.default_rng(2)
    cohort = rng.normal(0, 1, (6, 60))
    cohort[2, :20] = np.nan
    cohort[4, 50:] = np.nan
    together = fitted.transform(cohort)
    assert np.array_equal(np.isnan(together), np.isnan(cohort))
    for row in range(6):
        np.testing.assert_array_equal(fitted.transform(cohort[[row]])[0], together[row])


def test_ties_get_the_value_between_their_neighbours(fitted) -> None:
    profile = np.arange(60.0)[None]
    tied = profile.copy()
    tied[0, 10] = tied[0, 11]
    plain, found = fitted.transform(profile)[0], fitted.transform(tied)[0]
    assert found[10] == found[11]
    assert plain[10] < found[10] < plain[11]
    np.testing.assert_array_equal(np.delete(found, [10, 11]), np.delete(plain, [10, 11]))


def test_what_is_no_expression_is_neither_ranked_nor_changed(training) -> None:
    values = np.column_stack([training, np.tile([0.0, 1.0], 20)])
    unranked = np.arange(61) == 60
    ranked = RankedProfiles.of(values, unranked)
    fitted = ProfileHarmoniser().fit(values)
    found = fitted.transform(ranked)
    np.testing.assert_array_equal(found[:, 60], values[:, 60])
    assert (ranked.doubled_ranks[:, 60] == -1).all()
    np.testing.assert_array_equal(ranked[np.array([3])].values, values[[3]])
