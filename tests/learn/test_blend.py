import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nkpredict import NKSusceptibilityModel
from nkpredict.learn import blend_weights, normal_scores
from nkpredict.learn._offsets import group_offsets
from nkpredict.learn.learners._importance import adaptive_importance, scaled_importance


@settings(max_examples=50)
@given(arrays(float, st.integers(3, 40), elements=st.floats(-5, 5, width=16)))
def test_normal_scores_keep_order_mean_and_spread(target: np.ndarray) -> None:
    scores = normal_scores(target)
    order = np.argsort(target, kind="stable")
    assert (np.diff(scores[order]) >= -1e-12).all()
    assert scores.mean() == pytest.approx(target.mean(), abs=1e-9)
    if np.ptp(target) > 1e-3:
        assert scores.std() == pytest.approx(target.std())


def test_learners_alike_keep_their_prior_weights_and_a_useless_one_loses_its_say() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=160)
    good = target + rng.normal(0, 0.8, 160)
    alike = blend_weights(np.column_stack([good, good]), target, (4.0, 1.0))
    np.testing.assert_allclose(alike, [0.8, 0.2])
    unequal = blend_weights(np.column_stack([good, rng.normal(size=160)]), target, (1.0, 1.0))
    assert unequal[0] > 0.9
    assert unequal.sum() == pytest.approx(1)


def test_importance_follows_the_response_and_scales_to_mean_eigenvalue_one() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 300))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    residual = rows[:, 7] + 0.3 * rng.normal(size=60)
    residual -= residual.mean()
    importance = adaptive_importance(
        rows, rows @ rows.T, residual, (2.0, 4.0), np.ones(rows.shape[1])
    )
    assert importance.argmax() == 7
    assert np.trace((rows * importance) @ rows.T) / 60 == pytest.approx(1)
    alike = adaptive_importance(rows, rows @ rows.T, residual, (), np.ones(300))
    assert np.ptp(alike) == 0
    assert not scaled_importance(np.zeros(300), np.ones(300), 60).any()


def test_genes_are_weighted_alike_as_far_as_chance_explains_their_correlations() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(40, 2000))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    residual = rng.normal(size=40)
    residual -= residual.mean()
    noise = adaptive_importance(rows, rows @ rows.T, residual, (2.0, 4.0), np.ones(rows.shape[1]))
    assert noise.min() > 0.8 * noise.mean()
    driven = rows[:, :1000] + 2 * residual[:, None]
    driven = (driven - driven.mean(axis=0)) / driven.std(axis=0)
    both = np.column_stack([driven, rows[:, 1000:]])
    signal = adaptive_importance(both, both @ both.T, residual, (2.0, 4.0), np.ones(both.shape[1]))
    assert np.median(signal[1000:]) < 0.3 * np.median(signal[:1000])


def test_offsets_of_small_groups_shrink() -> None:
    rng = np.random.default_rng(2)
    labels = np.array(["large"] * 40 + ["small"] * 2 + ["other"] * 40)
    target = rng.normal(size=82) + np.where(labels == "other", 0.0, 3.0)
    offsets = group_offsets(target, labels)
    means = {g: target[labels == g].mean() - target.mean() for g in offsets.index}
    assert 0.9 < offsets["large"] / means["large"] <= 1
    assert offsets["small"] / means["small"] < offsets["large"] / means["large"]


def test_within_groups_a_difference_between_groups_is_not_learned() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(["A", "B"], 40)
    profiles = pd.DataFrame(rng.normal(size=(80, 60)), columns=[f"G{i}" for i in range(60)])
    profiles["G0"] += np.where(labels == "A", 3.0, 0.0)
    target = profiles["G1"] + np.where(labels == "A", 5.0, 0.0) + 0.3 * rng.normal(size=80)
    plain = NKSusceptibilityModel().fit(profiles, target)
    within = NKSusceptibilityModel(within_groups=True).fit(profiles, target, groups=labels)
    effect = {name: dict(zip(m.feature_names_in_, m.effect_, strict=True)) for name, m in
              (("plain", plain), ("within", within))}  # fmt: skip
    assert effect["plain"]["G0"] > effect["plain"]["G1"]
    assert effect["within"]["G1"] > 3 * abs(effect["within"]["G0"])
    assert within.offsets_["A"] - within.offsets_["B"] == pytest.approx(5.0, abs=0.6)
