from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from nkpredict import NKSusceptibilityModel, learning_curve, permutation_test
from nkpredict.errors import InputError
from nkpredict.evaluate import limited, make_folds


@pytest.fixture
def signal(profiles) -> np.ndarray:
    drivers = profiles.iloc[:, [3, 40, 77]].to_numpy()
    return drivers @ np.array([0.25, -0.2, 0.2])


def test_smaller_training_sets_lie_within_larger_ones() -> None:
    for fold in make_folds("random", 60, None):
        small, large = limited(fold, 20), limited(fold, 40)
        assert len(small.train) == 20
        assert set(small.train) < set(large.train) < set(fold.train)
        np.testing.assert_array_equal(small.test, fold.test)
        np.testing.assert_array_equal(small.train, limited(fold, 20).train)
        assert set(small.train) != set(limited(fold, 20, random_state=1).train)


@pytest.mark.parametrize("size", [10, 49])
def test_a_size_out_of_range_is_told(size: int, profiles, signal) -> None:
    with pytest.raises(InputError, match=f"size {size} is outside .* 20 samples .* has 48"):
        learning_curve(Ridge(), profiles, signal, sizes=[size])


def test_skill_grows_with_samples(profiles, signal, lineage) -> None:
    calls = []
    curve = learning_curve(
        Ridge(10.0),
        profiles,
        signal,
        lineage,
        sizes=[20, 48],
        repeats=3,
        progress=lambda stage, done, total: calls.append((done, total)),
    )
    assert list(curve.columns) == ["size", "spearman", "spearman_within_lineage", "rmse"]
    assert curve["size"].tolist() == [20, 48]
    assert curve["rmse"].is_monotonic_decreasing
    assert curve["spearman"].is_monotonic_increasing
    assert calls[-1] == (30, 30)


def test_the_model_learns_from_held_out_lineages(profiles, susceptibility, lineage) -> None:
    curve = learning_curve(
        NKSusceptibilityModel(),
        profiles,
        susceptibility,
        lineage,
        sizes=[30],
        split="lineage-held-out",
    )
    assert np.isfinite(curve.to_numpy()).all()


@pytest.mark.slow
def test_a_signal_is_beyond_chance_and_noise_is_not(profiles, signal, lineage) -> None:
    found = permutation_test(Ridge(10.0), profiles, signal, lineage, permutations=19)
    assert found.p == pytest.approx(1 / 20)
    assert "p = 0.05" in repr(found)
    assert found.observed > found.permuted.max()
    noise = np.random.default_rng(5).normal(size=60)
    chance = permutation_test(Ridge(10.0), profiles, noise, permutations=19)
    as_good = (chance.permuted >= chance.observed).sum()
    assert chance.p == (1 + as_good) / 20
    assert chance.p > 0.1


@pytest.mark.slow
def test_knowing_lineages_alone_is_no_skill_within_them(profiles, lineage) -> None:
    rng = np.random.default_rng(0)
    response = lineage.map({"AML": 0.0, "BCL": 3.0, "MM": 6.0}).to_numpy() + rng.normal(size=60)
    everywhere = permutation_test(Ridge(10.0), profiles, response, lineage, permutations=19)
    within = permutation_test(
        Ridge(10.0), profiles, response, lineage, within_groups=True, permutations=19
    )
    assert everywhere.p == pytest.approx(1 / 20)
    assert within.p > 0.1


def test_permuting_needs_something_to_permute(profiles, signal) -> None:
    with pytest.raises(InputError, match="expected one at least"):
        permutation_test(Ridge(), profiles, signal, permutations=0)
    with pytest.raises(InputError, match="Give groups"):
        permutation_test(Ridge(), profiles, signal, within_groups=True)
    with pytest.raises(InputError, match="No lineage has five samples"):
        permutation_test(
            Ridge(), profiles, signal, np.arange(60) // 4, within_groups=True, permutations=2
        )
