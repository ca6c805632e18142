from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, norm

from nkpredict.errors import InputError
from nkpredict.evidence import METHODS, combine_matrix
from nkpredict.evidence._methods import heterogeneity, robust_rank_aggregation, stouffer_z

N_GENES, N_SCREENS = 3000, 6
EVERY = pytest.mark.parametrize("method", sorted(METHODS))


@pytest.fixture
def z() -> np.ndarray:
    """Noise, with genes 0 to 9 sensitizing and 10 to 19 protecting in every screen."""
    values = np.random.default_rng(3).normal(size=(N_GENES, N_SCREENS))
    values[:10] += 3.5
    values[10:20] -= 3.5
    return values


@EVERY
def test_planted_genes_are_found_with_their_sign(z: np.ndarray, method: str):
    result = combine_matrix(z, np.ones(N_SCREENS), method)
    order = np.argsort(-np.abs(result.score))
    assert len(set(order[:40]) & set(range(20))) >= (10 if method == "best-screen" else 20)
    assert (result.score[:10] > 0).all()
    assert (result.score[10:20] < 0).all()
    if method != "best-screen":
        assert (result.fdr[:20] < 0.05).all()


@EVERY
def test_noise_makes_no_findings(method: str):
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=(N_GENES, N_SCREENS))
        result = combine_matrix(noise, np.ones(N_SCREENS), method)
        assert (result.fdr < 0.05).sum() <= 1


def test_rho_is_that_of_kolde():
    z = np.array([[3.0, 2.0], [2.0, 3.0], [1.0, -1.0], [-1.0, 1.0]])
    score = robust_rank_aggregation(z, np.ones(2)).score[0]
    ranks = [0.25, 0.5]
    rho = 2 * min(beta.cdf(ranks[k], k + 1, 2 - k) for k in range(2))
    assert score == pytest.approx(norm.isf(min(1.0, 2 * rho) / 2))


def test_an_effect_of_one_screen_is_no_shared_effect(z: np.ndarray):
    # many genes strong in one screen only teach the model that effects are not shared
    rng = np.random.default_rng(1)
    lone = rng.normal(size=(N_GENES, N_SCREENS))
    lone[np.arange(300), rng.integers(0, N_SCREENS, 300)] += 6
    result = combine_matrix(lone, np.ones(N_SCREENS), "empirical-bayes")
    assert (result.fdr[:300] < 0.05).mean() < 0.05


def test_stouffer_by_hand():
    z = np.array([[2.0, 1.0], [2.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(stouffer_z(z, np.array([2.0, 1.0])), [5 / np.sqrt(5), 2.0, 0.0])


def test_heterogeneity_is_none_between_equals_and_high_between_opposites():
    z = np.array([[3.0, 3.0], [5.0, -5.0], [4.0, np.nan], [np.nan, np.nan]])
    # Q of opposites is 50 on one degree of freedom
    np.testing.assert_allclose(heterogeneity(z, np.ones(2)), [0, 1 - 1 / 50, 0, 0], atol=1e-12)
    # a screen of twice the weight shows twice the z of the same effect
    assert heterogeneity(np.array([[6.0, 3.0]]), np.array([2.0, 1.0])) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("z", "weights", "method", "message"),
    [
        (np.zeros((3, 2)), np.ones(2), "mean", "'mean' is not known; expected weighted-stouffer"),
        (np.zeros((3, 2)), np.ones(3), "best-screen", "one weight per screen"),
        (np.full((3, 2), np.inf), np.ones(2), "best-screen", "infinite in 6 places"),
        (np.zeros((3, 2)), np.array([1.0, 0.0]), "best-screen", "positive numbers"),
    ],
)
def test_wrong_input_is_refused(z: np.ndarray, weights: np.ndarray, method: str, message: str):
    with pytest.raises(InputError, match=message):
        combine_matrix(z, weights, method)
