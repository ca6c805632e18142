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


def test_stronger_programmes_and_more_noise_lie_outside(novelty: ProfileNovelty) -> None:
    rng = np.random.default_rng(3)
    foreign = 4 * rng.normal(size=(50, 3)) @ rng.normal(size=(3, N_GENES))
    assert (novelty.score_samples(foreign) > 1).mean() > 0.7
    noisy = profiles(2, 50) + 2 * rng.normal(size=(50, N_GENES))
    assert (novelty.score_samples(noisy) > 1).mean() > 0.7


def test_a_few_genes_under_wrong_names_lie_outside(novelty: ProfileNovelty) -> None:
    levels = np.linspace(0, 20, N_GENES)
    fitted = ProfileNovelty().fit(profiles(1) + levels)
    known = profiles(2, 50) + levels
    swapped = known.copy()
    swapped[:, [10, 190, 60, 120]] = known[:, [190, 10, 120, 60]]
    assert (fitted.score_samples(known) > 1).mean() < 0.15
    assert (fitted.score_samples(swapped) > 1).all()


def test_a_profile_it_was_fitted_on_lies_inside(novelty: ProfileNovelty) -> None:
    assert (novelty.score_samples(profiles(1)) == 0).all()


def test_the_farther_along_a_new_direction_the_higher(novelty: ProfileNovelty) -> None:
    direction = np.random.default_rng(4).normal(size=N_GENES)
    steps = profiles(2, 1) + np.outer([0, 1, 2, 4, 8], direction)
    assert (np.diff(novelty.score_samples(steps)) > 0).all()


@settings(max_examples=25)
@given(st.integers(0, 19), st.integers(0, 1000))
def test_a_profile_alone_has_the_novelty_of_its_cohort_to_the_bit(row: int, seed: int) -> None:
    fitted = ProfileNovelty().fit(profiles(1, 40))
    cohort = profiles(2, 20)
    cohort[np.random.default_rng(seed).random(cohort.shape) < 0.1] = np.nan
    assert fitted.score_samples(cohort[[row]])[0] == fitted.score_samples(cohort)[row]


def test_missing_genes_do_not_make_a_profile_foreign(novelty: ProfileNovelty) -> None:
    known = profiles(2, 100)
    holes = np.where(np.random.default_rng(6).random(known.shape) < 0.2, np.nan, known)
    moved = novelty.score_samples(holes) - novelty.score_samples(known)
    assert abs(np.median(moved)) < 0.1
    assert novelty.score_samples(np.full((1, N_GENES), np.nan))[0] == 0


def test_few_genes_of_many_profiles_have_an_edge_too() -> None:
    fitted = ProfileNovelty().fit(np.random.default_rng(0).normal(size=(500, 1)))
    assert 0 < fitted.limit_ < 1
    assert np.isfinite(fitted.score_samples([[9.0]])).all()


@settings(max_examples=25)
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
