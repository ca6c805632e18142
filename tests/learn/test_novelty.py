"""How far a profile lies from the training profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.learn import ProfileNovelty

N_GENES = 200


def profiles(seed: int, n: int = 100) -> np.ndarray:
    """Three programmes that move genes together, and noise."""
    programmes = np.random.default_rng(0).normal(size=(3, N_GENES))
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ programmes + 0.5 * rng.normal(size=(n, N_GENES))


@pytest.fixture(scope="module")
def novelty() -> ProfileNovelty:
    return ProfileNovelty().fit(profiles(1))


def test_few_profiles_of_the_same_kind_lie_outside(novelty: ProfileNovelty) -> None:
    outside = (novelty.score_samples(profiles(2, 2000)) > 1).mean()
    assert 0.01 < outside < 0.12


def test_other_programmes_and_more_noise_lie_outside(novelty: ProfileNovelty) -> None:
    rng = np.random.default_rng(3)
    foreign = rng.normal(size=(50, 3)) @ rng.normal(size=(3, N_GENES))
    assert (novelty.score_samples(foreign) > 1).mean() > 0.9
    noisy = profiles(2, 50) + 2 * rng.normal(size=(50, N_GENES))
    assert (novelty.score_samples(noisy) > 1).all()


def test_the_farther_along_a_new_direction_the_higher(novelty: ProfileNovelty) -> None:
    direction = np.random.default_rng(4).normal(size=N_GENES)
    steps = profiles(2, 1) + np.outer([0, 1, 2, 4, 8], direction)
    assert (np.diff(novelty.score_samples(steps)) > 0).all()


def test_a_known_programme_may_be_as_strong_as_it_likes(novelty: ProfileNovelty) -> None:
    programme = np.random.default_rng(0).normal(size=(3, N_GENES))[0]
    far = profiles(2, 1) + 20 * programme
    assert novelty.score_samples(far)[0] < 4
    turned = profiles(2, 1) + 20 * np.random.default_rng(5).permutation(programme)
    assert novelty.score_samples(turned)[0] > 20


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 19), st.integers(0, 1000))
def test_a_profile_alone_has_the_novelty_of_its_cohort_to_the_bit(row: int, seed: int) -> None:
    fitted = ProfileNovelty().fit(profiles(1, 40))
    cohort = profiles(2, 20)
    cohort[np.random.default_rng(seed).random(cohort.shape) < 0.1] = np.nan
    assert fitted.score_samples(cohort[[row]])[0] == fitted.score_samples(cohort)[row]


def test_missing_genes_do_not_make_a_profile_foreign(novelty: ProfileNovelty) -> None:
    known = profiles(2, 100)
    holes = np.where(np.random.default_rng(6).random(known.shape) < 0.2, np.nan, known)
    ratio = novelty.score_samples(holes) / novelty.score_samples(known)
    assert 0.8 < np.median(ratio) < 1.5
    assert novelty.score_samples(np.full((1, N_GENES), np.nan))[0] == 0


def test_as_many_components_as_the_samples_allow() -> None:
    assert ProfileNovelty().fit(profiles(1)).components_.shape == (20, N_GENES)
    assert ProfileNovelty(components=5).fit(profiles(1)).components_.shape == (5, N_GENES)
    few = ProfileNovelty().fit(profiles(1, 12))
    assert few.components_.shape == (3, N_GENES)
    np.testing.assert_allclose(few.components_ @ few.components_.T, np.eye(3), atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 39), st.integers(0, 1000))
def test_a_training_profile_is_recognised_with_a_few_genes_missing(row: int, seed: int) -> None:
    known, foreign = profiles(1, 40), profiles(2, 20)
    fitted = ProfileNovelty().fit(known)
    given = np.vstack([known[[row]], foreign])
    given[:, np.random.default_rng(seed).permutation(N_GENES)[:5]] = np.nan
    assert fitted.recognised(given).tolist() == [True, *[False] * 20]


def test_profiles_without_a_readable_block_are_not_judged(novelty: ProfileNovelty) -> None:
    blind = np.full((1, N_GENES), np.nan)
    blind[0, ::20] = 1.0
    assert novelty.recognised(blind) is None
